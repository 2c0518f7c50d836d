"""The state in a register: whoever swaps it holds the lock, the records and the document at once."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from defendctl.command import command
from defendctl.diagnostics import DefendctlError
from defendctl.state.backend import (
    Held,
    LeftId,
    Locked,
    NotLocked,
    Stored,
    Unreachable,
    Version,
    locked_by,
    refuse_other,
)
from defendctl.state.document import DamagedState
from defendctl.state.lines import decode
from defendctl.state.register import left, swaps
from defendctl.state.register.engine import Lost, refuse_size
from defendctl.state.register.lease import RegisterLease
from defendctl.state.register.packing import unpacked
from defendctl.state.register.swaps import drawn, swap
from defendctl.state.register.value import Register, from_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from defendctl.state.owner import Owner
    from defendctl.state.register.engine import Engine
    from defendctl.state.register.value import Kept

Told = TypeVar("Told")
RACES: Final = 20
"""So often may others be faster, at a lock that is free or at one that is to be broken."""


class _Found(NamedTuple):
    register: Register
    version: str | None


class _Gone(Exception):
    """What the register speaks of is not beside it, under this name."""


class RegisterBackend:
    pulse = 30.0
    silence = 120.0
    files: Sequence[Path] = ()
    pauses: Sequence[float] = swaps.PATIENT
    """Seconds between the attempts of a lease."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.where = engine.where
        self.journal = f"the journal in {engine.where}"
        self._seen: Register | None = None

    def read(self) -> Stored:
        """Of one moment, for what the register speaks of never changes; what is gone was replaced."""
        found = self._look()
        for _ in range(RACES):
            try:
                return self._stored(found.register)
            except _Gone as error:
                before, gone, found = found, error, self._look()
            if found.version == before.version:
                raise self._lost(gone)
        raise DefendctlError(f"{self.where} changes faster than it can be read", "try again")

    def probe(self) -> None:
        with self._reached():
            self.engine.probe()

    def lock(self, owner: Owner, warn: Callable[[str], None]) -> RegisterLease:
        """What is there is read first, so that what cannot be read is not locked either."""
        for _ in range(RACES):
            register, expected = self._look()
            if register.owner and register.owner.id != owner.id:
                raise locked_by(register.owner)
            stored = self._replaceable(register)
            taken = drawn(register, epoch=register.epoch + 1, owner=owner)
            with suppress(Lost):
                version = self._take(taken, expected, owner.id)
                return RegisterLease(self.engine, taken, version, stored, self.pauses, warn)
        raise Locked(f"{self.where} changes faster than it can be locked", "try again")

    def held(self) -> Held | None:
        register = self._look().register
        return Held(register.owner, alive=True, beat=register.nonce) if register.owner else None

    def unlock(self, lock_id: str) -> Owner:
        broken: Owner | None = None
        for _ in range(RACES):
            register, version = self._look()
            owner = register.owner
            if owner is None:
                if broken:
                    return broken
                raise NotLocked
            refuse_other(owner, lock_id)
            broken = owner
            with suppress(Lost):
                self._swap(drawn(register, epoch=register.epoch + 1, owner=None), version)
                return owner
        raise Locked(f"{self.where} changes faster than its lock can be broken", "try again")

    def leave(self, op: str, workflow_id: str) -> str | None:
        return left.leave(self.engine, op, workflow_id)

    def left(self, ops: Collection[str]) -> Mapping[str, str]:
        if not ops:
            return {}
        known = self._asked(self.engine.loose)
        found = ((op, left.id_in(known.get(left.name_of(op)))) for op in ops)
        return {op: workflow_id for op, workflow_id in found if workflow_id}

    def strays(self, ops: Collection[str]) -> Sequence[LeftId]:
        mine = {left.name_of(op) for op in ops}
        known = self._asked(self.engine.loose)
        return [left.what_is_left(name, known[name]) for name in sorted(known) if name not in mine]

    def forget_left(self, op: str) -> None:
        self._asked(partial(self.engine.drop, left.name_of(op)))

    def mode(self) -> int:
        return 0o600

    def versions(self) -> Sequence[Version]:
        register = self._look().register
        known = (register.state, *register.kept)
        return [version for version in map(self._version, filter(None, known)) if version]

    def newest(self, lineage: str | None) -> Version | None:
        """Of those before the one that counts, as of the last look: nothing else can go back here."""
        register = self._seen or self._look().register
        fit = [each for each in register.kept if lineage in (None, each.lineage)]
        return max(filter(None, map(self._version, fit)), key=lambda one: one.serial, default=None)

    def _version(self, kept: Kept) -> Version | None:
        if kept.serial is None:
            return None
        unpack = f"{self.engine.advice(kept.name)} | gunzip > state.json"
        restore = f"`{unpack}`, then `{command('state push state.json --restore')}`"
        advice = f"restore serial {kept.serial}: {restore}"
        return Version(kept.serial, kept.writer, advice, f"in {self.where}", kept.at)

    def _advice(self) -> str | None:
        newest = self.newest(None)
        return newest.restore if newest else None

    def _look(self) -> _Found:
        """Raises DefendctlError where the place cannot be reached, DamagedState for what is no register."""
        found = self._asked(self.engine.read)
        register = from_bytes(found[0], self.where) if found else Register()
        self._seen = register
        return _Found(register, found[1] if found else None)

    def _take(self, register: Register, expected: str | None, lock_id: str) -> str:
        """Who is interrupted meanwhile does not know whether the lock is taken, and leaves none behind."""
        try:
            return self._swap(register, expected)
        except KeyboardInterrupt:
            with suppress(DefendctlError):
                self.unlock(lock_id)
            raise

    def _swap(self, register: Register, expected: str | None) -> str:
        with self._reached():
            version = swap(self.engine, register, expected, {}, swaps.SOON)
        self._seen = register
        return version

    def _stored(self, register: Register) -> Stored:
        """Raises DamagedState, _Gone."""
        return Stored(self._document(register), decode(self._lines(register), self.journal))

    def _replaceable(self, register: Register) -> Stored:
        """A document that is damaged or gone can be replaced; a journal that is may hold the only ids."""
        try:
            journal = decode(self._lines(register), self.journal)
        except _Gone as gone:
            raise self._lost(gone) from None
        try:
            return Stored(self._document(register), journal)
        except (DamagedState, _Gone):
            return Stored(b"", journal)

    def _lost(self, gone: _Gone) -> DamagedState:
        error = DamagedState(f"{self.where} refers to {gone}, which does not exist")
        error.hint = self._advice()
        return error

    def _document(self, register: Register) -> bytes | None:
        """Raises DamagedState, with the newest that can be had instead; _Gone."""
        if register.state is None:
            return None
        try:
            return unpacked(self._beside(register.state.name), register.state, self.where)
        except DamagedState as error:
            error.hint = error.hint or self._advice()
            raise

    def _lines(self, register: Register) -> bytes:
        """Raises DamagedState, _Gone."""
        found, size = [], 0
        for name in register.sealed:
            found.append(self._beside(name))
            size += len(found[-1])
            refuse_size(self.journal, size)
        return b"".join([*found, register.records])

    def _beside(self, name: str) -> bytes:
        data = self._asked(partial(self.engine.fetch, name))
        if data is None:
            raise _Gone(name)
        return data

    def _asked(self, ask: Callable[[], Told]) -> Told:
        """What may be asked again is, until somebody answers."""
        with self._reached():
            until = time.monotonic() + sum(swaps.SOON)  # an attempt may itself wait long for an answer
            for wait in swaps.SOON:
                try:
                    return ask()
                except Unreachable:
                    if time.monotonic() > until:
                        raise
                    swaps.pause(wait)
            return ask()

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """No answer is never an absence."""
        try:
            yield
        except Unreachable as error:
            raise DefendctlError(f"{self.where} cannot be reached: {error}") from error
