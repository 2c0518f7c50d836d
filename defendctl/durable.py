"""The one way a file is written: whole or not at all, and there after a power cut.

What is new waits under a temporary name in the folder of its target, is synced, and takes the name of the
target in one step. What a killed run leaves waiting goes with the next write into that folder; `.gitignore`
knows it as `.defendctl-*.tmp`. A journal grows in place and is the one exception (`write_all`).
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FOLDER: Final = ".defendctl"
"""Beside a project and beside a state, what is ours alone: locks, copies, the sandbox. Never committed."""
_WAITING: Final = re.compile(r"\.defendctl-[0-9a-f]{16}\.tmp")
_DESCRIPTOR: Final = re.compile(r"(?:/dev/fd|/proc/self/fd)/(\d+)")
_STANDARD: Final = {"/dev/stdout": 1, "/dev/stderr": 2}
_TRIES: Final = 20


@dataclass(slots=True)
class Draft:
    """A file that waits, whole and durable, for its name. `put` may be called once."""

    path: Path
    """As the caller named it."""
    target: Path
    """What `path` leads to."""
    waiting: Path
    placed: bool = False

    def put(self) -> None:
        """Raises OSError, which names `path`; then nothing happened."""
        with _naming(self.path):
            self.waiting.replace(self.target)
        self.placed = True


def write_whole(path: Path, data: bytes, *, mode: int | None = None, follow: bool = True) -> None:
    """Raises OSError, which names `path`; what was there is there still.

    The mode of what is there stays, unless `mode` says another; a new file has that of the umask. A link
    stays one and what it leads to is written; a device, a pipe or an open descriptor (`/dev/stdout`) is
    written to. Without `follow` whatever stands there is replaced.
    """
    if follow and is_stream(path):
        with _naming(path):
            _write_through(path, data)
        return
    with draft({path: data}, mode=mode, follow=follow) as (only,):
        only.put()


def append_whole(path: Path, data: bytes) -> None:
    """To a file that others append to as well. Raises OSError, which names it; then it is as it was."""
    with _naming(path):
        fd = _opened(path, os.O_APPEND | os.O_CREAT)
        try:
            size = os.fstat(fd).st_size
            try:
                write_all(fd, data)
            except OSError:
                with suppress(OSError):
                    os.ftruncate(fd, size)
                raise
        finally:
            os.close(fd)


@contextmanager
def draft(
    files: Mapping[Path, bytes], *, mode: int | None = None, follow: bool = True
) -> Iterator[list[Draft]]:
    """All of them wait when it yields; when it ends, what was put is durable and the rest is gone.

    Raises OSError, which names the file. See `write_whole`.
    """
    drafts = [_draft(path, follow) for path in files]
    with ExitStack() as stack:
        folders: dict[Path, int] = {}
        for each in drafts:
            if each.target.parent not in folders:
                with _naming(each.path):
                    folders[each.target.parent] = stack.enter_context(_working_in(each.target.parent))
        stack.callback(_drop, drafts)
        for each in drafts:
            with _naming(each.path):
                _write_new(each.waiting, files[each.path], _file_at(each.target) if follow else None, mode)
        yield drafts
        for folder in {each.target.parent for each in drafts if each.placed}:
            with _naming(folder):
                os.fsync(folders[folder])


def is_stream(path: Path) -> bool:
    """Whether what is written there is passed on and not kept: a device, a pipe, an open descriptor."""
    if _descriptor(path) is not None:
        return True
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def sweep(folder: Path) -> None:
    """Remove what runs that were killed left waiting, unless some run is writing in that folder now."""
    with suppress(OSError), _working_in(folder):
        pass


def sync_folder(folder: Path) -> None:
    """A new name is durable only when its folder is."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def make_folder(folder: Path, top: Path) -> None:
    """Create `folder` so that it is there after a power cut, as far as it is new or below `top`.

    One that exists may have been made by a run that was killed before it was durable.
    """
    every = (folder, *folder.parents)
    new = [each for each in every if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in dict.fromkeys([*new, *(each for each in every if top in each.parents)]):
        sync_folder(each.parent)


def spill(path: Path, data: bytes) -> None:
    """A new file of a temporary folder that is this run's own: it need not last. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(path, os.O_NOFOLLOW | os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        write_all(fd, data)
    finally:
        os.close(fd)


def write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


def _draft(path: Path, follow: bool) -> Draft:
    target = Path(os.path.realpath(path)) if follow else path
    return Draft(path, target, target.with_name(f".defendctl-{os.urandom(8).hex()}.tmp"))


def _drop(drafts: list[Draft]) -> None:
    for each in drafts:
        if not each.placed:
            with suppress(OSError):
                each.waiting.unlink()


def _write_new(path: Path, data: bytes, there: os.stat_result | None, mode: int | None) -> None:
    """As nobody else can have foreseen or prepared it; with owner, group and mode of what is there."""
    if mode is None and there:
        mode = stat.S_IMODE(there.st_mode) & 0o777
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    fd = os.open(path, flags, 0o666 if mode is None else 0o600)
    try:
        if there:
            _keep_owner(fd, there)
        if mode is not None:
            os.fchmod(fd, mode)
        write_all(fd, data)
        os.fsync(fd)
    finally:
        os.close(fd)


def _keep_owner(fd: int, there: os.stat_result) -> None:
    """As far as this user may."""
    mine = os.fstat(fd)
    if (mine.st_uid, mine.st_gid) != (there.st_uid, there.st_gid):
        with suppress(OSError):
            os.fchown(fd, there.st_uid, there.st_gid)


def _file_at(target: Path) -> os.stat_result | None:
    """The file that will be replaced."""
    try:
        return target.stat()
    except FileNotFoundError:
        return None


def _descriptor(path: Path) -> int | None:
    name = os.path.abspath(path)  # noqa: PTH100  (a link is not followed)
    numbered = _DESCRIPTOR.fullmatch(name)
    return int(numbered[1]) if numbered else _STANDARD.get(name)


def _opened(path: Path, flags: int = 0) -> int:
    """An open descriptor is used as it is, for a file behind it has a place where it goes on."""
    number = _descriptor(path)
    return os.open(path, os.O_WRONLY | flags, 0o666) if number is None else os.dup(number)


def _write_through(path: Path, data: bytes) -> None:
    fd = _opened(path)
    try:
        write_all(fd, data)
    finally:
        os.close(fd)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """The file that was meant, and not the temporary one, stands in an error."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


@contextmanager
def _working_in(folder: Path) -> Iterator[int]:
    """Sweeps the folder first; while it is open nobody else does. Gives its descriptor.

    Whoever has files waiting shares the folder's lock, and whoever sweeps holds it alone. Where a file system
    has no such locks nothing is swept.
    """
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if _locked(fd, fcntl.LOCK_EX):
            with suppress(OSError):
                _sweep(folder)
        for _ in range(_TRIES):
            if _locked(fd, fcntl.LOCK_SH):
                break
            time.sleep(0.01)  # somebody sweeps; a stranger's lock is not waited for
        yield fd
    finally:
        os.close(fd)


def _locked(fd: int, how: int) -> bool:
    try:
        fcntl.flock(fd, how | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _sweep(folder: Path) -> None:
    for each in folder.iterdir():
        if _WAITING.fullmatch(each.name):
            with suppress(OSError):
                each.unlink()
