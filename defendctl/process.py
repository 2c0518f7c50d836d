"""The standard streams, the signals and the collector of this process. Imported before all else, so it
imports little."""

from __future__ import annotations

import gc
import os
import signal
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NoReturn, TextIO

from defendctl.exits import Exit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    Handler = Callable[[int, FrameType | None], object]

_ASK_TO_STOP = ("SIGINT", "SIGTERM", "SIGHUP")


def open_streams() -> None:
    """A closed one is as `/dev/null`. Otherwise the next file that is opened would be stdout, or stderr."""
    while (fd := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(fd, True)
    os.close(fd)
    sys.stdin = sys.stdin or os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8", closefd=False)


def give_up(stream: TextIO) -> None:
    """What it still holds cannot be written, and must not turn the exit code into 120."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@contextmanager
def uncollected() -> Iterator[None]:
    """Many values and no cycles: the collector would look at all of them again and again. Where they are so
    many that it would look at all of them at once when it is let go on, they count as old from the start."""
    enabled, before = gc.isenabled(), gc.get_count()[0]
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            if gc.get_count()[0] - before > gc.get_threshold()[0]:
                gc.freeze()
                gc.unfreeze()
            gc.enable()


def stop_signals() -> list[int]:
    """Those that ask to stop; not what `nohup` or a shell's `&` has taken from us."""
    numbers = [getattr(signal, name) for name in _ASK_TO_STOP if hasattr(signal, name)]
    return [number for number in numbers if signal.getsignal(number) != signal.SIG_IGN]


def on_stop(handler: Handler | signal.Handlers) -> None:
    for number in stop_signals():
        signal.signal(number, handler)


def leave(*_: object, words: str = "interrupted") -> NoReturn:
    """At once: threads that still wait for an answer hold nothing that matters."""
    tell(words)
    os._exit(Exit.INTERRUPTED)


def tell(words: str) -> None:
    """One line on stderr, also from a signal handler."""
    if "_DEFENDCTL_COMPLETE" not in os.environ:  # the user is in the middle of a command line
        with suppress(OSError):
            os.write(2, f"{words}\n".encode())


def leave_if_swallowed() -> None:
    """An interrupt that arrives in a callback, of which imports have some, would be printed and forgotten."""

    def hook(unraisable: sys.UnraisableHookArgs) -> None:
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            leave()
        sys.__unraisablehook__(unraisable)

    sys.unraisablehook = hook
