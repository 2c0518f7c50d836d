"""All the runs there are, numbered by harness and scenario, so that any part of them can be chosen."""

from __future__ import annotations

import random
import signal
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Self

import httpx

from defendctl.sandbox.server import embedded
from tests.conftest import Server
from tests.crash import answers, powercut, probes, scenarios, strace
from tests.crash.scenarios import SCENARIOS, Arena, copy_package
from tests.crash.verdict import Ended, Verdict, judge
from tests.engine.crash import kill_after

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from tests.crash.strace import Point

SEED = 20251207
ANSWER_SECONDS = 0.02
DISK, DESCRIPTORS, INTERRUPTS = "disk error", "no descriptor left", "interrupted call"


@dataclass(frozen=True)
class Case:
    harness: str
    scenario: str
    number: int


class Bench:
    """A server, a copy of the package, and an arena for each scenario."""

    def __init__(self, folder: Path, package: Path | None = None, *, alone: bool = False) -> None:
        self.folder, self._alone = folder, alone
        self._package = package
        self._stack = ExitStack()
        self._arenas: dict[str, Arena] = {}
        self._durations: dict[tuple[str, str], float] = {}
        self._choices: dict[tuple[str, str], list[Callable[[], Verdict]]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._stack.close()

    @cached_property
    def server(self) -> Server:
        client = self._stack.enter_context(httpx.Client(trust_env=False, timeout=30))
        return Server(self._stack.enter_context(embedded(":memory:")), client)

    @cached_property
    def package(self) -> Path:
        return self._package or copy_package(self.folder / "package")

    def arena(self, scenario: str) -> Arena:
        if scenario not in self._arenas:
            for each in self.server.workflows():
                self.server.remove(each["workflow_id"])
            folder = self.folder / scenario
            chosen = SCENARIOS[scenario]
            self._arenas[scenario] = Arena(chosen, folder, self.server, self.package, self._alone)
        return self._arenas[scenario]

    def run(self, case: Case) -> Verdict:
        """The numbers go through all runs, the first one first and the others shuffled, and then again."""
        if case.harness == "kill at random":
            return self._random(case)
        choices = self.choices(case.harness, case.scenario)
        return choices[case.number % len(choices)]()

    def size(self, harness: str, scenario: str) -> int:
        """How many different runs there are."""
        return len(self.choices(harness, scenario))

    def choices(self, harness: str, scenario: str) -> list[Callable[[], Verdict]]:
        key = harness, scenario
        if key not in self._choices:
            found = _SYSTEMATIC[harness](self.arena(scenario))
            first, *rest = found
            random.Random(f"{SEED}-{scenario}").shuffle(rest)
            self._choices[key] = [first, *rest]
        return self._choices[key]

    def _random(self, case: Case) -> Verdict:
        """SIGKILL some time after the first request; the API takes a moment, before or after its commit."""
        rng = random.Random(f"{SEED}-{case.scenario}-{case.number}")
        arena = self.arena(case.scenario)
        parallelism = rng.choice(["1", "10"])
        seconds = self._seconds(case.scenario, parallelism)
        process = _slow_run(arena, rng.choice(["slow", "slow-after"]), parallelism)
        kill_after(rng.uniform(0, seconds))(process)
        out, err = process.communicate(timeout=60)
        killed = process.returncode == -signal.SIGKILL
        fault = f"parallelism {parallelism}"
        return judge(case.harness, arena, Ended(fault, killed, process.returncode, out, err))

    def _seconds(self, scenario: str, parallelism: str) -> float:
        """How long such a run takes from its first request to its end."""
        if (scenario, parallelism) not in self._durations:
            process = _slow_run(self.arena(scenario), "slow", parallelism)
            began = time.monotonic()
            process.communicate(timeout=60)
            self._durations[scenario, parallelism] = time.monotonic() - began
        return self._durations[scenario, parallelism]


def _slow_run(arena: Arena, kind: str, parallelism: str) -> subprocess.Popen[str]:
    """A run that has sent its first request."""
    project = arena.fresh()
    for method in ("POST", "PUT"):
        project.server.fault(kind, method, times=None, seconds=ANSWER_SECONDS)
    process = project.spawn(*arena.command, "--parallelism", parallelism)
    while process.poll() is None and not project.server.requests():
        time.sleep(0.002)
    return process


def _kills(arena: Arena) -> list[Callable[[], Verdict]]:
    def run(point: Point) -> Verdict:
        return judge("kill at a call", arena, strace.kill(arena, point))

    return [lambda p=point: run(p) for point in strace.points(arena)]  # type: ignore[misc]


def _errors(arena: Arena) -> list[Callable[[], Verdict]]:
    """A disk that refuses one call, and one that refuses from then on what such a disk refuses; every other
    time there is no other disk either."""

    def once(point: Point, error: str) -> Verdict:
        return _told(DISK, arena, strace.fail(arena, point, error))

    def for_good(before: list[Point], error: str) -> Verdict:
        everywhere = len(before) % 2 == 0
        return _told(DISK, arena, strace.fail_for_good(arena, before, error, everywhere=everywhere))

    points = strace.file_points(arena)
    found: list[Callable[[], Verdict]] = []
    for number, point in enumerate(points):
        errors = [error for error in strace.ONCE if point.answers(error)]
        found += [lambda p=point, e=error: once(p, e) for error in errors]  # type: ignore[misc]
        if point.call in strace.FILES:
            found += [lambda p=points[:number], e=error: for_good(p, e) for error in errors]  # type: ignore[misc]
    return found


def _descriptors(arena: Arena) -> list[Callable[[], Verdict]]:
    """No descriptor for one file of the project or the first connection, for how many more there are is a
    matter of time; and none for anything from then on."""

    def once(point: Point) -> Verdict:
        return _told(DESCRIPTORS, arena, strace.fail(arena, point, "EMFILE"))

    def for_good(before: list[Point]) -> Verdict:
        return _told(DESCRIPTORS, arena, strace.fail_for_good(arena, before, "EMFILE"))

    points = strace.descriptor_points(arena)
    connected = next((n for n, point in enumerate(points) if "AF_INET" in point.what), len(points))
    ours = {n for n, point in enumerate(points) if n == connected or str(arena.root) in point.what}
    found: list[Callable[[], Verdict]] = [lambda p=points[n]: once(p) for n in sorted(ours)]  # type: ignore[misc]
    for number in sorted({*ours, *range(connected, len(points))}):  # modules too: a few are loaded late
        found.append(lambda p=points[:number]: for_good(p))  # type: ignore[misc]
    return found


def _interrupts(arena: Arena) -> list[Callable[[], Verdict]]:
    """A call is interrupted, and where Python calls again, five times in a row."""

    def run(point: Point) -> Verdict:
        ended = strace.fail(arena, point, "EINTR", 5 if point.repeated else 1)
        verdict = _told(INTERRUPTS, arena, ended)
        if point.repeated and ended.code != arena.scenario.code:
            verdict.fail(f"{point.call} was not called again: {ended}")
        return verdict

    return [lambda p=point: run(p) for point in strace.file_points(arena)]  # type: ignore[misc]


def _told(harness: str, arena: Arena, ended: Ended) -> Verdict:
    """It had every answer, so each id must be recorded or told."""
    return judge(harness, arena, replace(ended, answered=True))


def _one(probe: Callable[[Arena], Verdict]) -> Callable[[Arena], list[Callable[[], Verdict]]]:
    return lambda arena: [lambda: probe(arena)]


def _fsyncs(arena: Arena) -> list[Callable[[], Verdict]]:
    syncs = [point.nth for point in strace.points(arena) if point.call == "fsync"]
    return [lambda n=nth: probes.fsync_error(arena, n) for nth in syncs]  # type: ignore[misc]


_SYSTEMATIC: dict[str, Callable[[Arena], list[Callable[[], Verdict]]]] = {
    "kill at a call": _kills,
    DISK: _errors,
    DESCRIPTORS: _descriptors,
    INTERRUPTS: _interrupts,
    "fsync fails": _fsyncs,
    powercut.HARNESS: powercut.verdicts,
    answers.HARNESS: answers.verdicts,
    "runs at once": _one(probes.together),
    "sleeper": _one(probes.sleeper),
    "broken lock": _one(probes.broken_lock),
    "a 404": _one(probes.missing),
    "a lost update": _one(probes.lost_update),
}
KILLED = tuple(scenario.name for scenario in scenarios.KILLED)
WHERE = {
    "kill at random": tuple(s.name for s in scenarios.DEEP if s.name != "resolve"),
    "kill at a call": KILLED,
    DISK: KILLED,
    DESCRIPTORS: KILLED,
    INTERRUPTS: KILLED,
    powercut.HARNESS: KILLED,
    "fsync fails": ("mixed", "first"),
    answers.HARNESS: ("creates",),
    "runs at once": ("creates", "first"),
    "sleeper": ("creates", "first"),
    "broken lock": ("creates", "first"),
    "a 404": ("mixed",),
    "a lost update": ("hidden",),
}
"""Harness → the scenarios it is run in."""
