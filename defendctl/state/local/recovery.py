"""Ids that could not be written into the state, in files of their own beside it or in the temporary folder.

The last resort of a run whose disk fails between an answer and its record. The name of such a file holds the
operation, so what it says belongs to that create and no other; and a part that nobody can know beforehand,
for others may put what they like into the temporary folder. What is not this user's own is not believed.
"""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from defendctl.durable import write_whole
from defendctl.model import usable_id
from defendctl.state.backend import LeftId

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

LARGEST = 1_024


def leave(state: Path, op: str, workflow_id: str) -> Path | None:
    """Durable in the first folder that takes it; None if none does."""
    for folder in _folders(state):
        path = folder / f"{state.name}.{op}.{os.urandom(8).hex()}.recovery"
        with suppress(OSError):
            write_whole(path, workflow_id.encode(), mode=0o600, follow=False)
            return path
    return None


def find(state: Path, op: str) -> str | None:
    """The id that the answer to this operation gave, if a run had to leave it."""
    return next(filter(None, map(_id_in, _left(state, op))), None)


def strays(state: Path, ops: Collection[str]) -> list[LeftId]:
    """The files beside the state that are of other operations."""
    prefix = f"{state.name}."
    named = sorted(file.name for file in state.parent.iterdir() if file.name.startswith(prefix))
    left = [name for name in named if name.endswith(".recovery")]
    of = {name: name.removeprefix(prefix).partition(".")[0] for name in left}
    return [LeftId(op, _id_in(state.with_name(name)), name) for name, op in of.items() if op not in ops]


def forget(state: Path, op: str) -> None:
    for path in _left(state, op):
        with suppress(OSError):
            path.unlink()


def _left(state: Path, op: str) -> Iterator[Path]:
    """Older versions left names without the part that is drawn."""
    name = re.compile(re.escape(f"{state.name}.{op}") + r"(\.[0-9a-f]{16})?\.recovery")
    for folder in _folders(state):
        with suppress(OSError):
            yield from [each for each in folder.iterdir() if name.fullmatch(each.name)]


def _folders(state: Path) -> Iterator[Path]:
    """There may be no working folder any more, and no usable temporary one."""
    import tempfile  # takes as long as to read a state

    yield state.parent
    for folder in (os.getcwd, tempfile.gettempdir):
        with suppress(OSError):
            yield Path(folder())


def _id_in(path: Path) -> str | None:
    with suppress(OSError, UnicodeDecodeError):
        workflow_id = _read(path)
        return workflow_id if usable_id(workflow_id) else None
    return None


def _read(path: Path) -> str | None:
    """What is in a small file of this user's own; a link is not followed, and a pipe not waited for."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        return os.read(fd, LARGEST).decode() if _is_ours(os.fstat(fd)) else None
    finally:
        os.close(fd)


def _is_ours(there: os.stat_result) -> bool:
    """Under one name only: a second one may have been given by somebody else."""
    mine = there.st_uid == os.getuid() and there.st_nlink == 1
    return mine and stat.S_ISREG(there.st_mode) and there.st_size <= LARGEST
