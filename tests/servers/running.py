"""A server as a process of its own, on ports of its own, until the block ends."""

from __future__ import annotations

import random
import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

PATIENCE = 120.0
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


@contextmanager
def running(command: Sequence[str], folder: Path, is_ready: Callable[[], bool]) -> Iterator[None]:
    """What it prints goes to `output` in its folder, and into the failure if it does not become ready."""
    output = folder / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    try:
        until = time.monotonic() + PATIENCE
        while not is_ready():
            if process.poll() is not None or time.monotonic() > until:
                pytest.fail(f"{command[0]} did not start:\n{output.read_text(errors='replace')[-2000:]}")
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _is_free(port: int) -> bool:
    with socket.socket() as sock:
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
