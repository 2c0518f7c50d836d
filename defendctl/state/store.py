"""The state in a local file, its journal beside it, its lock and copies under `.defendctl/`.

The lock lies in the `.defendctl/` of the folder where the state really is; copies lie in that of the project.
"""

from __future__ import annotations

import errno
import glob
import os
import stat
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from defendctl.command import command
from defendctl.diagnostics import DefendctlError, Precondition
from defendctl.durable import draft, make_folder, sweep, sync_folder
from defendctl.model import State
from defendctl.state import backups, recovery
from defendctl.state.document import LARGEST, DamagedState, NewerState, from_text, is_older_format, to_text
from defendctl.state.history import Rollback, newest_in_git, rolled_back, where_from
from defendctl.state.journal import Leftover, Stamp, decode, stamp, what_it_holds
from defendctl.state.lock import Owner, holder, lock
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
    is_old: bool = False
    """Whether the file has an older format."""
    debris: bool = False
    """Whether a journal is there in which there is nothing to fold."""


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
        """`folder` is for copies, below `root`; by default right in it."""
        self.path = _followed(path)
        self.journal_path = self.path.with_name(self.path.name + ".journal")
        self.environment = environment
        self.lineage = lineage
        self._root = root or folder.parent
        self._folder = folder
        self._backups = folder / "backups"

    @property
    def lock_paths(self) -> tuple[Path, ...]:
        """The lock of the state, and the one by which older versions go, if that is another."""
        name = f"{self.path.name}.lock"
        real = Path(os.path.realpath(self.path)).parent / ".defendctl" / name
        old = self._folder / name
        return (real,) if os.path.realpath(old) == os.path.realpath(real) else (real, old)

    @property
    def _place(self) -> str:
        below = os.path.relpath(os.path.realpath(self.path), os.path.realpath(self._root))
        return backups.place_of(below)

    def read(self) -> Snapshot:
        """Raises Precondition: missing where a lineage is pinned, damaged, newer, of another lineage."""
        try:
            for _ in range(5):
                before = _identity(self.path)
                journal = self._bytes(self.journal_path)
                data = self._bytes(self.path)
                if _identity(self.path) == before:
                    break
        except OSError as error:
            raise DefendctlError(f"cannot read {error.filename}: {error.strerror}") from error
        leftover = decode(journal, str(self.journal_path)) if journal else None
        snapshot = self._snapshot(self._parsed(data), leftover)
        _recall(self.path, snapshot.state)
        return replace(
            snapshot,
            is_old=data is not None and is_older_format(data),
            debris=journal is not None and snapshot.leftover is None,
        )

    def rollback(self, state: State) -> Rollback | None:
        """Why this state is not the newest one that is known here; None if it is.

        A state that is replaced while it is looked at went on, and not back.
        """
        if not state.lineage:
            return None
        copy = backups.newest(self._backups, self._place, state.lineage)
        found = rolled_back(state, copy, newest_in_git(self.path, state.lineage), self.path)
        return found if found and stamp(state) == self._stamp() else None

    def running(self) -> Owner | None:
        """Whose run is under way."""
        return holder(self.lock_paths)

    def remembers(self) -> bool:
        """Whether copies here, or git, know a state of this place."""
        return bool(self.newest_copy() or newest_in_git(self.path, self.lineage))

    @contextmanager
    def session(self, warn: Callable[[str], None]) -> Iterator[Session]:
        """The lock, the state under it, and the right to write. Folds the journal at the end.

        Raises Precondition where another run holds the lock, and for a state that cannot be gone on from;
        then nothing is written at all.
        """
        with _as_precondition(self.journal_path):
            _is_there(self.journal_path)  # before a lock is put where no state can be
        with lock(self.lock_paths, warn):
            snapshot = self.read()
            found = self.rollback(snapshot.bare)
            if found:
                raise Precondition(found.message, found.hint)
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
        backups.keep(self._backups, self._place, state, self.path)

    def clean(self) -> None:
        """Remove what writes that were cut short left behind, those of older versions too.

        Beside the project file as well, where a run that was killed may have been about to pin the lineage.
        """
        for folder in {self._root, self.path.parent, self._backups, self._backups / self._place}:
            sweep(folder)
        for left in self.path.parent.glob(f"{glob.escape(self.path.name)}.*.tmp"):
            left.unlink(missing_ok=True)

    def _check(self, expected: Stamp | None) -> None:
        if self._stamp() != expected:
            raise Precondition("the state was changed by another run: the lock was broken")

    def _stamp(self) -> Stamp | None:
        current = self._state_file()
        return stamp(current) if current else None

    def drop_journal(self) -> None:
        self.journal_path.unlink(missing_ok=True)
        sync_folder(self.journal_path.parent)

    def take_journal(self, snapshot: Snapshot) -> list[Record]:
        """Remove the journal that was read, and return what a run added meanwhile whose lock was broken.

        It is read again once it has lost its name: what is added to it later, its run takes for refused.
        """
        if not (snapshot.leftover or snapshot.debris):
            return []
        with self.journal_path.open("rb") as file:
            self.drop_journal()
            leftover = decode(file.read(), str(self.journal_path))
        if leftover is None or leftover.id == snapshot.bare.folded:
            return []
        known = snapshot.leftover.records if snapshot.leftover else ()
        return list(leftover.records[len(known) :])

    def _state_file(self) -> State | None:
        return self._parsed(self._bytes(self.path))

    def _parsed(self, data: bytes | None) -> State | None:
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

    def _bytes(self, path: Path) -> bytes | None:
        with _as_precondition(path), suppress(FileNotFoundError):
            return path.read_bytes() if _is_there(path) else None
        return None

    def _snapshot(self, bare: State | None, leftover: Leftover | None) -> Snapshot:
        if bare is None:
            self._may_be_missing(leftover)
            return Snapshot(State(), State(), exists=False)
        if self.lineage and bare.lineage != self.lineage:
            raise Precondition(
                f"{self.path} has lineage {bare.lineage}, but the project file says {self.lineage}: "
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
        if not (self.lineage or leftover):
            return
        found = f"the project file pins lineage {self.lineage}" if self.lineage else "a journal of it"
        raise self._with_backup(Precondition(f"there is no state at {self.path}, but {found}"))

    def _with_backup(self, error: Precondition) -> Precondition:
        error.hint = self.advice()
        return error

    def advice(self) -> str:
        """From where a state can be restored that is missing or damaged: the newest of what is known here."""
        copy = self.newest_copy()
        lineage = self.lineage or (copy.state.lineage if copy else None)
        return where_from(copy, newest_in_git(self.path, lineage), self.path) or (
            "restore it from version control or from where CI keeps it"
        )

    def newest_copy(self) -> backups.Copy | None:
        """Of the state whose lineage is pinned, else of what was here last."""
        if self.lineage:
            return backups.newest(self._backups, self._place, self.lineage)
        return backups.last(self._backups, self._place)


def _followed(path: Path) -> Path:
    """Where a link leads; unlike Path's own methods this raises for no loop and no name."""
    return Path(os.path.realpath(path)) if os.path.islink(path) else path  # noqa: PTH114


def _is_there(path: Path) -> bool:
    """Whether a file is there. Raises Precondition for what is none of ours."""
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    is_file = stat.S_ISREG(there.st_mode)
    if not (is_file or stat.S_ISDIR(there.st_mode)):
        raise Precondition(f"{path} is not a file: a device or a pipe stands there")
    if is_file and there.st_size > LARGEST:
        raise DamagedState(f"{path} is larger than {LARGEST >> 20} MiB: that is no state")
    return True


@contextmanager
def _as_precondition(path: Path) -> Iterator[None]:
    """A path that leads to no file cannot be gone on from; any other error names the path."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.EISDIR, errno.ENOTDIR, errno.ELOOP):
            raise Precondition(f"{path} is not a file: {error.strerror}") from error
        raise OSError(error.errno, error.strerror, str(path)) from error


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


def _foreign_journal(path: Path, leftover: Leftover, bare: State) -> Precondition:
    holds = what_it_holds(leftover.records)
    return Precondition(
        f"{path} extends serial {leftover.serial} of the state, which has serial {bare.serial}{holds}",
        "restore the state that belongs to it, or move the journal away and bind what it holds "
        f"with `{command('import ADDRESS WORKFLOW_ID')}` "
        f"or `{command('state resolve ADDRESS --id WORKFLOW_ID')}`",
    )
