"""The journal in a file beside the state: each record durable before it counts, at a cost that stays."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from defendctl.diagnostics import Precondition
from defendctl.durable import sync_folder, write_all
from defendctl.state.lines import encode

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from defendctl.state.records import Record


class Journal:
    """A journal being written. Append refuses when somebody else touched it: then the lock was broken."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
        except FileExistsError:
            raise Precondition("another run has started a journal: the lock was broken") from None
        self._size = 0
        self._broken = False

    def append(self, records: Sequence[Record]) -> None:
        """All of them, in their order, durable when it returns.

        Raises OSError, or Precondition when the journal is not ours any more.

        It is looked at before and after: whoever breaks the lock and takes the journal away reads it
        once it has lost its name, so what is written before that is read, and what is not is refused here.
        """
        self._check()
        data = b"".join(map(encode, records))
        try:
            write_all(self._fd, data)
            os.fsync(self._fd)
        except OSError:
            self._take_back()
            self._broken = True
            raise
        if not self._size:
            sync_folder(self.path.parent)  # the name of a new file
        self._size += len(data)
        self._check()

    def _take_back(self) -> None:
        """Some of the records may stand there whole, and would be found by the next run as if they had been
        told. Where even that fails, what stands there is an intent too many or a binding told twice."""
        with suppress(OSError):
            os.ftruncate(self._fd, self._size)

    def close(self) -> bool:
        """Whether the file that is there now is still this journal, and not another run's."""
        mine = _is_at(self.path, os.fstat(self._fd))
        os.close(self._fd)
        return mine

    def _check(self) -> None:
        if self._broken:
            raise OSError("an earlier write to the journal failed")
        if not _still_ours(self.path, self._fd, self._size):
            raise Precondition("another run has changed the journal: the lock was broken")


def _still_ours(path: Path, fd: int, size: int) -> bool:
    ours = os.fstat(fd)
    return ours.st_size == size and _is_at(path, ours)


def _is_at(path: Path, file: os.stat_result) -> bool:
    try:
        return os.path.samestat(path.stat(), file)
    except FileNotFoundError:
        return False
