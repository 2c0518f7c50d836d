"""Runs over a store that is shared: killed, made zombies, at once, and with answers of the store lost."""

from __future__ import annotations

import atexit
import os
import random
import re
import signal
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import httpx

from defendctl.exits import Exit
from defendctl.sandbox.server import embedded
from tests.conftest import Ran, Server, environment_for
from tests.crash import scenarios
from tests.crash.bench import Case
from tests.crash.scenarios import Arena, Subject, copy_package
from tests.crash.stores import STORES
from tests.crash.verdict import Ended, Verdict, judge

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from tests.crash.stores import SharedStore

SEED = 20261126
ANSWER_SECONDS = 0.05
_LOCK_ID = re.compile(r"the lock is (\w+), not")
SHARED = (scenarios.MIXED, scenarios.FIRST, scenarios.CREATE, scenarios.REPLACE)


@dataclass
class SharedSubject(Subject):
    """A project whose state is in a store."""

    store: dict[str, Any] = field(default_factory=dict)

    def settings(self, **keys: Any) -> None:
        super().settings(**{"state": self.store, **keys})

    def declare(self, workflows: dict[str, Any], name: str = "workflows/all.yaml") -> None:
        """The first time with a project file, which says where the state is."""
        if not (self.root / "defendctl.yaml").exists():
            self.settings()
        super().declare(workflows, name)

    def run(self, *arguments: str) -> Ran:
        """A state that was begun and is not pinned yet is told by the command, and obeyed."""
        ran = super().run(*arguments)
        begun = ran.code == Exit.USAGE and "run it without" in ran.err
        return self.run_alone(*arguments) if begun else ran

    def unlock(self) -> None:
        """As an operator who knows that the run is gone, or believes so.

        The `git push` of a killed run lives on, and may release the lock between the two commands.
        """
        held = _LOCK_ID.search(self.run("state", "unlock", "nobody").err)
        if held:
            ran = self.run("state", "unlock", held[1])
            assert ran.code == 0 or "the state is not locked" in ran.err, ran


@dataclass
class SharedArena(Arena):
    """`store` holds the state; it is set back with the folder."""

    store: SharedStore = field(kw_only=True)

    @property
    def project(self) -> SharedSubject:
        env = {**environment_for(self.server.url), **self.store.env}
        return SharedSubject(self.root, self.server, env, package=self.package, store=self.store.settings)

    def keep(self) -> None:
        self.store.keep()

    def fresh(self) -> Subject:
        self.store.restore()
        return super().fresh()


def _kill(bench: SharedBench, arena: SharedArena, rng: random.Random) -> Verdict:
    seconds = rng.uniform(0, bench.seconds(arena))
    process = bench.slow_run(arena, rng.choice(["1", "10"]))
    time.sleep(seconds)
    process.kill()
    out, err = process.communicate(timeout=120)
    killed = process.returncode == -signal.SIGKILL
    arena.project.unlock()
    return judge("kill", arena, Ended("SIGKILL", killed, process.returncode, out, err))


def _zombie(bench: SharedBench, arena: SharedArena, rng: random.Random) -> Verdict:
    """Stopped, given up, overtaken, and going on as if nothing had been."""
    seconds = rng.uniform(0, bench.seconds(arena))
    process = bench.slow_run(arena, rng.choice(["1", "10"]))
    time.sleep(seconds)
    process.send_signal(signal.SIGSTOP)
    time.sleep(3 * ANSWER_SECONDS)
    project = arena.project
    project.unlock()
    heir = project.run(*scenarios.APPLY)
    process.send_signal(signal.SIGCONT)
    out, err = process.communicate(timeout=120)
    verdict = judge(
        "zombie", arena, Ended("SIGSTOP", True, process.returncode, out + heir.out, err + heir.err)
    )
    if heir.code not in (0, 7):
        verdict.fail(f"the heir: {heir}")
    return verdict


def _at_once(bench: SharedBench, arena: SharedArena, rng: random.Random) -> Verdict:
    """The second waits for no lock: it works after the first, or says who has it."""
    seconds = rng.uniform(0, bench.seconds(arena) / 2)
    first = bench.slow_run(arena)
    time.sleep(seconds)
    second = arena.project.spawn(*scenarios.APPLY)
    said = [run.communicate(timeout=120) for run in (first, second)]
    ended = Ended("2 at once", True, 1, "".join(o for o, _ in said), "".join(e for _, e in said))
    verdict = judge("two runs", arena, ended)
    if first.returncode != 0 or second.returncode not in (0, 6):
        verdict.fail(f"exit codes {first.returncode}, {second.returncode}: {said}")
    return verdict


def _lost_answers(bench: SharedBench, arena: SharedArena, rng: random.Random) -> Verdict:
    arena.fresh()
    arena.store.lose(str(rng.random()))
    try:
        process = arena.project.spawn(*arena.command)
        out, err = process.communicate(timeout=300)
    finally:
        arena.store.lose(None)
    fault = "exit 0" if process.returncode == 0 else f"exit {process.returncode}"
    arena.project.unlock()  # its release may have been lost too often, of which it warns
    return judge("lost answers", arena, Ended(fault, process.returncode != 0, process.returncode, out, err))


HARNESSES: dict[str, Callable[[SharedBench, SharedArena, random.Random], Verdict]] = {
    "kill": _kill,
    "zombie": _zombie,
    "two runs": _at_once,
    "lost answers": _lost_answers,
}


class SharedBench:
    """A server of the API, a store, and an arena for each scenario."""

    def __init__(self, folder: Path, backend: str) -> None:
        self._folder, self._backend = folder, backend
        self._stack = ExitStack()
        self._arena: SharedArena | None = None
        self._seconds: dict[str, float] = {}

    def __enter__(self) -> Self:
        client = self._stack.enter_context(httpx.Client(trust_env=False, timeout=30))
        self.server = Server(self._stack.enter_context(embedded(":memory:")), client)
        self.store = self._stack.enter_context(STORES[self._backend](self._folder))
        self.package = copy_package(self._folder / "package")
        return self

    def __exit__(self, *raised: object) -> None:
        self._stack.close()

    def run(self, case: Case) -> Verdict:
        rng = random.Random(f"{SEED}-{case.harness}-{case.scenario}-{case.number}")
        return HARNESSES[case.harness](self, self.arena(case.scenario), rng)

    def arena(self, scenario: str) -> SharedArena:
        """One at a time, for they share the store."""
        if self._arena is None or self._arena.scenario.name != scenario:
            folder = self._folder / f"{scenario}-{time.monotonic_ns()}"
            chosen = scenarios.SCENARIOS[scenario]
            for each in self.server.workflows():
                self.server.remove(each["workflow_id"])
            self.store.empty()
            self._arena = SharedArena(chosen, folder, self.server, self.package, store=self.store)
        return self._arena

    def slow_run(self, arena: SharedArena, parallelism: str = "1") -> subprocess.Popen[str]:
        """A run that has sent its first request."""
        project = arena.fresh()
        for method in ("POST", "PUT"):
            project.server.fault("slow-after", method, times=None, seconds=ANSWER_SECONDS)
        process = project.spawn(*arena.command, "--parallelism", parallelism)
        while process.poll() is None and not project.server.requests():
            time.sleep(0.002)
        return process

    def seconds(self, arena: SharedArena) -> float:
        """How long such a run takes from its first request to its end."""
        name = arena.scenario.name
        if name not in self._seconds:
            process = self.slow_run(arena)
            began = time.monotonic()
            process.communicate(timeout=120)
            self._seconds[name] = time.monotonic() - began
        return self._seconds[name]


CHUNK = 10


def chunks(runs: int, start: int = 0) -> list[list[Case]]:
    """So many of each harness, spread over the scenarios; those of one scenario together."""
    each = -(-runs // len(SHARED))
    found = []
    for harness in HARNESSES:
        for scenario in SHARED:
            cases = [Case(harness, scenario.name, start + n) for n in range(each)]
            found += [cases[first : first + CHUNK] for first in range(0, each, CHUNK)]
    return found


_benches: dict[str, SharedBench] = {}


def work(backend: str, cases: list[Case]) -> list[Verdict]:
    """In a worker process, which keeps its bench and its store."""
    if backend not in _benches:
        folder = Path(tempfile.mkdtemp(prefix="crash-", dir=os.environ["CRASH_FOLDER"]))
        folder.chmod(0o755)
        _benches[backend] = SharedBench(folder, backend).__enter__()
        atexit.register(_benches[backend].__exit__)
    return [_run(_benches[backend], case) for case in cases]


def _run(bench: SharedBench, case: Case) -> Verdict:
    try:
        return bench.run(case)
    except Exception as error:
        return Verdict(case.harness, "the harness failed", problems=[f"{case}: {error!r}"[:600]])
