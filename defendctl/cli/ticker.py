"""How far a run is, on stderr: a line that is written over on a terminal, now and then a line in a log."""

from __future__ import annotations

import math
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SHOW_AFTER: Final = 0.5
"""Seconds: what is done sooner needs no line."""
_REDRAW: Final = 0.1
_LOG_EVERY: Final = 30.0
_LONG_WAIT: Final = 5.0
_CLEAR: Final = "\r\x1b[K"


class Ticker:
    """`Reading 1,200 of 5,000, 240/s, 16 s left`, and which wait a server asked for.

    `say` writes to stderr as it is; `moves`: whether a line there can be written over. Safe to use from
    many threads, each of which may also say something else: `aside`.
    """

    def __init__(
        self,
        say: Callable[[str], None],
        moves: bool,
        quiet: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._say, self._moves, self._quiet, self._clock = say, moves, quiet, clock
        self._guard = threading.RLock()
        self._what, self._total, self._done = "", 0, 0
        self._began, self._next = 0.0, math.inf
        self._shown = False

    def start(self, what: str, total: int) -> None:
        with self._guard:
            self.clear()
            self._what, self._total, self._done, self._began = what, total, 0, self._clock()
            self._next = self._began + (_SHOW_AFTER if self._moves else _LOG_EVERY)

    def step(self) -> None:
        with self._guard:
            self._done += 1
            if self._clock() >= self._next:
                self._draw(self._line())

    def wait(self, seconds: float) -> None:
        """A server asks everybody to wait; in a log only a long wait is worth a line."""
        if seconds < (1 if self._moves else _LONG_WAIT):
            return
        with self._guard:
            at = f"{self._what} {self._done:,} of {self._total:,}: " if self._total else ""
            self._draw(f"{at}waiting {seconds:.0f} s, as the API asks")

    def tell(self, text: str) -> None:
        """What is waited for, and for how long already, where nothing can be counted."""
        with self._guard:
            if self._next == math.inf:
                self.start(text, 0)
            if self._clock() >= self._next:
                self._draw(f"{text} ({self._clock() - self._began:.0f} s)")

    def end(self) -> None:
        with self._guard:
            self.clear()
            self._total, self._next = 0, math.inf

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Something else is written to the terminal meanwhile; the line comes back with the next step."""
        with self._guard:
            self.clear()
            yield

    def clear(self) -> None:
        if self._shown:
            self._say(_CLEAR)
            self._shown = False

    def _draw(self, line: str) -> None:
        if self._quiet:
            return
        self._say(f"{_CLEAR}{line}" if self._moves else f"{line}\n")
        self._shown = self._moves
        self._next = self._clock() + (_REDRAW if self._moves else _LOG_EVERY)

    def _line(self) -> str:
        line = f"{self._what} {self._done:,} of {self._total:,}"
        spent = self._clock() - self._began
        if not spent:
            return line
        rate = self._done / spent
        left = (self._total - self._done) / rate
        return f"{line}, {_rounded(rate)}/s, {_duration(left)} left"


def _rounded(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"


def _duration(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole} s" if whole < 120 else f"{round(whole / 60)} min"
