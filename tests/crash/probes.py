"""Harnesses of one situation each: runs at once, a sleeper, a 404, an update whose answer was lost."""

from __future__ import annotations

import os
import re
import signal
import time
from dataclasses import replace
from itertools import dropwhile, takewhile
from typing import TYPE_CHECKING

from tests.conftest import custom
from tests.crash import powercut, strace
from tests.crash.verdict import Ended, Verdict, judge
from tests.operations import jobs

if TYPE_CHECKING:
    from pathlib import Path

    from tests.crash.scenarios import Arena
    from tests.crash.strace import Point

_LOCK = re.compile(r"defendctl state unlock (\w+)")
SLEEP_SECONDS = 1.2
"""More than may pass between the intent and the POST."""


def together(arena: Arena) -> Verdict:
    """Three runs at once: one may work, the others say so."""
    project = arena.fresh()
    # longer than a busy machine takes to start three
    project.server.fault("slow-after", "POST", times=None, seconds=2.0)
    runs = [project.spawn(*arena.command) for _ in range(3)]
    said = [run.communicate(timeout=60) for run in runs]
    ended = Ended("3 at once", True, 1, "".join(o for o, _ in said), "".join(e for _, e in said))
    verdict = judge("runs at once", arena, ended)
    if sorted(run.returncode for run in runs) != [0, 6, 6]:
        verdict.fail(f"exit codes {[run.returncode for run in runs]}")
    return verdict


def sleeper(arena: Arena) -> Verdict:
    """Stopped after the last look at the journal, until it has been given up: only the clock tells it."""
    points = strace.file_points(arena)
    return _given_up(arena, "sleeper", _last_look(points), SLEEP_SECONDS)


def broken_lock(arena: Arena) -> Verdict:
    """Stopped before that last look, and no clock tells it."""
    points = strace.file_points(arena)
    return _given_up(arena, "broken lock", _synced(points)[0], 0, CRASH_PATIENT="1")


def _last_look(points: list[Point]) -> Point:
    """After the first intent is durable. The next append begins with as many looks as this one ends with."""
    looks = list(takewhile(lambda point: point.call in strace.STATS, _synced(points)[1:]))
    return looks[len(looks) // 2 - 1]


def _synced(points: list[Point]) -> list[Point]:
    """From the fsync of the first intent on."""
    said = [point.what.replace("\\", "") for point in points]
    intent = next(n for n, p in enumerate(points) if p.call == "write" and '"new-0' in said[n])
    return list(dropwhile(lambda point: point.call != "fsync", points[intent:]))


def _given_up(arena: Arena, harness: str, point: Point, seconds: float, **env: str) -> Verdict:
    """While it is stopped at that call its lock is broken and its create is given up and made anew."""
    project = arena.fresh()
    log = arena.folder / "log"
    log.unlink(missing_ok=True)
    stop = ["-e", f"trace={point.call}", "-e", f"inject={point.call}:signal=STOP:when={point.nth}"]
    run = strace.start(arena, project, log, [*stop, *strace.only(strace.watched(arena))], **env)
    pid = _stopped(log)
    locked = _LOCK.search(project.run("apply", "--yes").err)
    assert locked
    project.run("state", "unlock", locked[1])
    project.run("state", "resolve", "new-0", "--not-created", "--now")
    project.run("apply", "--yes")
    time.sleep(seconds)
    os.kill(pid, signal.SIGCONT)
    out, err = run.communicate(timeout=60)
    return judge(harness, arena, Ended("SIGSTOP", True, run.returncode, out, err))


def _stopped(log: Path) -> int:
    """The process that strace tells has stopped."""
    for _ in range(3000):
        found = re.search(r"^(\d+) +--- stopped by SIGSTOP", log.read_text() if log.exists() else "", re.M)
        if found:
            return int(found[1])
        time.sleep(0.01)
    raise AssertionError("the run was not stopped")


def missing(arena: Arena) -> Verdict:
    """A bound workflow answers 404 for a while."""
    project = arena.fresh()
    known = project.json("outputs").json["outputs"]["kept"]
    project.server.fault("status", "GET", path=known, status=404, times=None)
    ran = project.run("apply", "--yes")
    return judge("a 404", arena, Ended("404", True, ran.code, ran.out, ran.err))


def lost_update(arena: Arena) -> Verdict:
    """A PUT takes effect, but its answer is lost; then the manifest goes back to what it was."""
    project = arena.fresh()
    project.server.fault("status-after", "PUT", status=500, times=None)
    ran = project.run("apply", "--yes")
    project.server.heal()
    project.declare({"new-0": custom(max_retries=10)})
    arena.after |= jobs.content(project)
    verdict = judge("a lost update", arena, Ended("500 after commit", True, ran.code, ran.out, ran.err))
    left = [w["max_retries"] for w in project.server.workflows() if w["max_retries"] != 10]
    verdict.fail(*(f"the plan is empty, but the workflow has max_retries {value}" for value in left))
    return verdict


def fsync_error(arena: Arena, nth: int) -> Verdict:
    """One fsync fails: what it was to make durable is not, and so nothing may be sent on its strength."""
    inject = ["-e", f"inject=fsync:error=EIO:when={nth}"]
    verdict = powercut.order_rule(powercut.moments(arena, inject))
    return replace(verdict, harness="fsync fails", fault=f"EIO at fsync {nth}")
