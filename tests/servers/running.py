"""A server as a process of its own, on ports of its own, as a user that it accepts."""

from __future__ import annotations

import os
import pwd
import random
import signal
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

LOOPBACK = "127.0.0.1"
LOOKS = 600
PATIENCE = 20.0
GRPC = 10_000
"""How far above its port SeaweedFS listens a second time."""
_OURS = range(11_000, 22_000)
"""Both stay below what systems give to whoever connects (32,768 and more on Linux)."""


def free_ports(count: int) -> list[int]:
    """Ports on loopback where nobody listens, nor 10,000 above."""
    found: list[int] = []
    while len(found) < count:
        port = random.SystemRandom().choice(_OURS)
        if port not in found and _is_free(port) and _is_free(port + GRPC):
            found.append(port)
    return found


def unprivileged(name: str) -> tuple[list[str], int | None]:
    """What stands before the command of a server that refuses root, and whose files are to be its own."""
    if os.geteuid() != 0:
        return [], None
    user = pwd.getpwnam("nobody")
    with suppress(KeyError):
        user = pwd.getpwnam(name)
    prefix = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return prefix, user.pw_uid


def start(command: Sequence[str], folder: Path, is_ready: Callable[[], bool]) -> subprocess.Popen[bytes]:
    """What it prints goes to `output` in its folder, and into the failure if it does not become ready."""
    output = folder / "output"
    with output.open("ab") as file:
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    for _ in range(LOOKS):
        if process.poll() is None and is_ready():
            return process
        time.sleep(0.1)
    stop(process)
    pytest.fail(f"{command[0]} did not start:\n{output.read_text(errors='replace')[-2000:]}")


def stop(process: subprocess.Popen[bytes], how: int = signal.SIGKILL) -> None:
    """By default without a farewell: nothing that it has is needed any more."""
    process.send_signal(how)
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def running(
    command: Sequence[str], folder: Path, is_ready: Callable[[], bool], how: int = signal.SIGKILL
) -> Iterator[None]:
    process = start(command, folder, is_ready)
    try:
        yield
    finally:
        stop(process, how)


def listens(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex((LOOPBACK, port)) == 0


def _is_free(port: int) -> bool:
    with socket.socket() as sock:
        try:
            sock.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
