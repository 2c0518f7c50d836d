"""SIGINT, SIGTERM and SIGHUP while something is under way that must be told to its end."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

from defendctl.exits import Exit
from defendctl.process import stop_signals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def interrupts(*stops: Callable[[], None]) -> Iterator[list[int]]:
    """The first lets what is under way end and be told; the second ends it now. Gives those that came."""
    caught: list[int] = []

    def handle(number: int, frame: object) -> None:
        if caught:
            os._exit(
                Exit.INTERRUPTED
            )  # nothing depends on a clean end: what was sent is covered by its intent
        caught.append(number)
        for stop in stops:
            stop()

    before = {number: signal.signal(number, handle) for number in stop_signals()}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
