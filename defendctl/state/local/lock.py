"""One run at a time on one machine. The kernel's lock decides; the record beside it says who holds it.

A state has one lock, in the folder where it really is, whatever project or link leads there. Versions that
looked for it in the project's own folder are locked out there too.
"""

from __future__ import annotations

import json
import stat
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from defendctl.diagnostics import DefendctlError
from defendctl.state.backend import Locked, NotLocked, locked_by, refuse_other
from defendctl.state.owner import Owner, owner_from

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from filelock import BaseFileLock

LARGEST: Final = 16_384
_PATIENCE: Final = 0.1
"""Seconds to try for a lock: a plan that looks whether it is held has it for a moment."""


def read_owner(path: Path) -> Owner | None:
    """Who holds the lock, or left it behind; None where nobody says."""
    record = record_path(path)
    with suppress(OSError, ValueError, TypeError, RecursionError):
        there = record.lstat()
        if stat.S_ISREG(there.st_mode) and there.st_size <= LARGEST:  # a pipe would never end
            return owner_from(json.loads(record.read_text(encoding="utf-8")))
    return None


def record_path(path: Path) -> Path:
    return path.with_name(path.name + ".json")


@contextmanager
def lock(paths: Sequence[Path], owner: Owner, warn: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock, at every place of it. Raises Precondition when another run holds it."""
    with ExitStack() as held:
        for path in paths:
            held.enter_context(_held(path, owner, warn))
        yield


@contextmanager
def _held(path: Path, owner: Owner, warn: Callable[[str], None]) -> Iterator[None]:
    from filelock import Timeout

    kernel = _kernel_lock(path)
    try:
        _make_room(path)
        kernel.acquire()
    except Timeout:
        raise _locked(path) from None
    except NotImplementedError:  # pragma: no cover  (no file system of a test machine is without locks)
        raise DefendctlError(f"cannot lock {path}: the file system there has no locks") from None
    except OSError as error:
        raise DefendctlError(f"cannot lock {path}: {error.strerror}") from error
    try:
        _take_over(path, owner, warn)
        try:
            yield
        finally:
            _forget(path, owner)
    finally:
        with suppress(OSError):  # the end of the process releases it too
            kernel.release()


def unlock(paths: Sequence[Path], lock_id: str) -> Owner:
    """Break a lock whose owner is known to be gone. Raises Precondition if the id is another's."""
    owners = [owner for owner in map(read_owner, paths) if owner]
    if not owners:
        raise NotLocked
    found = next((owner for owner in owners if owner.id == lock_id), owners[0])
    refuse_other(found, lock_id)
    for path in paths:
        if read_owner(path) == found:
            path.unlink(missing_ok=True)
            record_path(path).unlink(missing_ok=True)
    return found


def holder(paths: Sequence[Path]) -> Owner | None:
    """Who is at it now; None where nobody holds the lock. The record alone may be a dead run's."""
    for path in paths:
        if _is_held(path):
            return _owner_soon(path) or Owner("", "", 0, "somebody", "an unknown time")
    return None


def _is_held(path: Path) -> bool:
    """By trying a shared lock for a moment, which stands in nobody's way for longer than `_PATIENCE`."""
    try:
        import fcntl
    except ImportError:  # pragma: no cover  (there the record must do)
        return read_owner(path) is not None
    with suppress(OSError):
        if not stat.S_ISREG(path.lstat().st_mode):
            return False
        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
    return False


def _kernel_lock(path: Path) -> BaseFileLock:
    """Of the kernel only: filelock would make do with a marker, which outlives a run that is killed."""
    from filelock import FileLock

    return FileLock(path, timeout=_PATIENCE, poll_interval=0.01, fallback_to_soft=False)


def _make_room(path: Path) -> None:
    """Raises DefendctlError where something stands that no run of ours has put there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise DefendctlError(f"cannot lock {path}: {path.parent} is not a folder") from None
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(path.lstat().st_mode):
            raise DefendctlError(f"cannot lock {path}: it is not a regular file")


def _take_over(path: Path, owner: Owner, warn: Callable[[str], None]) -> None:
    left = read_owner(path)
    if left:
        warn(f"a run ended without releasing its lock ({left}); going on")
    try:
        _write(record_path(path), owner)
    except OSError as error:
        raise DefendctlError(f"cannot lock {path}: {record_path(path)}: {error.strerror}") from error


def _write(record: Path, owner: Owner) -> None:
    """As a new file: what stands there may be a link that leads elsewhere, or a pipe that nobody reads."""
    record.unlink(missing_ok=True)
    with record.open("x", encoding="utf-8") as file:
        file.write(json.dumps(asdict(owner), sort_keys=True) + "\n")


def _forget(path: Path, owner: Owner) -> None:
    """Only if it is still ours: whoever broke the lock has left a record of its own."""
    if read_owner(path) == owner:
        with suppress(OSError):
            record_path(path).unlink(missing_ok=True)


def _locked(path: Path) -> Locked:
    owner = _owner_soon(path)
    return locked_by(owner) if owner else Locked("the state is locked")


def _owner_soon(path: Path) -> Owner | None:
    """Whoever has just taken the lock says who they are a moment later."""
    for _ in range(10):
        owner = read_owner(path)
        if owner:
            return owner
        time.sleep(0.05)
    return None
