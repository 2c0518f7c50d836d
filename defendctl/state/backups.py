"""Copies of the last good states, which also tell whether a state went back in time."""

from __future__ import annotations

import re
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from defendctl.diagnostics import DefendctlError
from defendctl.state.document import from_text

if TYPE_CHECKING:
    from pathlib import Path

    from defendctl.model import State

KEEP = 10


def keep(folder: Path, state: State, written: Path) -> None:
    """Keep a copy of `written`, which holds `state`. Never fails the write itself.

    Not a link: whoever edits the state in place would edit its copy too.
    """
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(written, folder / f"{state.lineage}.{state.serial:08d}.json")
        for old in _all(folder, state.lineage)[:-KEEP]:
            old.unlink(missing_ok=True)


def newest(folder: Path, lineage: str | None) -> tuple[Path, State] | None:
    """The newest copy that can be read, of this lineage or, without one, of any."""
    for copy in reversed(_all(folder, lineage)):
        with suppress(OSError, UnicodeDecodeError, DefendctlError):
            return copy, from_text(copy.read_text())
    return None


def _all(folder: Path, lineage: str | None) -> list[Path]:
    pattern = re.compile(rf"{re.escape(lineage) if lineage else '.+'}\.(\d{{8,}})\.json")
    found = [
        (m, p) for p in (folder.iterdir() if folder.is_dir() else ()) if (m := pattern.fullmatch(p.name))
    ]
    return [path for match, path in sorted(found, key=lambda pair: (int(pair[0][1]), pair[1].name))]
