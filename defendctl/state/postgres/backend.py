"""The state in PostgreSQL: a row says which document counts and who may write."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit
from zlib import crc32

from defendctl.command import command, shell_word
from defendctl.diagnostics import DefendctlError
from defendctl.durable import FOLDER
from defendctl.state.backend import LeftId, NotLocked, Version, locked_by, refuse_other
from defendctl.state.document import LARGEST, DamagedState
from defendctl.state.local import recovery
from defendctl.state.postgres import statements
from defendctl.state.postgres.glimpse import Glimpse, Row, glimpse, stored
from defendctl.state.postgres.lease import PostgresLease
from defendctl.state.postgres.link import Link
from defendctl.state.postgres.tables import READER, RIGHTS, WRITER, missing_rights

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from defendctl.state.backend import Held, Stored
    from defendctl.state.owner import Owner
    from defendctl.state.place import Place

PATIENCE: Final = 5.0
"""Seconds for which a question is repeated while nobody answers."""
_FRESH: Final = 1.0
"""Seconds for which what was read beside a document is of the same moment."""


class PostgresBackend:
    """Ids that the store does not take are left in files below `root`, where the next run here finds them."""

    pulse = 30.0
    silence = 120.0
    files: tuple[Path, ...] = ()

    def __init__(self, place: Place, root: Path) -> None:
        self.where = _where(place)
        self.journal = f"the journal of {self.where}"
        self.patience = PATIENCE
        self._key = place.key
        self._link = Link(place.target, self.where)
        self._aside = root / FOLDER / f"{place.key.replace('/', '-')}-{crc32(self.where.encode()):08x}"
        self._read: tuple[float, Glimpse] | None = None

    def read(self) -> Stored:
        return self._stored(self._row())

    def probe(self) -> str | None:
        (found,) = self._ask(statements.PROBE)
        granted = {name: set(rights) for name, rights in found["tables"].items()}
        if found["standby"] or found["read_only"] == "on":
            what = "a read replica" if found["standby"] else f"read-only for the role {found['role']}"
            raise DefendctlError(
                f"{self.where} is {what}",
                "name the primary in `state.url`, and use a role whose transactions may write",
            )
        _refuse_asynchronous(found["synchronous_commit"], self.where)
        if not granted.keys() >= RIGHTS.keys():
            raise DefendctlError(
                f"{self.where}: the tables of the state are missing",
                f"create them with the SQL that `{command('state schema')}` prints, as a role that may",
            )
        missing = missing_rights(granted) + ([] if found["usage"] else ["USAGE on schema defendctl"])
        if missing:
            raise DefendctlError(
                f"{self.where}: the role {found['role']} lacks {', '.join(missing)}",
                f"grant it {WRITER} to apply; {READER} is enough to plan",
            )
        return _behind(found)

    def lock(self, owner: Owner, warn: Callable[[str], None]) -> PostgresLease:
        try:
            epoch = self._lock(owner)
        except KeyboardInterrupt:  # it may be taken all the same
            self._break(owner.id)
            raise
        try:
            row = self._row()  # after the lock: a statement sees what was there when it began
            there = self._stored(row)
        except BaseException:
            self._break(owner.id)
            raise
        fence = {"key": self._key, "id": owner.id, "epoch": epoch}
        return PostgresLease(self._link, fence, there, row["version"], warn)

    def held(self) -> Held | None:
        """The first time after a read, as it was then."""
        found, self._read = self._seen(), None
        return found.held

    def unlock(self, lock_id: str) -> Owner:
        held = glimpse(self._look()).held
        if held is None:
            raise NotLocked
        refuse_other(held.owner, lock_id)
        self._ask(statements.UNLOCK, id=lock_id)
        return held.owner

    def leave(self, op: str, workflow_id: str) -> str | None:
        try:
            self._ask(statements.LEAVE, op=op, workflow_id=workflow_id)
        except DefendctlError:
            path = recovery.leave(self._aside, op, workflow_id)
            return str(path) if path else None
        return f"defendctl.left_ids of {self.where}"

    def left(self, ops: Collection[str]) -> Mapping[str, str]:
        if not ops:
            return {}
        aside = ((op, recovery.find(self._aside, op)) for op in ops)
        here = {op: workflow_id for op, workflow_id in aside if workflow_id}
        return here | {op: workflow_id for op, workflow_id, _ in self._seen().left if op in ops}

    def strays(self, ops: Collection[str]) -> Sequence[LeftId]:
        left = [each for each in self._seen().left if each[0] not in ops]
        there = [LeftId(op, each, f"{each}, left by {op} at {at}") for op, each, at in left]
        return [*there, *(recovery.strays(self._aside, ops) if self._aside.parent.is_dir() else ())]

    def forget_left(self, op: str) -> None:
        self._ask(statements.FORGET, op=op)
        recovery.forget(self._aside, op)

    def mode(self) -> int:
        return 0o600

    def versions(self) -> Sequence[Version]:
        rows = self._ask(statements.VERSIONS)
        return [self._version(row["serial"], row["writer"], row["at"]) for row in rows]

    def newest(self, lineage: str | None) -> Version | None:
        known = [(n, writer) for of, n, writer in self._seen().newest if lineage in (None, of)]
        return self._version(*max(known)) if known else None

    def _lock(self, owner: Owner) -> int:
        """The epoch of the lock. Raises Locked."""
        while True:
            taken = self._ask(statements.LOCK, id=owner.id, owner=json.dumps(asdict(owner)))
            if taken:
                break
            held = glimpse(self._look()).held
            if held:
                raise locked_by(held.owner)
        try:
            _refuse_asynchronous(taken[0]["current_setting"], self.where)
        except DefendctlError:
            self._break(owner.id)
            raise
        return int(taken[0]["epoch"])

    def _break(self, lock_id: str) -> None:
        with suppress(DefendctlError):
            self._ask(statements.UNLOCK, id=lock_id)

    def _row(self) -> Row:
        (row,) = self._ask(statements.READ, largest=LARGEST)
        self._read = time.monotonic(), glimpse(row)
        return row

    def _stored(self, row: Row) -> Stored:
        try:
            return stored(row, self.where, self.journal)
        except DamagedState as error:
            error.hint = error.hint or self._advice(row["version"])
            raise

    def _advice(self, damaged: int) -> str | None:
        """How to go back to the newest document but this one."""
        rows = self._ask(statements.VERSIONS)
        good = next((row for row in rows if row["id"] != damaged), None)
        push = f"then `{command('state push --restore FILE')}`"
        return f"{self._version(good['serial'], good['writer']).restore}, {push}" if good else None

    def _look(self) -> Row:
        return self._ask(statements.LOOK)[0]

    def _seen(self) -> Glimpse:
        """What was read a moment ago needs no second round trip."""
        if self._read and time.monotonic() - self._read[0] < _FRESH:
            return self._read[1]
        return glimpse(self._look())

    def _ask(self, statement: str, **values: Any) -> list[Row]:
        self._read = None
        return self._link.ask(statement, self.patience, key=self._key, **values)

    def _version(self, serial: int, writer: str, at: str = "") -> Version:
        query = (
            "select encode(document, 'base64') from defendctl.versions "
            f"where key = {_literal(self._key)} and serial = {serial} and writer = {_literal(writer)}"
        )
        shell = f"psql -AtX -c {shell_word(query)} DATABASE | base64 --decode | gunzip"
        return Version(serial, writer, f"restore serial {serial}: `{shell} > FILE`", "in PostgreSQL", at)


def _where(place: Place) -> str:
    """Without the user and the parameters. Raises DefendctlError for what is no URL."""
    try:
        parts = urlsplit(place.target)
    except ValueError:
        raise DefendctlError("`state.url` is not a URL") from None
    return f"postgres://{parts.netloc.rpartition('@')[2]}{parts.path}?key={place.key}"


def _behind(found: Row) -> str | None:
    """What a fail-over may lose."""
    is_waited_for = found["waited_for"] and found["synchronous_commit"] != "local"
    if is_waited_for or not found["replicas"]:
        return None
    return "the server does not wait for its replicas: a fail-over may lose what was acknowledged"


def _literal(text: str) -> str:
    """As standard SQL quotes it."""
    return "'" + text.replace("'", "''") + "'"


def _refuse_asynchronous(synchronous_commit: str, where: str) -> None:
    """Raises DefendctlError where what is acknowledged may be lost with the server."""
    if synchronous_commit == "off":
        raise DefendctlError(
            f"{where}: synchronous_commit is off: a crash of the server may lose what it acknowledged",
            "turn it on for this role: `alter role ROLE set synchronous_commit = on`",
        )
