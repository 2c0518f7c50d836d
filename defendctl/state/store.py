"""What a state must be to be gone on from, wherever it is kept: read, checked, and written by one run."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from defendctl.command import beginning, command
from defendctl.diagnostics import Precondition
from defendctl.model import State
from defendctl.state.document import DamagedState, NewerState, from_text, is_older_format, refuse_unsound
from defendctl.state.history import Rollback, rolled_back, where_from
from defendctl.state.lines import what_it_holds
from defendctl.state.owner import this_run
from defendctl.state.place import key_of
from defendctl.state.records import take
from defendctl.state.session import Session, Snapshot
from defendctl.state.waiting import take_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from defendctl.state.backend import Backend, Lease, LeftId, Stored
    from defendctl.state.copies import Copies, Copy
    from defendctl.state.lines import Leftover


_UNKNOWN: Final = "restore it from version control or from where CI keeps it"


class WentElsewhere(Precondition):
    """The state goes on elsewhere."""

    def __init__(self, where: str, serial: int, moved_to: str) -> None:
        super().__init__(
            f"{where}: the state moved to {moved_to} at serial {serial}",
            f"say so in the project file: `state: {{{key_of(moved_to)}: {moved_to}}}`, as the branch that "
            "moved it has it",
        )
        self.moved_to = moved_to


class Store:
    """Reads need no lock and write nothing; every write goes through `session`."""

    def __init__(
        self,
        backend: Backend,
        copies: Copies,
        lineage: str | None,
        environment: str | None = None,
        patience: float = 0,
    ) -> None:
        """`patience` is how many seconds a run waits for the lock of another."""
        self.backend = backend
        self.copies = copies
        self.lineage = lineage
        self.environment = environment
        self.patience = patience

    @property
    def where(self) -> str:
        return self.backend.where

    def exists(self) -> bool:
        """Whether anything is there; it may be no state."""
        return self.backend.read().document is not None

    def read(self) -> Snapshot:
        """Raises Precondition: missing where a lineage is pinned, damaged, newer, of another lineage."""
        with self._advised():
            stored = self.backend.read()
        snapshot = self.understand(stored)
        if stored.document is not None and self.is_elsewhere:
            self._keep_copy(snapshot.bare, stored.document)
        return snapshot

    @property
    def is_elsewhere(self) -> bool:
        """Whether no file of this machine holds it: then copies remember what was read, too."""
        return not self.backend.files

    def rollback(self, snapshot: Snapshot) -> Rollback | None:
        """Why this state is not the newest one that is known here; None if it is.

        A state that is replaced while it is looked at went on, and not back.
        """
        state = snapshot.bare
        if not state.lineage:
            return None
        kept = self.backend.newest(state.lineage)
        found = rolled_back(state, self.copies.newest(state.lineage, state), kept)
        return found if found and self.backend.read().version == snapshot.version else None

    def remembers(self) -> bool:
        """Whether copies here, or the place itself, know a state of this place."""
        return bool(self.newest_copy() or self.backend.newest(self.lineage))

    def strays(self, ops: Collection[str]) -> Sequence[LeftId]:
        """What was left by other operations than these: in the place, and here where that took it no more."""
        return [*self.backend.strays(ops), *(self.copies.strays(ops) if self.is_elsewhere else ())]

    def lock(self, warn: Callable[[str], None]) -> Lease:
        """Raises Locked once this run has waited long enough."""
        with self._advised():
            return take_lock(self.backend, this_run(), warn, self.patience)

    @contextmanager
    def session(self, warn: Callable[[str], None]) -> Iterator[Session]:
        """The lock, the state under it, and the right to write. Folds the journal at the end.

        Raises Precondition where another run holds the lock, and for a state that cannot be gone on from;
        then nothing is written at all.
        """
        lease = self.lock(warn)
        try:
            snapshot = self.understand(lease.stored)
            found = self.rollback(snapshot)
            if found:
                raise Precondition(found.message, found.hint)
            self.copies.sweep()
            spare = self.copies if self.is_elsewhere else None
            session = Session(lease, self.backend, snapshot, self.environment, self._keep_copy, spare)
            try:
                session.fold_leftover(snapshot)
                yield session
            finally:
                session.close()
        finally:
            lease.release()

    @contextmanager
    def _advised(self) -> Iterator[None]:
        """Of a place that holds something that cannot even be locked only a copy here can tell."""
        try:
            yield
        except DamagedState as error:
            if self.is_elsewhere and not error.hint:
                restored = where_from(self.newest_copy(), None, pinned=bool(self.lineage)) or _UNKNOWN
                error.hint = f"move it away, for it may hold ids that nothing else knows; then {restored}"
            raise

    def _keep_copy(self, state: State, document: bytes) -> None:
        """Not of a state that goes on elsewhere: nobody goes on from it."""
        if state.moved_to:
            return
        with suppress(OSError):
            self.copies.keep(state, document, self.backend.mode())

    def understand(self, stored: Stored) -> Snapshot:
        bare = self._parsed(stored.document)
        if bare and bare.moved_to:
            raise WentElsewhere(self.where, bare.serial, bare.moved_to)
        snapshot = self._snapshot(bare, stored.journal)
        self._recall(snapshot.state)
        self.first_seen(snapshot.state)
        is_old = stored.document is not None and is_older_format(stored.document)
        return replace(snapshot, is_old=is_old, version=stored.version)

    def first_seen(self, state: State) -> Mapping[str, datetime]:
        """Operation of each unknown create → when this machine first read of it; of a file, nothing."""
        return self.copies.first_seen([i.op for i in state.unresolved.values()]) if self.is_elsewhere else {}

    def _recall(self, state: State) -> None:
        """What a run knew of its creates and could not record."""
        known = state.known_ids()
        ops = {intent.op for intent in state.unresolved.values()}
        left = {**(self.copies.left(ops) if self.is_elsewhere else {}), **self.backend.left(ops)}
        for address, intent in state.unresolved.items():
            answered = left.get(intent.op)
            if answered and answered not in known:
                state.unresolved[address] = replace(intent, answered=answered)

    def _parsed(self, data: bytes | None) -> State | None:
        if data is None:
            return None
        try:
            return from_text(data.decode())
        except UnicodeDecodeError as error:
            raise self._with_backup(DamagedState(f"{self.where} cannot be read: it is not UTF-8")) from error
        except NewerState as error:
            raise NewerState(f"{self.where}: {error.message}") from error
        except DamagedState as error:
            raise self._with_backup(DamagedState(f"{self.where}: {error.message}")) from error

    def _snapshot(self, bare: State | None, leftover: Leftover | None) -> Snapshot:
        if bare is None:
            self._may_be_missing(leftover)
            return Snapshot(State(), State(), exists=False)
        if self.lineage and bare.lineage != self.lineage:
            raise Precondition(
                f"{self.where} has lineage {bare.lineage}, but the project file says {self.lineage}: "
                "it is another project's state"
            )
        self._refuse_other_environment(bare)
        if leftover is None or leftover.id == bare.folded:
            return Snapshot(bare, bare, exists=True)
        if not leftover.extends(bare):
            raise _foreign_journal(self.backend.journal, leftover, bare)
        try:
            folded = _folded(bare, leftover)
        except (KeyError, TypeError, AttributeError, DamagedState) as error:
            message = f"{self.backend.journal} does not fit the state beside it"
            raise self._with_backup(DamagedState(message)) from error
        return Snapshot(folded, bare, exists=True, leftover=leftover)

    def _refuse_other_environment(self, bare: State) -> None:
        """A state of before there were environments becomes that of the one that takes it up."""
        if bare.environment in (None, self.environment):
            return
        here = f"this run is for {self.environment}" if self.environment else "this project has none"
        raise Precondition(
            f"{self.where} belongs to the environment {bare.environment}, but {here}",
            "look at `state.path` of the environments in the project file",
        )

    def _may_be_missing(self, leftover: Leftover | None) -> None:
        if not (self.lineage or leftover):
            return
        found = f"the project file pins lineage {self.lineage}" if self.lineage else "a journal of it"
        hint = self.advice()
        if leftover is None and hint == _UNKNOWN:
            hint += (
                "; if a new one is to begin, at another place than before: take the `lineage` of the old one "
                f"out of the project file, then `{beginning(self.environment)}`"
            )
        raise Precondition(f"there is no state at {self.where}, but {found}", hint)

    def _with_backup(self, error: Precondition) -> Precondition:
        error.hint = self.advice()
        return error

    def advice(self) -> str:
        """From where a state can be restored that is missing or damaged: the newest of what is known here."""
        copy = self.newest_copy()
        lineage = self.lineage or (copy.state.lineage if copy else None)
        return where_from(copy, self.backend.newest(lineage), pinned=bool(self.lineage)) or _UNKNOWN

    def newest_copy(self) -> Copy | None:
        """Of the state whose lineage is pinned, else of what was here last."""
        return self.copies.newest(self.lineage) if self.lineage else self.copies.last()


def _folded(bare: State, leftover: Leftover) -> State:
    """Every step puts new values into the dicts, so that copies of these are enough."""
    state = bare.copy()
    for record in leftover.records:
        take(state, record)
    refuse_unsound(state, bare)
    return state


def _foreign_journal(journal: str, leftover: Leftover, bare: State) -> Precondition:
    holds = what_it_holds(leftover.records)
    return Precondition(
        f"{journal} extends serial {leftover.serial} of the state, which has serial {bare.serial}{holds}",
        "restore the state that belongs to it, or move the journal away and bind what it holds "
        f"with `{command('import ADDRESS WORKFLOW_ID')}` "
        f"or `{command('state resolve ADDRESS --id WORKFLOW_ID')}`",
    )
