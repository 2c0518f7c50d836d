"""A row that was read as what it says. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from defendctl.model import usable_id
from defendctl.state.backend import Held, Stored
from defendctl.state.bounded import gunzipped
from defendctl.state.document import LARGEST, DamagedState
from defendctl.state.lines import decode
from defendctl.state.owner import Owner, owner_from

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What stood beside the document at one moment."""

    held: Held | None
    left: tuple[tuple[str, str, str], ...]
    """Operation, workflow id and when it was left, the oldest first."""
    newest: tuple[tuple[str | None, int, str], ...]
    """Lineage, serial and writer of the newest document of each lineage."""


def glimpse(row: Row) -> Glimpse:
    return Glimpse(
        held=_held(row),
        left=tuple(
            (op, workflow_id, at) for op, workflow_id, at in row["left_ids"] if usable_id(workflow_id)
        ),
        newest=tuple((lineage, serial, writer or "") for lineage, serial, writer in row["newest"]),
    )


def stored(row: Row, where: str, journal: str) -> Stored:
    """Raises DamagedState for what is too large, or no whole gzip."""
    document = _within(where, row["size"], row["document"])
    lines = _within(journal, row["journal_size"], row["journal"])
    return Stored(
        None if document is None else _expanded(document, where),
        decode(lines.encode() + b"\n", journal) if lines else None,
    )


def _expanded(document: bytes, where: str) -> bytes:
    """Raises DamagedState."""
    try:
        return gunzipped(document, LARGEST)
    except ValueError as error:
        raise DamagedState(f"{where} cannot be read: {error}") from error


def _within(what: str, size: int | None, body: Any) -> Any:
    """Raises DamagedState where there is a size and, for that, no body."""
    if size is not None and body is None:
        raise DamagedState(f"{what} is larger than {LARGEST >> 20} MiB: that cannot be a state")
    return body


def _held(row: Row) -> Held | None:
    """Whether that run goes on, nobody here knows; its beat tells."""
    if row["owner"] is None:
        return None
    beat = f"{row['epoch']}.{row['beat']}.{row['seq']}"
    return Held(_owner(row), alive=True, beat=beat)


def _owner(row: Row) -> Owner:
    """Whatever somebody has put there: the lock is held, and can be broken."""
    try:
        return owner_from(row["owner"])
    except TypeError:
        return Owner(row["owner_id"], "", 0, "somebody", "an unknown time")
