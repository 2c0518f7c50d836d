"""Copies of the last good states, which also tell whether a state went back in time."""

from __future__ import annotations

import re
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from defendctl.diagnostics import DefendctlError
from defendctl.durable import write_whole
from defendctl.state.document import LARGEST, from_text

if TYPE_CHECKING:
    from pathlib import Path

    from defendctl.model import State

KEEP = 10


def keep(folder: Path, state: State, written: Path) -> None:
    """Keep a copy of `written`, which holds `state`, in its mode. Never fails the write itself.

    Not a link: whoever edits the state in place would edit its copy too.
    """
    copy = folder / f"{state.lineage}.{state.serial:08d}.json"
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        mode = stat.S_IMODE(written.stat().st_mode)
        write_whole(copy, written.read_bytes(), mode=mode, follow=False)
        for old in _all(folder, state.lineage)[:-KEEP]:
            old.unlink(missing_ok=True)


def newest(folder: Path, lineage: str | None) -> tuple[Path, State] | None:
    """The newest copy that can be read, of this lineage or, without one, of any."""
    for copy in reversed(_all(folder, lineage)):
        with suppress(OSError, UnicodeDecodeError, DefendctlError):
            return copy, from_text(copy.read_text(encoding="utf-8"))
    return None


def _all(folder: Path, lineage: str | None) -> list[Path]:
    pattern = re.compile(rf"{re.escape(lineage) if lineage else '.+'}\.(\d{{8,}})\.json")
    there = folder.iterdir() if folder.is_dir() else ()
    found = [(m, p) for p in there if (m := pattern.fullmatch(p.name)) and _is_copy(p)]
    return [path for match, path in sorted(found, key=lambda pair: (int(pair[0][1]), pair[1].name))]


def _is_copy(path: Path) -> bool:
    """Not a pipe, which would never end, nor a device or a link to one; nor one that goes at this moment."""
    with suppress(OSError):
        there = path.lstat()
        return stat.S_ISREG(there.st_mode) and there.st_size <= LARGEST
    return False
