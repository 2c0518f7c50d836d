"""The state in a local file, its journal beside it, and its lock in the folder where it really is."""

from __future__ import annotations

import errno
import glob
import math
import os
import stat
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from defendctl.diagnostics import DefendctlError, Precondition
from defendctl.durable import FOLDER, draft, make_folder, sweep, sync_folder
from defendctl.state.backend import Held, Stored, version_of
from defendctl.state.document import LARGEST, DamagedState
from defendctl.state.lines import decode
from defendctl.state.local import git_versions, recovery
from defendctl.state.local.journal import Journal
from defendctl.state.local.lock import holder, lock, read_owner, unlock

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from defendctl.state.backend import LeftId, Version
    from defendctl.state.owner import Owner
    from defendctl.state.records import Record


class LocalBackend:
    """`folder` is where older versions look for the lock; a folder that is missing is made below `top`."""

    pulse = silence = math.inf  # the kernel releases the lock of a run that is gone

    def __init__(self, path: Path, folder: Path, top: Path) -> None:
        self.path = _followed(path)
        self.journal_path = self.path.with_name(self.path.name + ".journal")
        self.where = str(self.path)
        self.journal = str(self.journal_path)
        self.files = (self.path, self.journal_path)
        self.top = top
        self._folder = folder

    @property
    def lock_paths(self) -> tuple[Path, ...]:
        """The lock of the state, and the one by which older versions go, if that is another."""
        name = f"{self.path.name}.lock"
        real = Path(os.path.realpath(self.path)).parent / FOLDER / name
        old = self._folder / name
        return (real,) if os.path.realpath(old) == os.path.realpath(real) else (real, old)

    def read(self) -> Stored:
        """Both files of one moment, as far as they hold still."""
        try:
            for _ in range(5):
                before = _identity(self.path)
                journal = read_bytes(self.journal_path)
                document = read_bytes(self.path)
                if _identity(self.path) == before:
                    break
        except OSError as error:
            raise DefendctlError(f"cannot read {error.filename}: {error.strerror}") from error
        return Stored(document, decode(journal, self.journal) if journal else None)

    def probe(self) -> None:
        """A file system shows at the lock whether it has locks."""

    def lock(self, owner: Owner, warn: Callable[[str], None]) -> LocalLease:
        with _as_precondition(self.journal_path):
            _is_there(self.journal_path)  # before a lock is put where no state can be
        with ExitStack() as stack:
            stack.enter_context(lock(self.lock_paths, owner, warn))
            has_journal = self.journal_path.exists()
            stored = self.read()
            if has_journal and stored.journal is None and self.journal_path.stat().st_size:
                warn(f"{self.journal} holds nothing readable: a run was cut short while starting it")
            return LocalLease(self, stored, has_journal, stack.pop_all())

    def held(self) -> Held | None:
        """The kernel knows who goes on; the record alone may be a dead run's."""
        owner = holder(self.lock_paths)
        if owner:
            return Held(owner, alive=True)
        left = next(filter(None, map(read_owner, self.lock_paths)), None)
        return Held(left, alive=False) if left else None

    def unlock(self, lock_id: str) -> Owner:
        return unlock(self.lock_paths, lock_id)

    def leave(self, op: str, workflow_id: str) -> str | None:
        path = recovery.leave(self.path, op, workflow_id)
        return str(path) if path else None

    def left(self, ops: Collection[str]) -> Mapping[str, str]:
        found = ((op, recovery.find(self.path, op)) for op in ops)
        return {op: workflow_id for op, workflow_id in found if workflow_id}

    def strays(self, ops: Collection[str]) -> Sequence[LeftId]:
        return recovery.strays(self.path, ops)

    def forget_left(self, op: str) -> None:
        recovery.forget(self.path, op)

    def mode(self) -> int:
        return stat.S_IMODE(self.path.stat().st_mode)

    def versions(self) -> Sequence[Version]:
        return git_versions.known(self.path, None)

    def newest(self, lineage: str | None) -> Version | None:
        return git_versions.newest(self.path, lineage)

    def sweep(self) -> None:
        """Remove what writes that were cut short left behind, those of older versions too.

        Beside the project file as well, where a run that was killed may have been about to pin the lineage.
        """
        for folder in {self.top, self.path.parent}:
            sweep(folder)
        for left in self.path.parent.glob(f"{glob.escape(self.path.name)}.*.tmp"):
            left.unlink(missing_ok=True)


class LocalLease:
    """Fenced by what it sees: a document or a journal that another run has touched is not ours any more."""

    send_limit = 1.0

    def __init__(self, backend: LocalBackend, stored: Stored, has_journal: bool, keep: ExitStack) -> None:
        """`has_journal` also where nothing in it can be folded: one that comes later is another run's."""
        self.stored = stored
        self._has_journal = has_journal
        self._backend = backend
        self._keep = keep
        self._version = stored.version
        self._journal: Journal | None = None

    def append(self, records: Sequence[Record]) -> None:
        if self._journal is None:
            self._check()  # what it begins to extend must be what is there
            self._journal = Journal(self._backend.journal_path)
        self._journal.append(records)

    def replace(self, document: bytes) -> None:
        path = self._backend.path
        self._check()
        if self._version is None:
            make_folder(path.parent, self._backend.top)
        with draft({path: document}) as (new,):
            self._check()
            new.put()
        self._version = version_of(document)

    def drop_journal(self) -> Sequence[Record]:
        if self._journal:
            journal, self._journal = self._journal, None
            if journal.close():
                self._remove_journal()
            return ()
        return self._take_journal()

    def _take_journal(self) -> Sequence[Record]:
        """Read again once it has lost its name: what is added to it later, its run takes for refused."""
        self._backend.sweep()
        found = self.stored.journal
        if not self._has_journal:
            return ()
        with suppress(FileNotFoundError), self._backend.journal_path.open("rb") as file:
            self._remove_journal()
            leftover = decode(file.read(), self._backend.journal)
            return leftover.records[len(found.records) if found else 0 :] if leftover else ()
        return ()

    def beat(self) -> None:
        """The kernel knows that this run goes on."""

    def release(self) -> None:
        if self._journal:
            self._journal.close()
        self._keep.close()

    def _remove_journal(self) -> None:
        self._backend.journal_path.unlink(missing_ok=True)
        sync_folder(self._backend.journal_path.parent)

    def _check(self) -> None:
        """By its bytes, for a large document is not parsed for this."""
        if version_of(read_bytes(self._backend.path)) != self._version:
            raise Precondition("the state was changed by another run: the lock was broken")


def read_bytes(path: Path) -> bytes | None:
    """None where nothing is. Raises Precondition for what can be no file of ours, OSError with its name."""
    with _as_precondition(path), suppress(FileNotFoundError):
        return path.read_bytes() if _is_there(path) else None
    return None


def _followed(path: Path) -> Path:
    """Where a link leads; unlike Path's own methods this raises for no loop and no name."""
    return Path(os.path.realpath(path)) if os.path.islink(path) else path  # noqa: PTH114


def _is_there(path: Path) -> bool:
    """Whether a file is there. Raises Precondition for a device, a pipe or a file that is too large."""
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    is_file = stat.S_ISREG(there.st_mode)
    if not (is_file or stat.S_ISDIR(there.st_mode)):
        raise Precondition(f"{path} is a device or a pipe, not a file")
    if is_file and there.st_size > LARGEST:
        raise DamagedState(f"{path} is larger than {LARGEST >> 20} MiB: that cannot be a state")
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
