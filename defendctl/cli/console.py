"""What goes to which stream, in colour or not. stdout carries the result alone."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from defendctl.render.inert import inert
from defendctl.render.paint import painter

if TYPE_CHECKING:
    from defendctl.diagnostics import DefendctlError
    from defendctl.render.paint import Paint

_SHOW_AFTER = 0.5


@dataclass(slots=True)
class Console:
    no_color: bool = False
    quiet: bool = False
    verbose: bool = False
    _warned: set[str] = field(default_factory=set)

    def out(self, text: str) -> None:
        """The result."""
        sys.stdout.write(text)
        sys.stdout.flush()

    def out_bytes(self, data: bytes) -> None:
        """A result that is to be the same in every locale."""
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def err(self, text: str) -> None:
        sys.stderr.write(text if text.endswith("\n") else text + "\n")
        sys.stderr.flush()

    def warn(self, text: str) -> None:
        """Once, however often it is noticed."""
        if not self.quiet and text not in self._warned:
            self._warned.add(text)
            self.err(f"{self.paint_err('warning:', 'yellow')} {inert(text)}")

    def log(self, text: str) -> None:
        if self.verbose:
            self.err(inert(text))

    def error(self, error: DefendctlError) -> None:
        text = "\n  ".join(inert(line) for line in error.message.split("\n"))
        self.err(f"{self.paint_err('error:', 'red')} {text}")
        if error.hint:
            self.err(f"  {inert(error.hint)}")

    def confirm(self, question: str) -> bool:
        """Asks whoever sits at the terminal; only a yes is one."""
        sys.stderr.write(f"{inert(question)} [y/N] ")
        sys.stderr.flush()
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    def live(self) -> Live:
        return Live(sys.stderr.isatty() and not self.quiet)

    @property
    def paint(self) -> Paint:
        return self._painter(sys.stdout.isatty())

    def paint_err(self, text: str, colour: str) -> str:
        return self._painter(sys.stderr.isatty())(text, colour)

    def _painter(self, terminal: bool) -> Paint:
        if self.no_color or os.environ.get("NO_COLOR"):
            return painter(False)
        return painter(bool(os.environ.get("FORCE_COLOR")) or terminal)


class Live:
    """One line that is written over, on a terminal only; a log gets nothing of it."""

    def __init__(self, on: bool) -> None:
        self._on, self._began, self._shown = on, time.monotonic(), False

    def say(self, text: str) -> None:
        if self._on:
            seconds = time.monotonic() - self._began
            sys.stderr.write(f"\r\x1b[K{inert(text)} ({seconds:.0f} s)")
            sys.stderr.flush()
            self._shown = True

    def end(self) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = False


class Ticker:
    """`Reading 12/200` on a terminal, for runs that take longer than a glance."""

    def __init__(self, console: Console) -> None:
        self._on = sys.stderr.isatty() and not console.quiet
        self._what, self._total, self._done, self._began = "", 0, 0, 0.0

    def start(self, what: str, total: int) -> None:
        self.end()
        self._what, self._total, self._done, self._began = what, total, 0, time.monotonic()

    def step(self) -> None:
        self._done += 1
        if self._on and time.monotonic() - self._began > _SHOW_AFTER:
            sys.stderr.write(f"\r{self._what} {self._done}/{self._total}")
            sys.stderr.flush()

    def end(self) -> None:
        if self._on and self._done and time.monotonic() - self._began > _SHOW_AFTER:
            sys.stderr.write("\r\x1b[K")
        self._done = 0
