"""Records as lines of text and back. Pure.

The first line names the state that the others extend. A last line that is torn was never durable, so nothing
was done on its strength; damage anywhere else is an error, which names the ids that can still be read.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from defendctl.command import command
from defendctl.model import usable_id
from defendctl.state.document import DamagedState
from defendctl.state.shape import is_address

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from defendctl.model import State
    from defendctl.state.records import Record


Stamp = tuple[str | None, int, str, str | None]
"""Lineage, serial, writer and environment: what tells one written state from every other."""


def stamp(state: State) -> Stamp:
    return state.lineage, state.serial, state.writer, state.environment


@dataclass(frozen=True, slots=True)
class Leftover:
    """A journal as it was found: which state it extends, and its records."""

    id: str
    lineage: str | None
    serial: int
    writer: str
    records: tuple[Record, ...]
    environment: str | None = None

    def extends(self, state: State) -> bool:
        return (self.lineage, self.serial, self.writer, self.environment) == stamp(state)


def head(journal: str, extended: Stamp) -> Record:
    """The first record of a journal: its id, and which state it extends."""
    lineage, serial, writer, environment = extended
    named = {"environment": environment} if environment else {}
    return {"journal": journal, "lineage": lineage, "serial": serial, "writer": writer, **named}


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
    first, *rest = records
    try:
        lineage, serial, writer = first["lineage"], first["serial"], first["writer"]
        return Leftover(first["journal"], lineage, serial, writer, tuple(rest), first.get("environment"))
    except KeyError as error:
        raise _damaged(name, "it does not start like a journal", parsed) from error


def _damaged(name: str, why: str, lines: Iterable[Record | None]) -> DamagedState:
    """With all that must not be lost with it: deleted, it would be made a second time."""
    error = DamagedState(f"{name} cannot be read: {why}{what_it_holds(filter(None, lines))}")
    error.hint = (
        "restore it from where CI keeps it. If that is not possible, move it away and bind each "
        f"id that it names with `{command('import ADDRESS WORKFLOW_ID')}`, before the next apply"
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
    return f"it contains git merge conflict markers, the first on line {first}" if first else None


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
