"""What goes to which stream, in colour or not. stdout carries the result alone."""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

from defendctl import process
from defendctl.diagnostics import DefendctlError
from defendctl.render.text.paint import painter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from defendctl.cli.ticker import Ticker
    from defendctl.render.text.paint import Paint


@dataclass(slots=True)
class Console:
    no_color: bool = False
    quiet: bool = False
    verbose: bool = False
    _ticker: Ticker | None = None
    _warned: set[str] = field(default_factory=set)
    _lost: OSError | None = None

    @property
    def ticker(self) -> Ticker:
        """How far the run is, on stderr; whatever else is said there goes aside of it."""
        if not self._ticker:
            from defendctl.cli.ticker import Ticker

            self._ticker = Ticker(_say, _can_move(sys.stderr), self.quiet)
        return self._ticker

    def prepare(self) -> None:
        """Loads what tells an error while files can be opened: later there may be no descriptor left."""
        _inert("")

    def out(self, text: str, *, paid: bool = False) -> None:
        """The result. Where stdout fails the run goes on, and says so; stderr gets what was paid."""
        self._end_line()
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except OSError as error:
            self._lose(error)
            if paid:
                self.err(text)

    def show(self, text: str) -> None:
        """What must be seen before the run goes on. Raises DefendctlError where it cannot be written."""
        self.out(text)
        if self._lost:
            lost, self._lost = self._lost, None
            raise DefendctlError(f"stdout: {lost.strerror}", "nothing was done")

    def tell_lost(self) -> bool:
        """Whether a part of the result was lost. A reader that went away wanted no more of it."""
        if self._lost and not isinstance(self._lost, BrokenPipeError):
            why = f"the result could not be written to stdout: {self._lost.strerror}"
            self.error(DefendctlError(why, "what the command did is not undone"))
        return self._lost is not None

    def out_bytes(self, data: bytes) -> None:
        """A result that is to be the same in every locale."""
        self._end_line()
        try:
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        except OSError as error:
            self._lose(error)

    def _lose(self, error: OSError) -> None:
        process.give_up(sys.stdout)
        self._lost = self._lost or error

    def has_lost(self) -> bool:
        """Whether stdout fails, also for what was written past this console, as click writes its help."""
        self.out("")
        return self._lost is not None

    def err(self, text: str) -> None:
        with self._ticker.aside() if self._ticker else nullcontext():
            _say(text if text.endswith("\n") else text + "\n")

    def warn(self, text: str) -> None:
        """Once, however often it is noticed."""
        if not self.quiet and text not in self._warned:
            self._warned.add(text)
            self.err(f"{self.paint_err('warning:', 'yellow')} {_inert(text)}")

    def advise(self, text: str) -> None:
        """What to do next: to a person who sees both streams, and to nobody else."""
        if not self.quiet and sys.stdout.isatty() and sys.stderr.isatty():
            self.err(f"Next: {_inert(text)}")

    def log(self, text: str) -> None:
        if self.verbose:
            self.err(_inert(text))

    def error(self, error: DefendctlError) -> None:
        self._end_line()
        self.err(f"{self.paint_err('error:', 'red')} {_indented(error.message)}")
        if error.hint:
            self.err(f"  {_indented(error.hint)}")

    def confirm(self, question: str) -> bool:
        """Asks whoever sits at the terminal; only a yes is one."""
        self._end_line()
        _say(f"{_inert(question)} [y/N] ")
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    def _end_line(self) -> None:
        if self._ticker:
            self._ticker.end()

    @property
    def paint(self) -> Paint:
        return self._painter(sys.stdout)

    def paint_err(self, text: str, colour: str) -> str:
        return self._painter(sys.stderr)(text, colour)

    def _painter(self, stream: TextIO) -> Paint:
        return painter(not self.no_color and wants_colour(os.environ, stream.isatty()))


def wants_colour(env: Mapping[str, str], terminal: bool) -> bool:
    """As no-color.org, force-color.org and bixense.com/clicolors say; what is empty is not set."""
    if env.get("NO_COLOR"):
        return False
    if env.get("FORCE_COLOR"):
        return env["FORCE_COLOR"] != "0"
    if env.get("CLICOLOR_FORCE", "0") not in ("", "0"):
        return True
    return terminal and env.get("CLICOLOR") != "0" and env.get("TERM") != "dumb"


def _say(text: str) -> None:
    """As far as stderr takes it: whatever is said there, the exit code says too."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        process.give_up(sys.stderr)


def _inert(text: str) -> str:
    from defendctl.render.inert import inert

    return inert(text)


def _indented(text: str) -> str:
    """Each line but the first stands below it."""
    return "\n  ".join(_inert(line) for line in text.split("\n"))


def _can_move(stream: TextIO) -> bool:
    """Whether a line on it can be written over."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"
