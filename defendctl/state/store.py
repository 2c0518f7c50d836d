"""The state in a local file, its journal beside it, its lock and copies under `.defendctl/`."""

from __future__ import annotations

import errno
import glob
import os
import stat
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from defendctl.diagnostics import DefendctlError, Precondition
from defendctl.durable import draft, make_folder, sweep, sync_folder
from defendctl.model import State
from defendctl.state import backups, recovery
from defendctl.state.document import LARGEST, DamagedState, NewerState, from_text, to_text
from defendctl.state.journal import Leftover, Stamp, decode, stamp
from defendctl.state.lock import lock
from defendctl.state.records import take
from defendctl.state.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from defendctl.state.records import Record


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is on disk, the journal included. `bare` is the state file alone."""

    state: State
    bare: State
    exists: bool
    leftover: Leftover | None = None


class LocalStore:
    """Reads need no lock and write nothing; every write goes through `session`."""

    def __init__(
        self,
        path: Path,
        folder: Path,
        lineage: str | None,
        environment: str | None = None,
        root: Path | None = None,
    ) -> None:
        """`folder` is for locks and copies, below `root`; by default right in it."""
        self.path = _followed(path)
        self.journal_path = self.path.with_name(self.path.name + ".journal")
        self.lock_path = folder / f"{self.path.name}.lock"
        self.environment = environment
        self._root = root or folder.parent
        self._backups = folder / "backups"
        self._lineage = lineage

    def read(self) -> Snapshot:
        """Raises Precondition: missing where a lineage is pinned, damaged, newer, of another lineage."""
        try:
            for _ in range(5):
                before = _identity(self.path)
                leftover = self._leftover()
                bare = self._state_file()
                if _identity(self.path) == before:
                    break
        except OSError as error:
            raise DefendctlError(f"cannot read {error.filename}: {error.strerror}") from error
        snapshot = self._snapshot(bare, leftover)
        _recall(self.path, snapshot.state)
        return snapshot

    def older_than_seen(self, state: State) -> str | None:
        """Why this state is not the newest one that this machine has seen; None if it is."""
        found = backups.newest(self._backups, state.lineage) if state.lineage else None
        if found is None:
            return None
        copy, seen = found
        if seen.serial < state.serial or (seen.serial, seen.writer) == (state.serial, state.writer):
            return None
        return (
            f"the state has serial {state.serial}, but serial {seen.serial} of it was written here: "
            f"it was rolled back. Restore it from {copy}, or, if the rollback is meant, "
            "remove the copies there that are newer than it"
        )

    @contextmanager
    def session(self, warn: Callable[[str], None]) -> Iterator[Session]:
        """The lock, the state under it, and the right to write. Folds the journal at the end."""
        with lock(self.lock_path, warn):
            snapshot = self.read()
            session = Session(self, snapshot)
            try:
                session.fold_leftover(snapshot)
                yield session
            finally:
                session.close()

    def replace(self, state: State, expected: Stamp | None) -> None:
        """Compare and swap: write `state` if the file still bears the stamp `expected` (None: no file)."""
        self._check(expected)
        if expected is None:
            make_folder(self.path.parent, self._root)
        with draft({self.path: to_text(state).encode()}) as (new,):
            self._check(expected)
            new.put()
        backups.keep(self._backups, state, self.path)

    def clean(self) -> None:
        """Remove what writes that were cut short left behind, those of older versions too."""
        for folder in (self.path.parent, self._backups):
            sweep(folder)
        for left in self.path.parent.glob(f"{glob.escape(self.path.name)}.*.tmp"):
            left.unlink(missing_ok=True)

    def _check(self, expected: Stamp | None) -> None:
        current = self._state_file()
        if (stamp(current) if current else None) != expected:
            raise Precondition("the state was changed by another run: the lock was broken")

    def drop_journal(self) -> None:
        self.journal_path.unlink(missing_ok=True)
        sync_folder(self.journal_path.parent)

    def _state_file(self) -> State | None:
        data = self._bytes(self.path)
        if data is None:
            return None
        try:
            return from_text(data.decode())
        except UnicodeDecodeError as error:
            raise self._with_backup(DamagedState(f"{self.path} cannot be read: it is not UTF-8")) from error
        except NewerState as error:
            raise NewerState(f"{self.path}: {error.message}") from error
        except DamagedState as error:
            raise self._with_backup(DamagedState(f"{self.path}: {error.message}")) from error

    def _leftover(self) -> Leftover | None:
        data = self._bytes(self.journal_path)
        return decode(data, str(self.journal_path)) if data else None

    def _bytes(self, path: Path) -> bytes | None:
        try:
            there = path.stat()
            is_file = stat.S_ISREG(there.st_mode)
            if not (is_file or stat.S_ISDIR(there.st_mode)):
                raise Precondition(f"{path} is not a file: a device or a pipe stands there")
            if is_file and there.st_size > LARGEST:
                raise DamagedState(f"{path} is larger than {LARGEST >> 20} MiB: that is no state")
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno in (errno.EISDIR, errno.ENOTDIR, errno.ELOOP):
                raise Precondition(f"{path} is not a file: {error.strerror}") from error
            raise OSError(error.errno, error.strerror, str(path)) from error

    def _snapshot(self, bare: State | None, leftover: Leftover | None) -> Snapshot:
        if bare is None:
            self._may_be_missing(leftover)
            return Snapshot(State(), State(), exists=False)
        if self._lineage and bare.lineage != self._lineage:
            raise Precondition(
                f"{self.path} has lineage {bare.lineage}, but the project file says {self._lineage}: "
                "it is another project's state"
            )
        self._refuse_other_environment(bare)
        if leftover is None or leftover.id == bare.folded:
            return Snapshot(bare, bare, exists=True)
        if not leftover.extends(bare):
            raise _foreign_journal(self.journal_path, leftover, bare)
        try:
            folded = _folded(bare, leftover)
        except (KeyError, TypeError, AttributeError, DamagedState) as error:
            message = f"{self.journal_path} does not fit the state beside it"
            raise self._with_backup(DamagedState(message)) from error
        return Snapshot(folded, bare, exists=True, leftover=leftover)

    def _refuse_other_environment(self, bare: State) -> None:
        """A state of before there were environments becomes that of the one that takes it up."""
        if bare.environment in (None, self.environment):
            return
        here = f"this run is for {self.environment}" if self.environment else "this project has none"
        raise Precondition(
            f"{self.path} belongs to the environment {bare.environment}, but {here}",
            "look at `state.path` of the environments in the project file",
        )

    def _may_be_missing(self, leftover: Leftover | None) -> None:
        if not (self._lineage or leftover):
            return
        found = f"the project file pins lineage {self._lineage}" if self._lineage else "a journal of it"
        raise self._with_backup(Precondition(f"there is no state at {self.path}, but {found}"))

    def _with_backup(self, error: Precondition) -> Precondition:
        found = backups.newest(self._backups, self._lineage)
        error.hint = (
            f"the newest good copy here is {found[0]} (serial {found[1].serial})"
            if found
            else "restore it from version control or from where CI keeps it"
        )
        return error


def _followed(path: Path) -> Path:
    """Where a link leads; unlike Path's own methods this raises for no loop and no name."""
    return Path(os.path.realpath(path)) if os.path.islink(path) else path  # noqa: PTH114


def _identity(path: Path) -> tuple[int, int, int] | None:
    try:
        there = path.stat()
    except OSError:
        return None
    return there.st_ino, there.st_mtime_ns, there.st_size


def _recall(path: Path, state: State) -> None:
    """What a run knew of its creates and could not record."""
    known = state.known_ids()
    for address, intent in state.unresolved.items():
        answered = recovery.find(path, intent.op)
        if answered and answered not in known:
            state.unresolved[address] = replace(intent, answered=answered)


def _folded(bare: State, leftover: Leftover) -> State:
    state = from_text(to_text(bare))
    for record in leftover.records:
        take(state, record)
    return from_text(to_text(state))


def _bound_id(record: Record) -> object:
    binding = record.get("binding")
    return binding.get("workflow_id") if isinstance(binding, dict) else record.get("workflow_id")


def _foreign_journal(path: Path, leftover: Leftover, bare: State) -> Precondition:
    ids = [
        f"{record.get('address')} → {workflow_id}"
        for record in leftover.records
        if (workflow_id := _bound_id(record))
    ]
    holds = f"; it binds {', '.join(ids)}" if ids else ""
    return Precondition(
        f"{path} extends serial {leftover.serial} of the state, which has serial {bare.serial}{holds}",
        "restore the state that belongs to it, or move the journal away and bind what it holds "
        "with `defendctl import` or `defendctl state resolve`",
    )
