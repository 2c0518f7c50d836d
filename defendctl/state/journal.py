"""The journal: one line a record, each durable before it counts, at a cost that does not grow.

The first line names the state it extends. A last line that is torn was never durable, so nothing was
done on its strength; damage anywhere else is an error, which names the ids that can still be read.
"""

from __future__ import annotations

import json
import os
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from defendctl.command import command
from defendctl.diagnostics import Precondition
from defendctl.durable import sync_folder, write_all
from defendctl.model import usable_id
from defendctl.state.document import DamagedState
from defendctl.state.shape import is_address

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
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
    if any(rest.strip(b"\r") for rest in lines[whole + 1 :]):
        raise _damaged(name, _conflict(lines) or f"it is damaged at line {whole + 1}", parsed)
    records = [record for record in parsed[:whole] if record is not None]
    if not records:
        return None
    head, *rest = records
    try:
        lineage, serial, writer = head["lineage"], head["serial"], head["writer"]
        return Leftover(head["journal"], lineage, serial, writer, tuple(rest), head.get("environment"))
    except KeyError as error:
        raise _damaged(name, "it does not begin as a journal does", parsed) from error


def _damaged(name: str, why: str, lines: Iterable[Record | None]) -> DamagedState:
    """With all that must not be lost with it: deleted, it would be made a second time."""
    error = DamagedState(f"{name} cannot be read: {why}{what_it_holds(filter(None, lines))}")
    error.hint = (
        "restore it from where CI keeps it. If it is lost, move it away and bind each id that it names with "
        f"`{command('import ADDRESS WORKFLOW_ID')}`, before the next apply"
    )
    return error


def what_it_holds(records: Iterable[Record]) -> str:
    """`; it binds a → wkfl_1, and b was being created`, or nothing."""
    bound: dict[str, str] = {}
    begun: dict[str, str] = {}
    for record in records:
        workflow_id = _bound_id(record)
        address = str(record["address"]) if is_address(record.get("address")) else "…"
        if workflow_id:
            bound[address] = workflow_id
        if record.get("do") in ("bound", "withdrawn"):
            begun.pop(address, None)
        elif record.get("do") in ("intent", "unknown"):
            begun[address] = address
    told = [f"it binds {', '.join(f'{a} → {i}' for a, i in bound.items())}"] if bound else []
    told += [f"a create of {', '.join(begun)} was under way"] if begun else []
    return "".join(f"; {each}" for each in told)


def _bound_id(record: Record) -> str | None:
    binding = record.get("binding")
    found = binding.get("workflow_id") if isinstance(binding, dict) else record.get("workflow_id")
    return str(found) if usable_id(found) else None


def _conflict(lines: Sequence[bytes]) -> str | None:
    first = next((n for n, line in enumerate(lines, 1) if line.startswith((b"<<<<<<<", b">>>>>>>"))), None)
    return f"git merge conflict markers stand in it, the first on line {first}" if first else None


def _line(line: bytes) -> dict[str, Any] | None:
    """Whatever git made of the end of the line."""
    crc, _, text = line.removesuffix(b"\r").partition(b" ")
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
        """Durable when it returns. Raises OSError, or Precondition when the journal is not ours any more.

        It is looked at before and after: whoever breaks the lock and takes the journal away reads it
        once it has lost its name, so what is written before that is read, and what is not is refused here.
        """
        self._check()
        data = encode(record)
        try:
            write_all(self._fd, data)
            os.fsync(self._fd)
        except OSError:
            self._broken = True
            raise
        self._size += len(data)
        self._check()

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
