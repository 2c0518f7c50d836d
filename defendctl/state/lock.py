"""One run at a time on one machine. The kernel's lock decides; the record beside it says who holds it."""

from __future__ import annotations

import getpass
import json
import os
import socket
import stat
import time
import uuid
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from defendctl.diagnostics import DefendctlError, Precondition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from filelock import BaseFileLock

LARGEST: Final = 16_384


@dataclass(frozen=True, slots=True)
class Owner:
    id: str
    host: str
    pid: int
    user: str
    started: str
    run: str | None = None

    def __str__(self) -> str:
        where = f", {self.run}" if self.run else ""
        return f"{self.user}@{self.host}, process {self.pid}, since {self.started}{where}"


def this_run() -> Owner:
    return Owner(
        id=uuid.uuid4().hex[:12],
        host=socket.gethostname(),
        pid=os.getpid(),
        user=_user(),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        run=_ci_run(os.environ),
    )


def read_owner(path: Path) -> Owner | None:
    """Who holds the lock, or left it behind; None where nobody says."""
    record = record_path(path)
    with suppress(OSError, ValueError, TypeError, RecursionError):
        there = record.lstat()
        if stat.S_ISREG(there.st_mode) and there.st_size <= LARGEST:  # a pipe would never end
            return _owner(json.loads(record.read_text(encoding="utf-8")))
    return None


def record_path(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _owner(data: Any) -> Owner:
    """Raises TypeError for what is no record."""
    owner = Owner(**data)
    texts = (owner.id, owner.host, owner.user, owner.started, owner.run or "")
    if not (all(isinstance(text, str) for text in texts) and isinstance(owner.pid, int)):
        raise TypeError
    return owner


@contextmanager
def lock(path: Path, warn: Callable[[str], None]) -> Iterator[Owner]:
    """Hold the lock at `path`. Raises Precondition when another run holds it."""
    from filelock import Timeout

    held = _kernel_lock(path)
    try:
        _make_room(path)
        held.acquire()
    except Timeout:
        raise _locked(path) from None
    except NotImplementedError:  # pragma: no cover  (no file system of a test machine is without locks)
        raise DefendctlError(f"cannot lock {path}: the file system there has no locks") from None
    except OSError as error:
        raise DefendctlError(f"cannot lock {path}: {error.strerror}") from error
    try:
        owner = _take_over(path, warn)
        try:
            yield owner
        finally:
            _forget(path, owner)
    finally:
        with suppress(OSError):  # the end of the process releases it too
            held.release()


def unlock(path: Path, lock_id: str) -> Owner:
    """Break a lock whose owner is known to be gone. Raises Precondition if the id is another's."""
    owner = read_owner(path)
    if owner is None:
        raise DefendctlError("the state is not locked")
    if owner.id != lock_id:
        raise Precondition(f"the lock is {owner.id}, not {lock_id}: it is held by {owner}")
    path.unlink(missing_ok=True)
    record_path(path).unlink(missing_ok=True)
    return owner


def _kernel_lock(path: Path) -> BaseFileLock:
    """Of the kernel only: filelock would make do with a marker, which outlives a run that is killed."""
    from filelock import FileLock

    return FileLock(path, blocking=False, fallback_to_soft=False)


def _make_room(path: Path) -> None:
    """Raises DefendctlError where something stands that no run of ours has put there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise DefendctlError(f"cannot lock {path}: {path.parent} is not a folder") from None
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(path.lstat().st_mode):
            raise DefendctlError(f"cannot lock {path}: what stands there is not a plain file")


def _take_over(path: Path, warn: Callable[[str], None]) -> Owner:
    left = read_owner(path)
    if left:
        warn(f"a run ended without releasing its lock ({left}); going on")
    owner = this_run()
    try:
        _write(record_path(path), owner)
    except OSError as error:
        raise DefendctlError(f"cannot lock {path}: {record_path(path)}: {error.strerror}") from error
    return owner


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


def _locked(path: Path) -> Precondition:
    owner = _owner_soon(path)
    who = f" by {owner}" if owner else ""
    hint = f"if that run is gone: defendctl state unlock {owner.id}" if owner else None
    return Precondition(f"the state is locked{who}", hint)


def _owner_soon(path: Path) -> Owner | None:
    """Whoever has just taken the lock says who they are a moment later."""
    for _ in range(10):
        owner = read_owner(path)
        if owner:
            return owner
        time.sleep(0.05)
    return None


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid()) if hasattr(os, "getuid") else "unknown"


def _ci_run(env: os._Environ[str]) -> str | None:
    if "GITHUB_RUN_ID" in env:
        server, repo = env.get("GITHUB_SERVER_URL", ""), env.get("GITHUB_REPOSITORY", "")
        return f"{server}/{repo}/actions/runs/{env['GITHUB_RUN_ID']}"
    return env.get("CI_JOB_URL")
