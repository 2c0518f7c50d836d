"""What servers need of this machine: to be installed, a port, a user that is not root, an end."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@cache
def installed(program: str, package: str, *folders: str) -> str:
    """The path of a program, from Debian's package where it is missing and this is root.

    Skips the test for anybody else; for root, a missing server is a failure.
    """
    found = _find(program, folders)
    if not found and os.geteuid() == 0:
        for arguments in (["update"], ["install", "--yes", "--no-install-recommends", package]):
            env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            subprocess.run(["apt-get", "--quiet=2", *arguments], env=env, check=False, capture_output=True)
        found = _find(program, folders)
        assert found, f"apt-get did not install {package}"
    if not found:
        pytest.skip(f"{program} is not installed: `apt-get install {package}`")
    return found


def _find(program: str, folders: tuple[str, ...]) -> str | None:
    paths = [str(path) for pattern in folders for path in sorted(Path("/").glob(pattern))]
    return shutil.which(program, path=os.pathsep.join([*reversed(paths), os.environ.get("PATH", "")]))


def unprivileged(name: str) -> tuple[list[str], int | None]:
    """What stands before the command of a server that refuses root, and whose files are to be its own."""
    if os.geteuid() != 0:
        return [], None
    user = pwd.getpwnam("nobody")
    with suppress(KeyError):
        user = pwd.getpwnam(name)
    prefix = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return prefix, user.pw_uid


def stop(process: subprocess.Popen[bytes], signal: int) -> None:
    process.send_signal(signal)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
