"""The register as text and back: who may write, which document counts, and the records that extend it. Pure.

{"format": 1, "epoch": 7, "nonce": "…", "owner": {…} | null,
 "state": {"name": "states/…", "version": SHA-256 of the document, "serial": 3, "writer": "…",
           "lineage": "…", "at": when it was put} | null,
 "kept": [earlier ones, the newest first],
 "sealed": ["journal/7-0", …], "records": "the lines that follow those"}
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Final

from defendctl.state.bounded import parse
from defendctl.state.document import LARGEST, DamagedState, NewerState
from defendctl.state.owner import owner_from
from defendctl.state.register.engine import MOST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from defendctl.state.owner import Owner

FORMAT: Final = 1
_PLAIN: Final = re.compile("[0-9A-Za-z-]{1,100}")


@dataclass(frozen=True, slots=True)
class Kept:
    """A document beside the register."""

    name: str
    version: str
    """SHA-256 of the document, before it was compressed."""
    serial: int | None
    """None of what does not say its own."""
    writer: str
    lineage: str
    at: str
    """When it was put, by the clock of who did."""


@dataclass(frozen=True, slots=True)
class Register:
    epoch: int = 0
    """Grows with every lock that is taken or broken."""
    nonce: str = ""
    """Drawn for every value, so that no two are equal, and each tells by whom it was written."""
    owner: Owner | None = None
    state: Kept | None = None
    kept: tuple[Kept, ...] = ()
    sealed: tuple[str, ...] = ()
    """Values beside it that hold the older records, in their order."""
    records: bytes = b""
    """The newest, as lines."""

    def named(self) -> frozenset[str]:
        """What of the values beside it this one speaks of."""
        documents = (*self.kept, self.state) if self.state else self.kept
        return frozenset((*(each.name for each in documents), *self.sealed))


def to_bytes(register: Register) -> bytes:
    body = {"format": FORMAT, **asdict(register), "records": register.records.decode()}
    return json.dumps(body, sort_keys=True, indent=1).encode() + b"\n"


def from_bytes(data: bytes, where: str) -> Register:
    """Raises DamagedState or NewerState."""
    try:
        body = parse(data.decode(), LARGEST)
    except ValueError as error:
        why = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else error
        raise DamagedState(f"{where} is not a register of defendctl: {why}") from error
    version = body.get("format") if isinstance(body, dict) else None
    if type(version) is int and version > FORMAT:
        raise NewerState(f"{where} was written by a newer defendctl: use the newer one")
    try:
        return _register(body)
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedState(f"{where} is not a register of defendctl: it has another form") from error


def _register(body: Mapping[str, Any]) -> Register:
    """Raises KeyError, TypeError or ValueError for what is none."""
    owner, state = body["owner"], body["state"]
    register = Register(
        epoch=_a(int, body["epoch"]),
        nonce=_a(str, body["nonce"]),
        owner=None if owner is None else owner_from(owner),
        state=None if state is None else _kept(state),
        kept=tuple(map(_kept, _a(list, body["kept"]))),
        sealed=tuple(_name(each) for each in _a(list, body["sealed"])),
        records=_a(str, body["records"]).encode(),
    )
    if (
        _a(int, body["format"]) != FORMAT
        or len(body) != 1 + len(fields(Register))
        or len(register.named()) > MOST
    ):
        raise ValueError
    return register


def _kept(body: Mapping[str, Any]) -> Kept:
    texts = (body["version"], body["writer"], body["lineage"], body["at"])
    if not all(isinstance(text, str) for text in texts) or type(body["serial"]) not in (int, type(None)):
        raise TypeError
    return Kept(**{**body, "name": _name(body["name"])})


def _name(name: Any) -> str:
    """Of a value beside the register: it becomes part of a path or of an address."""
    folder, slash, rest = _a(str, name).partition("/")
    if folder not in ("states", "journal") or not slash or not _PLAIN.fullmatch(rest):
        raise ValueError
    return str(name)


def _a(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise TypeError
    return value
