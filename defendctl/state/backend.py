"""What a place that keeps a state must do, whatever it is made of.

A backend knows nothing of workflows: it keeps a document and the records that extend it, lets one run write
at a time, and tells the truth about what is durable. What a document must be, the store says (`store.py`).
"""

from __future__ import annotations

import errno
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from defendctl.command import command
from defendctl.diagnostics import DefendctlError, Precondition

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from defendctl.state.lines import Leftover
    from defendctl.state.owner import Owner
    from defendctl.state.records import Record


def version_of(document: bytes | None) -> bytes | None:
    return None if document is None else hashlib.sha256(document).digest()


@dataclass(frozen=True, slots=True)
class Stored:
    """What a backend held at one moment."""

    document: bytes | None
    """None where no state is."""
    journal: Leftover | None = None
    """What a run recorded that goes on or was cut short."""

    @property
    def version(self) -> bytes | None:
        """Tells this document from every other, without parsing it."""
        return version_of(self.document)


@dataclass(frozen=True, slots=True)
class Held:
    """A lock that a run took and did not release."""

    owner: Owner
    alive: bool
    """Whether that run is known to go on; otherwise it may be gone."""
    beat: str = ""
    """Changes with every sign of life of the holder. Empty where the place needs none: the kernel knows."""


@dataclass(frozen=True, slots=True)
class Version:
    """A state that was, and can be had again."""

    serial: int
    writer: str
    restore: str
    """How, as an advice: `restore serial 3: …`."""
    place: str
    """Where it is: `in git`."""
    at: str = ""
    """When it was put there, in ISO 8601; empty where nobody knows."""


@dataclass(frozen=True, slots=True)
class LeftId:
    """What a run left that could not record an id any more."""

    op: str
    workflow_id: str | None
    """None where what was left holds none that can be used."""
    told: str
    """For messages: where, and what."""


class Locked(Precondition):
    """Another run has the lock; a waiter may try again."""


class NotLocked(DefendctlError):
    """There is no lock that could be broken."""

    def __init__(self) -> None:
        super().__init__("the state is not locked")


class Unreachable(OSError):
    """The place did not answer, or nobody can say whether it wrote; what is there was looked for in vain."""

    def __init__(self, message: str) -> None:
        super().__init__(errno.EIO, message)

    def __str__(self) -> str:
        return str(self.strerror)


def locked_by(owner: Owner) -> Locked:
    return Locked(
        f"the state is locked by {owner}", f"if that run is gone: {command('state unlock {}', owner.id)}"
    )


def unreleased(lock_id: str, error: Exception) -> str:
    """A warning: nothing else is wrong, but the next run will find the lock."""
    return (
        f"the lock could not be released ({error}): release it with `{command('state unlock {}', lock_id)}`"
    )


def refuse_other(owner: Owner, lock_id: str) -> None:
    """Raises Precondition where the lock that is to be broken is not this owner's."""
    if owner.id != lock_id:
        raise Precondition(f"the lock is {owner.id}, not {lock_id}: it is held by {owner}")


class Lease(Protocol):
    """The right to write, while nobody broke it."""

    @property
    def send_limit(self) -> float:
        """Seconds that may pass between an acknowledged intent and its request: far below the age at which
        another run may say that nothing was created."""

    @property
    def stored(self) -> Stored:
        """As it was when the lock was taken."""

    def append(self, records: Sequence[Record]) -> None:
        """All, in their order, durable when it returns; the first of a journal is its head.

        Raises Precondition where the lock was broken: then nothing counts as written. Raises OSError where
        nobody can say; afterwards nothing is written any more.
        """

    def replace(self, document: bytes) -> None:
        """Compare and swap: put `document` in the place of what was there. Raises Precondition where that is
        not there any more, or OSError; then what is there stays. A place that can drops the journal that is
        part of the document with the same write."""

    def drop_journal(self) -> Sequence[Record]:
        """Forget the records, which are part of the document now.

        Returns what a run whose lock was broken has added in the meantime, where appends are not fenced.
        """

    def beat(self) -> None:
        """A sign of life of a run that records nothing for a while. Raises as `append` does."""

    def release(self) -> None:
        """Only what is still ours; never fails the run."""


class Backend(Protocol):
    @property
    def pulse(self) -> float:
        """Seconds after which a lease that has written nothing should beat; infinity where it need not."""

    @property
    def silence(self) -> float:
        """Seconds without a sign of life that a waiter must have seen itself, on its own clock that never
        goes back, before it may break the lock; infinity where it never may."""

    @property
    def where(self) -> str:
        """For messages; never with credentials."""

    @property
    def journal(self) -> str:
        """What the journal is called, for messages."""

    @property
    def files(self) -> Sequence[Path]:
        """What it keeps on this machine, which no result may replace: the document and the journal."""

    def read(self) -> Stored:
        """Needs no lock and writes nothing. Raises Precondition for what can be no state, and DefendctlError
        where the place cannot be reached: that is never an empty one."""

    def probe(self) -> str | None:
        """Whether the place keeps what this protocol promises; may write what it removes again. Returns what
        it may lose all the same, as a sentence, where that can be seen.

        Raises DefendctlError with what is missing: a right, a table, a bucket, a fence that holds.
        """

    def lock(self, owner: Owner, warn: Callable[[str], None]) -> Lease:
        """Raises Locked, with the holder, where another run has it."""

    def held(self) -> Held | None:
        """Whose lock there is, if anybody's."""

    def unlock(self, lock_id: str) -> Owner:
        """Break the lock of a run that is gone. Raises Precondition if it is another's, NotLocked if it is
        nobody's."""

    def leave(self, op: str, workflow_id: str) -> str | None:
        """Keep an id that cannot be recorded any more; it is fenced by nothing. Where it was put; None:
        nowhere."""

    def left(self, ops: Collection[str]) -> Mapping[str, str]:
        """Operation → the id that its run had to leave, of those named that have any."""

    def strays(self, ops: Collection[str]) -> Sequence[LeftId]:
        """What was left by other operations than these, with one question."""

    def forget_left(self, op: str) -> None:
        """Once what it says is part of the state. Raises DefendctlError where it cannot be removed."""

    def mode(self) -> int:
        """Who may read the document, as a file's mode; copies of it have it too."""

    def versions(self) -> Sequence[Version]:
        """What the place itself keeps of earlier states, the newest first."""

    def newest(self, lineage: str | None) -> Version | None:
        """The newest state of this lineage that the place itself remembers; without one, of any."""
