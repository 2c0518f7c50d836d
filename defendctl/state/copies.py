"""Copies of the last good states, which also tell whether a state went back in time.

A copy bears the place of the state, its lineage, serial and writer in its name, so that none takes the place
of another run's; what it holds is the state, byte for byte.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote

from defendctl.diagnostics import DefendctlError
from defendctl.durable import sweep, write_whole
from defendctl.model import SANDBOX
from defendctl.state.bounded import parse
from defendctl.state.document import LARGEST, from_text
from defendctl.state.local import recovery

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from pathlib import Path

    from defendctl.model import State
    from defendctl.state.backend import LeftId

KEEP: Final = 10
_LONGEST: Final = 200
"""Of the name of a folder, with room to spare."""
_NAME: Final = re.compile(r"(?P<lineage>[A-Za-z0-9._-]+?)\.(?P<serial>\d{8,})(\.[A-Za-z0-9]+)?\.json")


class Copy(NamedTuple):
    path: Path
    state: State


class _Named(NamedTuple):
    path: Path
    lineage: str
    serial: int
    changed: int
    """When the copy was made, in nanoseconds."""


def place_of(path: Path, root: Path) -> str:
    """The name of the folder for copies of the state at this path, which is mostly below `root`."""
    return folder_name(os.path.relpath(os.path.realpath(path), os.path.realpath(root)))


def folder_name(place: str) -> str:
    name = quote(place, safe="")
    return name if len(name) <= _LONGEST else hashlib.sha256(place.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Copies:
    """Those of one place, in a folder of their own below `folder`."""

    folder: Path
    place: Callable[[], str]
    """Asked when it is needed: a path that is said may be none."""

    @property
    def _home(self) -> Path:
        return self.folder / self.place()

    def keep(self, state: State, document: bytes, mode: int) -> None:
        """A copy of `document`, which is `state`. Never fails the write itself."""
        home = self._home
        copy = home / _name(state)
        with suppress(OSError):
            home.mkdir(parents=True, exist_ok=True)
            if _is_kept(copy, document):
                os.utime(copy)
            else:
                write_whole(copy, document, mode=mode, follow=False)
            mine = sorted((c for c in _in(home) if c.lineage == state.lineage), key=lambda c: c.serial)
            for old in mine[:-KEEP]:
                old.path.unlink(missing_ok=True)

    def read_last(self, lineage: str | None) -> tuple[Copy, float] | None:
        """The newest copy, of this lineage if one is said, and how many seconds ago it was made."""
        copy = self.newest(lineage) if lineage else self.last()
        return (copy, max(0.0, time.time() - copy.path.stat().st_mtime)) if copy else None

    def newest(self, lineage: str, known: State | None = None) -> Copy | None:
        """The copy of the highest serial of this lineage that can be read. The copy of the state `known` is
        recognised by its name alone and not read again."""
        there = [copy for copy in self._all() if copy.lineage == lineage]
        return next(_read(sorted(there, key=lambda c: (c.serial, c.changed), reverse=True), known), None)

    def last(self) -> Copy | None:
        """The copy that was made last, of whatever lineage; the sandbox's tell nothing of a project."""
        copies = _read(sorted(self._all(), key=lambda c: (c.changed, c.serial), reverse=True))
        return next((copy for copy in copies if copy.state.api_host != SANDBOX), None)

    def leave(self, op: str, workflow_id: str) -> str | None:
        """Beside the copies, for a place that takes no id any more. Where; None: nowhere."""
        with suppress(OSError):
            self._home.mkdir(parents=True, exist_ok=True)
        path = recovery.leave(self._left, op, workflow_id)
        return str(path) if path else None

    def left(self, ops: Collection[str]) -> dict[str, str]:
        found = ((op, recovery.find(self._left, op)) for op in ops)
        return {op: workflow_id for op, workflow_id in found if workflow_id}

    def strays(self, ops: Collection[str]) -> Sequence[LeftId]:
        """What is kept of other operations than these."""
        return recovery.strays(self._left, ops) if self._home.is_dir() else ()

    def forget_left(self, op: str) -> None:
        recovery.forget(self._left, op)

    def first_seen(self, ops: Collection[str]) -> dict[str, datetime]:
        """When this machine first read of each of these creates, by its own clock; the others are forgotten.

        When a create was sent, the clock of another machine says; this one was not before that.
        """
        file, now = self._home / "unresolved", datetime.now(UTC)
        before = _times(file)
        seen = {op: before.get(op, now) for op in ops}
        if seen != before:
            text = json.dumps({op: at.isoformat() for op, at in seen.items()})
            with suppress(OSError):
                self._home.mkdir(parents=True, exist_ok=True)
                write_whole(file, text.encode(), mode=0o600, follow=False)
        return seen

    @property
    def _left(self) -> Path:
        return self._home / "state"

    def sweep(self) -> None:
        """Remove what writes that were cut short left behind."""
        for folder in (self.folder, self._home):
            sweep(folder)

    def _all(self) -> list[_Named]:
        """Those of this place, and what older versions kept, which does not say of which place it is."""
        return [*_in(self._home), *_in(self.folder)]


def _times(file: Path) -> dict[str, datetime]:
    """What is no time, or none that has come, is not believed."""
    with suppress(OSError, ValueError, TypeError, AttributeError):
        text = file.read_text(encoding="utf-8")
        times = {op: datetime.fromisoformat(at) for op, at in parse(text, LARGEST).items()}
        return {op: at for op, at in times.items() if at <= datetime.now(UTC)}
    return {}


def _is_kept(copy: Path, document: bytes) -> bool:
    """By its size: its name says already which state it is."""
    try:
        there = copy.lstat()
    except OSError:
        return False
    return stat.S_ISREG(there.st_mode) and there.st_size == len(document)


def _read(copies: list[_Named], known: State | None = None) -> Iterator[Copy]:
    """Those that are whole."""
    for copy in copies:
        if known and copy.path.name == _name(known):
            yield Copy(copy.path, known)
        with suppress(OSError, UnicodeDecodeError, DefendctlError):
            yield Copy(copy.path, from_text(copy.path.read_text(encoding="utf-8")))


def _name(state: State) -> str:
    return f"{state.lineage}.{state.serial:08d}.{state.writer}.json"


def _in(folder: Path) -> list[_Named]:
    with suppress(OSError):
        named = ((_NAME.fullmatch(path.name), path) for path in folder.iterdir())
        found = (_named(path, match) for match, path in named if match)
        return [one for one in found if one]
    return []


def _named(path: Path, match: re.Match[str]) -> _Named | None:
    """Not a pipe, which would never end, nor a device or a link to one; nor one that goes at this moment."""
    with suppress(OSError):
        there = path.lstat()
        if stat.S_ISREG(there.st_mode) and there.st_size <= LARGEST:
            return _Named(path, match["lineage"], int(match["serial"]), there.st_mtime_ns)
    return None
