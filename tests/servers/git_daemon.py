"""git's own server, which comes with git."""

from __future__ import annotations

import signal
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.servers.running import LOOPBACK, free_ports, listens, running

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def git_daemon(folder: Path) -> Iterator[str]:
    """The repositories below a folder, to be fetched from and pushed to by anybody: where they are.

    It is a child of `git`, which tells it of a SIGTERM and could not of a SIGKILL.
    """
    (port,) = free_ports(1)
    serve = ["--export-all", "--enable=receive-pack", f"--base-path={folder}"]
    listen = ["--reuseaddr", f"--listen={LOOPBACK}", f"--port={port}"]
    with (
        tempfile.TemporaryDirectory(prefix="git-daemon-") as name,
        running(["git", "daemon", *serve, *listen], Path(name), lambda: listens(port), signal.SIGTERM),
    ):
        yield f"git://{LOOPBACK}:{port}"
