"""The right to write: the state in memory and on disk, stepping together."""

from __future__ import annotations

import os
import threading
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from defendctl.diagnostics import DefendctlError, Precondition
from defendctl.state.document import to_text
from defendctl.state.group import GroupCommit
from defendctl.state.lines import head, stamp
from defendctl.state.records import at_revision, signed, take
from defendctl.state.spent import drop_oldest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from defendctl.model import Binding, Revision, State
    from defendctl.state.backend import Backend, Lease
    from defendctl.state.copies import Copies
    from defendctl.state.group import Pending
    from defendctl.state.lines import Leftover
    from defendctl.state.records import Record


ANCESTORS: Final = 50
"""Writers of earlier states that a state names: a copy of one of these is known to be what it came from."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is stored, the journal included. `bare` is the document alone."""

    state: State
    bare: State
    exists: bool
    leftover: Leftover | None = None
    is_old: bool = False
    """Whether the document has an older format."""
    version: bytes | None = None
    """Of the document, as the backend tells it."""


class Session:
    """The state in memory and on disk, stepping together. Safe to use from several threads."""

    def __init__(
        self,
        lease: Lease,
        backend: Backend,
        snapshot: Snapshot,
        environment: str | None,
        keep: Callable[[State, bytes], None],
        spare: Copies | None = None,
    ) -> None:
        """`keep` is given each state that was written, and what was written of it. `spare` takes ids that the
        place takes no more."""
        self.state = snapshot.state
        self._lease = lease
        self._backend = backend
        self._environment = environment
        self._keep = keep
        self._spare = spare
        self._base = stamp(snapshot.bare) if snapshot.exists else None
        self._journal: str | None = None
        self._ids = set(snapshot.state.known_ids())
        self._dirty = False
        self._stranger = snapshot.state.environment != environment or snapshot.is_old
        """Whether the file does not name our API host or environment yet, or has an older format, which an
        older defendctl would fold the journal into: neither must wait for the fold."""
        self.run: str | None = None
        """What signs the records: which run this is."""
        self.revision: Revision | None = None
        """The commit from which this run applies; the first record bears it."""
        self.has_recorded = False
        self._claiming = threading.Lock()
        self._closed = False
        self._group = GroupCommit(self._append, lease.beat, backend.pulse)
        self._pen = self._group.pen
        """The state in memory changes under it, and so in the order of what is written."""

    @property
    def exists(self) -> bool:
        return self._base is not None

    def fold_leftover(self, snapshot: Snapshot) -> None:
        """What a run left that is gone becomes part of the state, to the last record."""
        if snapshot.leftover:
            self._write(snapshot.leftover.id)
        late = self._lease.drop_journal()
        for record in late:
            take(self.state, record)
        if late:
            self._write(None)

    @property
    def send_limit(self) -> float:
        """Seconds that may pass between an intent and its request."""
        return self._lease.send_limit

    def begin(self) -> None:
        """Make the empty state, so that its lineage is durable before anything else is."""
        with self._pen:
            self._write(None)

    def record(self, record: Record) -> float:
        """Durable when it returns; gives when its write began, by `boottime`.

        Raises OSError or Precondition; then it did not happen, and nothing is recorded any more.
        """
        return self.record_soon(record).wait()

    def record_soon(self, record: Record) -> Pending:
        """The same, for whoever has something else to do before it must be durable. Records are written, and
        change the state in memory, in the order of these calls."""
        return self._group.soon(self._signed(record))

    def claim(self, workflow_id: str) -> bool:
        """Take a new id for this run; False if it is bound, remembered or taken already."""
        with self._claiming:
            free = workflow_id not in self._ids
            self._ids.add(workflow_id)
            return free

    def note(self, *noted: Record) -> None:
        """Made durable by the next fold only: for what can be read again."""
        with self._pen:
            for record in noted:
                take(self.state, self._signed(record))
                self._dirty = True

    def signed(self, binding: Binding, by: str) -> Binding:
        """With all that is known of it recorded now."""
        return binding.signed(binding.applied, _now(), by)

    def leave(self, op: str, workflow_id: str) -> str | None:
        """Where an id was put that cannot be recorded; the next run finds it there. None: nowhere."""
        there = self._backend.leave(op, workflow_id)
        return there or (self._spare.leave(op, workflow_id) if self._spare else None)

    def settled(self, op: str) -> None:
        """Nobody need look for the id of this create any more: what is recorded says it. It may stay."""
        with suppress(OSError, DefendctlError):
            self.forget(op)

    def forget(self, op: str) -> None:
        """Raises DefendctlError where the id that was left cannot be removed."""
        self._backend.forget_left(op)
        if self._spare:
            self._spare.forget_left(op)

    def edit(self, change: Callable[[State], object]) -> None:
        """One change in one write, for the commands that repair."""
        with self._pen:
            change(self.state)
            self._write(None)

    def adopt_identity(self, host: str, generation: str | None) -> None:
        """Remember whom this state speaks of; written with whatever is written."""
        self._stranger = self._stranger or self.state.api_host != host
        self.state.api_host = host
        self.state.generation = generation

    def close(self) -> None:
        """Fold what was recorded into the state. Nothing recorded: the file stays byte for byte."""
        self._group.end()
        with self._pen:
            if self._closed:
                return
            try:
                self._group.write()  # what nobody waited for
            finally:
                self._closed = True
            if self._dirty:
                self._write(self._journal)
            if self._journal:
                self._lease.drop_journal()

    def _signed(self, record: Record) -> Record:
        return signed(record, _now(), self.run) if self.run else record

    def _append(self, records: Sequence[Record]) -> None:
        """Whoever calls it has the pen."""
        if self._closed:
            raise Precondition("the run has ended")
        if self._journal is None:
            self._begin_journal()
        if self.revision and not self.has_recorded:
            first, *rest = records
            records = [at_revision(first, self.revision), *rest]
        self._lease.append(records)
        self.has_recorded = self._dirty = True
        for record in records:
            take(self.state, record)

    def _begin_journal(self) -> None:
        if self._base is None or self._stranger:
            self._write(None)
        assert self._base is not None
        self._journal = uuid.uuid4().hex
        self._lease.append([head(self._journal, self._base)])

    def _write(self, journal: str | None) -> None:
        """Raises OSError or Precondition; the file then is as it was."""
        state = self.state
        state.environment = self._environment
        state.lineage = state.lineage or str(uuid.uuid4())
        drop_oldest(state)
        if state.writer:
            state.ancestors = (state.writer, *state.ancestors)[:ANCESTORS]
        state.serial += 1
        state.writer = os.urandom(8).hex()
        state.folded = journal or state.folded
        document = to_text(state).encode()
        self._lease.replace(document)
        self._keep(state, document)
        self._base = stamp(state)
        self._dirty = self._stranger = False


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
