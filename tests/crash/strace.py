"""strace: finds the calls of a run, and makes one of them fail, or the last thing the run does."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from tests.crash.verdict import Ended

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.crash.scenarios import Arena, Subject

FILES = ("openat", "write", "fsync", "rename", "unlink", "mkdir", "flock", "sendfile", "fchmod")
SOCKETS = ("connect", "sendto", "recvfrom")
OPENS = ("openat", "socket")
STATS = ("stat", "lstat", "fstat", "newfstatat", "statx")
READS = ("read", "getdents64", "close", *STATS)
WRITES = ("write", "sendfile")
CHANGES = (*WRITES, "fsync", "rename", "unlink", "mkdir", "fchmod")
FULL = (*WRITES, "openat", "fsync", "rename", "mkdir", "close")
ONCE = {
    "ENOSPC": FULL,
    "EDQUOT": FULL,
    "EIO": (*CHANGES, *READS, "openat", "flock"),
    "EROFS": ("openat", "rename", "unlink", "mkdir"),
}
"""Which calls answer so; of `openat` only those that write, but for EIO. A close may tell what NFS could not
write."""
FOR_GOOD = {
    "ENOSPC": (*WRITES, "mkdir"),
    "EDQUOT": (*WRITES, "mkdir"),
    "EIO": (*CHANGES, "openat"),
    "EROFS": CHANGES,
    "EMFILE": OPENS,
}
REPEATED = ("openat", "read", *WRITES, "fsync", "flock", "fchmod")
SINGLE = Path(__file__).with_name("single.py")
_CALL = re.compile(r"^\d+ +(\w+)\((.*)")


@cache
def why_not() -> str | None:
    """Why strace cannot be used; it is installed first where that is possible."""
    if not shutil.which("strace") and hasattr(os, "getuid") and os.getuid() == 0 and shutil.which("apt-get"):
        for command in (["apt-get", "update"], ["apt-get", "install", "-y", "strace"]):
            subprocess.run(command, capture_output=True)
    if not shutil.which("strace"):
        return "strace is not installed, and could not be"
    tried = subprocess.run(["strace", "-f", "-qq", "-o", os.devnull, "true"], capture_output=True, text=True)
    return f"strace does not work here: {tried.stderr.strip()}" if tried.returncode else None


@dataclass(frozen=True)
class Point:
    """The nth call of its kind in a run."""

    call: str
    nth: int
    what: str

    def answers(self, error: str) -> bool:
        """Whether a disk may answer this call so."""
        reads = self.call == "openat" and not re.search("O_WRONLY|O_RDWR|O_CREAT", self.what)
        return self.call in ONCE[error] and (error == "EIO" or not reads)

    @property
    def repeated(self) -> bool:
        """Whether Python calls again after EINTR (PEP 475)."""
        return self.call in REPEATED and "O_DIRECTORY" not in self.what


def points(arena: Arena) -> list[Point]:
    """Every call of a clean run that changes the project or its state, or speaks to the API."""
    arena.fresh()
    return [*_points(arena, FILES, watched(arena)), *_points(arena, SOCKETS, [])]


def file_points(arena: Arena) -> list[Point]:
    """Every call that touches the project or its state, in their order."""
    arena.fresh()
    return _points(arena, (*FILES, *READS), watched(arena))


def descriptor_points(arena: Arena) -> list[Point]:
    """Every call that needs a descriptor, those for modules among them."""
    _points(arena, OPENS, [])  # what was not compiled yet is from now on
    return _points(arena, OPENS, [])


def _points(arena: Arena, calls: Sequence[str], paths: list[Path]) -> list[Point]:
    log = arena.folder / "points"
    options = ["-e", "trace=" + ",".join(f"?{call}" for call in calls), *only(paths)]
    ended = traced(arena, arena.fresh(), log, options, "none")
    assert ended.code == arena.scenario.code, ended
    return _counted(log.read_text())


def _counted(log: str) -> list[Point]:
    counts: Counter[str] = Counter()
    found = []
    for line in log.splitlines():
        match = _CALL.match(line)
        if match:
            counts[match[1]] += 1
            found.append(Point(match[1], counts[match[1]], match[2]))
    return found


def kill(arena: Arena, point: Point) -> Ended:
    """SIGKILL when the call is entered: it does not happen any more."""
    inject = f"inject={point.call}:signal=KILL:when={point.nth}"
    return _injected(arena, [point.call], [inject], f"kill at {point.call}", point.call in FILES)


def fail(arena: Arena, point: Point, error: str, times: int = 1) -> Ended:
    """The call does not happen, and answers `error`; the next ones do."""
    inject = f"inject={point.call}:error={error}:when={point.nth}..{point.nth + times - 1}"
    return _injected(arena, [point.call], [inject], f"{error} at {point.call}", error != "EMFILE")


def fail_for_good(arena: Arena, before: list[Point], error: str, *, everywhere: bool = False) -> Ended:
    """From then on, every call fails that such a disk refuses; `everywhere`: no other disk is there."""
    done = {point.call: point.nth for point in before}
    calls = FOR_GOOD[error]
    injects = [f"inject={call}:error={error}:when={done.get(call, 0) + 1}+" for call in calls]
    fault = f"{error} everywhere" if everywhere else f"{error} for good"
    env = {"CRASH_NOWHERE": "1"} if everywhere else {}
    return _injected(arena, calls, injects, fault, error != "EMFILE", **env)


def _injected(
    arena: Arena, calls: Sequence[str], injects: list[str], fault: str, files: bool, **env: str
) -> Ended:
    """`files`: only of calls that touch the project or its state."""
    project = arena.fresh()
    log = arena.folder / "log"
    paths = watched(arena) if files else []
    expressions = [argument for inject in injects for argument in ("-e", inject)]
    options = ["-e", "trace=" + ",".join(calls), *expressions, *only(paths)]
    ended = traced(arena, project, log, options, fault, **env)
    ended.fired = "INJECTED" in log.read_text(errors="replace") or ended.code in (-9, 137)
    return ended


def traced(arena: Arena, project: Subject, log: Path, options: list[str], fault: str, **env: str) -> Ended:
    run = start(arena, project, log, options, **env)
    out, err = run.communicate(timeout=120)
    return Ended(fault, False, run.returncode, out, err)


def start(arena: Arena, project: Subject, log: Path, options: list[str], **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["strace", "-f", "-q", "-o", str(log), *options, sys.executable, "-P", str(SINGLE), *arena.command],
        cwd=project.root,
        env={**os.environ, **project.process_env, **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def watched(arena: Arena) -> list[Path]:
    """Every path that a run may write. strace matches whole paths only, so each is named."""
    root = arena.root
    state = state_path(arena.project)
    lock = root / ".defendctl" / f"{state.name}.lock"
    drawn = range(1, 40)
    beside = [state, state.with_name(state.name + ".journal"), lock, lock.with_name(lock.name + ".json")]
    copies = root / ".defendctl" / "backups"
    inside = (parent for path in arena.written for parent in path.parents if root in parent.parents)
    folders = {root, *(p for p in state.parents if root in p.parents), root / ".defendctl", copies, *inside}
    waiting = [folder / f".defendctl-{number:016x}.tmp" for folder in folders for number in drawn]
    lineages = {p.name.split(".")[0] for p in copies.glob("*.json")} or {str(UUID(int=n)) for n in drawn}
    backups = [copies / f"{lineage}.{serial:08d}.json" for lineage in lineages for serial in range(1, 12)]
    return sorted({*folders, *waiting, *beside, *backups, *arena.written})


def state_path(project: Subject) -> Path:
    elsewhere = project.root / "var" / "lib" / "state.json"
    settings = project.root / "defendctl.yaml"
    return elsewhere if settings.exists() and "var/lib" in settings.read_text() else project.state_file


def only(paths: list[Path]) -> list[str]:
    return [argument for path in paths for argument in ("-P", str(path))]
