"""Ids that could not be written into the state, in files of their own beside it or in the temporary folder.

The last resort of a run whose disk fails between an answer and its record. The name of such a file holds the
operation, which nobody knows who has not read the state; so what it says belongs to that create and no other.
"""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from defendctl.model import usable_id
from defendctl.state.files import sync_folder, write_durably

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST = 1_024


def leave(state: Path, op: str, workflow_id: str) -> Path | None:
    """Durable in the first folder that takes it; None if none does."""
    for path in _places(state, op):
        with suppress(OSError):
            write_durably(path, workflow_id.encode(), 0o644)
            sync_folder(path.parent)
            return path
    return None


def find(state: Path, op: str) -> str | None:
    """The id that the answer to this operation gave, if a run had to leave it."""
    for path in _places(state, op) if op.isalnum() else ():
        with suppress(OSError, UnicodeDecodeError):
            workflow_id = path.read_text(encoding="utf-8") if _is_ours(path.lstat()) else None
            if usable_id(workflow_id):
                return workflow_id
    return None


def forget(state: Path, op: str) -> None:
    for path in _places(state, op):
        with suppress(OSError):
            path.unlink()


def _places(state: Path, op: str) -> Iterator[Path]:
    """There may be no working folder any more, and no usable temporary one."""
    name = f"{state.name}.{op}.recovery"
    yield state.parent / name
    for folder in (os.getcwd, tempfile.gettempdir):
        with suppress(OSError):
            yield Path(folder()) / name


def _is_ours(there: os.stat_result) -> bool:
    """A small file of this user's; anyone may write to the temporary folder."""
    mine = not hasattr(os, "getuid") or there.st_uid == os.getuid()
    return mine and stat.S_ISREG(there.st_mode) and there.st_size <= LARGEST
