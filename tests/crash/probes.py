"""Harnesses of one situation each: runs at once, a sleeper, a 404, an update whose answer was lost."""

from __future__ import annotations

import os
import re
import signal
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.conftest import custom
from tests.crash import powercut, strace
from tests.crash.verdict import Ended, Verdict, judge

if TYPE_CHECKING:
    from pathlib import Path

    from tests.crash.scenarios import Arena

_LOCK = re.compile(r"defendctl state unlock (\w+)")
SLEEP_SECONDS = 1.2
"""More than may pass between the intent and the POST."""


def together(arena: Arena) -> Verdict:
    """Three runs at once: one may work, the others say so."""
    project = arena.fresh()
    project.server.fault("slow-after", "POST", times=None, seconds=0.3)
    runs = [project.spawn(*arena.command) for _ in range(3)]
    said = [run.communicate(timeout=60) for run in runs]
    ended = Ended("3 at once", True, 1, "".join(o for o, _ in said), "".join(e for _, e in said))
    verdict = judge("runs at once", arena, ended)
    if sorted(run.returncode for run in runs) != [0, 6, 6]:
        verdict.fail(f"exit codes {[run.returncode for run in runs]}")
    return verdict


def sleeper(arena: Arena) -> Verdict:
    """Stopped when the first intent is durable; meanwhile its lock is broken and the create is given up."""
    points = strace.points(arena)
    intent = next(
        n for n, p in enumerate(points) if p.call == "write" and '"new-0' in p.what.replace("\\", "")
    )
    synced = next(p for p in points[intent:] if p.call == "fsync")
    project = arena.fresh()
    log = arena.folder / "log"
    log.unlink(missing_ok=True)
    stop = ["-e", "trace=fsync", "-e", f"inject=fsync:signal=STOP:when={synced.nth}"]
    run = strace.start(arena, project, log, [*stop, *strace.only(strace.watched(project))])
    pid = _stopped(log)
    locked = _LOCK.search(project.run("apply", "--yes").err)
    assert locked
    project.run("state", "unlock", locked[1])
    project.run("state", "resolve", "new-0", "--not-created", "--now")
    project.run("apply", "--yes")
    time.sleep(SLEEP_SECONDS)
    os.kill(pid, signal.SIGCONT)
    out, err = run.communicate(timeout=60)
    return judge("sleeper", arena, Ended("SIGSTOP", True, run.returncode, out, err))


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
    verdict = judge("a lost update", arena, Ended("500 after commit", True, ran.code, ran.out, ran.err))
    left = [w["max_retries"] for w in project.server.workflows() if w["max_retries"] != 10]
    verdict.fail(*(f"the plan is empty, but the workflow has max_retries {value}" for value in left))
    return verdict


def fsync_error(arena: Arena, nth: int) -> Verdict:
    """One fsync fails: what it was to make durable is not, and so nothing may be sent on its strength."""
    inject = ["-e", f"inject=fsync:error=EIO:when={nth}"]
    verdict = powercut.order_rule(powercut.moments(arena, inject))
    return replace(verdict, harness="fsync fails", fault=f"EIO at fsync {nth}")
