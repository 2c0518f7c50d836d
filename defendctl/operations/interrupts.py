"""SIGINT, SIGTERM and SIGHUP while something is under way that must be told to its end."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from defendctl.command import command
from defendctl.process import leave, stop_signals, tell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


_FIRST: Final = "stopping: waiting for what was sent, five seconds at most; interrupt again to end now"


def recorded() -> str:
    """What is true of an apply that is ended at once: each create has its intent in the journal."""
    return (
        "interrupted again: ended at once. Every create that was sent is recorded; "
        f"`{command('plan')}` names those with an unknown outcome"
    )


def submitted() -> str:
    return (
        "interrupted again: ended at once. Events that were submitted go on and are paid for; "
        "their results are not recorded"
    )


@contextmanager
def interrupts(remains: Callable[[], str], *stops: Callable[[], None]) -> Iterator[list[int]]:
    """The first lets what is under way end and be told; the second ends it now. Gives those that came.

    `remains` says in one line what stays true where nothing more can be told.
    """
    caught: list[int] = []

    def handle(number: int, frame: object) -> None:
        if caught:
            leave(words=remains())  # nothing depends on a clean end
        caught.append(number)
        tell(_FIRST)
        for stop in stops:
            stop()

    before = {number: signal.signal(number, handle) for number in stop_signals()}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
