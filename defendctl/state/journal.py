"""The journal: one line a record, each durable before it counts, at a cost that does not grow.

The first line names the state it extends. A last line that is torn was never durable, so nothing was
done on its strength; damage anywhere else is an error.
"""

from __future__ import annotations

import json
import os
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from defendctl.diagnostics import Precondition
from defendctl.durable import sync_folder, write_all
from defendctl.state.document import DamagedState

if TYPE_CHECKING:
    from pathlib import Path

    from defendctl.model import State
    from defendctl.state.records import Record


Stamp = tuple[str | None, int, str, str | None]
"""Lineage, serial, writer and environment: what tells one written state from every other."""


def stamp(state: State) -> Stamp:
    return state.lineage, state.serial, state.writer, state.environment


@dataclass(frozen=True, slots=True)
class Leftover:
    """A journal as found on disk: which state it extends, and its records."""

    id: str
    lineage: str | None
    serial: int
    writer: str
    records: tuple[Record, ...]
    environment: str | None = None

    def extends(self, state: State) -> bool:
        return (self.lineage, self.serial, self.writer, self.environment) == stamp(state)


def encode(record: dict[str, Any]) -> bytes:
    text = json.dumps(record, sort_keys=True, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def decode(data: bytes, name: str) -> Leftover | None:
    """None where not even the first line is whole. Raises DamagedState."""
    lines = data.split(b"\n")
    parsed = [_line(line) for line in lines]
    whole = parsed.index(None) if None in parsed else len(parsed)
    if any(rest for rest in lines[whole + 1 :]):
        raise DamagedState(f"{name} is damaged at line {whole + 1}")
    records = [record for record in parsed[:whole] if record is not None]
    if not records:
        return None
    head, *rest = records
    try:
        lineage, serial, writer = head["lineage"], head["serial"], head["writer"]
        return Leftover(head["journal"], lineage, serial, writer, tuple(rest), head.get("environment"))
    except KeyError as error:
        raise DamagedState(f"{name} does not begin as a journal does") from error


def _line(line: bytes) -> dict[str, Any] | None:
    crc, _, text = line.partition(b" ")
    if len(crc) != 8 or crc != b"%08x" % zlib.crc32(text):
        return None
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


class Journal:
    """A journal being written. Append refuses when somebody else touched it: then the lock was broken."""

    def __init__(self, path: Path, id: str, extended: Stamp) -> None:
        self.path = path
        self.id = id
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
        self._size = 0
        self._broken = False
        lineage, serial, writer, environment = extended
        head = {"journal": id, "lineage": lineage, "serial": serial, "writer": writer}
        self.append(head | ({"environment": environment} if environment else {}))
        sync_folder(path.parent)

    def append(self, record: Record) -> None:
        """Durable when it returns. Raises OSError, or Precondition when the journal is not ours any more."""
        self._check()
        data = encode(record)
        try:
            write_all(self._fd, data)
            os.fsync(self._fd)
        except OSError:
            self._broken = True
            raise
        self._size += len(data)

    def close(self) -> bool:
        """Whether the file that is there now is still this journal, and not another run's."""
        mine = _same_file(self.path, self._fd)
        os.close(self._fd)
        return mine

    def _check(self) -> None:
        if self._broken:
            raise OSError("an earlier write to the journal failed")
        if not _still_ours(self.path, self._fd, self._size):
            raise Precondition("another run has touched the journal: the lock was broken")


def _still_ours(path: Path, fd: int, size: int) -> bool:
    return os.fstat(fd).st_size == size and _same_file(path, fd)


def _same_file(path: Path, fd: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(fd))
    except FileNotFoundError:
        return False
