"""git's own server, which comes with git."""

from __future__ import annotations

import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOOPBACK = "127.0.0.1"


@contextmanager
def git_daemon(folder: Path) -> Iterator[str]:
    """The repositories below a folder, to be fetched from and pushed to by anybody: where they are."""
    with socket.socket() as sock:
        sock.bind((LOOPBACK, 0))
        port = sock.getsockname()[1]
    serve = ["--export-all", "--enable=receive-pack", f"--base-path={folder}"]
    listen = ["--reuseaddr", f"--listen={LOOPBACK}", f"--port={port}"]
    daemon = subprocess.Popen(["git", "daemon", *serve, *listen], stderr=subprocess.DEVNULL)
    try:
        _wait(daemon, port)
        yield f"git://{LOOPBACK}:{port}"
    finally:
        daemon.terminate()
        daemon.wait()


def _wait(daemon: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(300):
        assert daemon.poll() is None, "git daemon did not start"
        with socket.socket() as sock:
            if sock.connect_ex((LOOPBACK, port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("git daemon does not listen")
