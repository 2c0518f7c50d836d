"""The real command line is killed, and its disk fails, at each call it makes: nothing lost, nothing twice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.conftest import few_quick
from tests.crash import scenarios, strace
from tests.crash.bench import WHERE, Bench, Case
from tests.crash.verdict import judge

if TYPE_CHECKING:
    from pathlib import Path

FEW = {"kill at a call": 1, "power cut": 4}
MANY = {
    "kill at random": 8,
    "kill at a call": 15,
    "disk error": 18,
    "no descriptor left": 6,
    "interrupted call": 6,
    "power cut": 40,
    "fsync fails": 20,
    "answers": 54,
}
"""And a third of it where apply is not what is looked at."""
WRITING = {scenario.name for scenario in scenarios.WRITING}
EVERY = [(harness, scenario) for harness, where in WHERE.items() for scenario in where]


def _needs_strace() -> None:
    if strace.why_not():
        pytest.skip(str(strace.why_not()))


def _sound(folder: Path, harness: str, scenario: str, count: int) -> None:
    if harness != "kill at random":
        _needs_strace()
    with Bench(folder) as bench:
        verdicts = [bench.run(Case(harness, scenario, number)) for number in range(count)]
    bad = [str(verdict) for verdict in verdicts if verdict.problems]
    assert not bad, "\n".join(bad)
    few = 0 if harness == "kill at random" else count / 2  # how many are hit by a clock is a matter of load
    assert sum(verdict.fired for verdict in verdicts) > few, "too few were hit"


@pytest.mark.parametrize("harness", few_quick(FEW, "power cut"))
def test_a_few(harness: str, tmp_path: Path) -> None:
    _sound(tmp_path, harness, "mixed", FEW[harness])


def test_the_folder_of_a_new_state_is_durable_before_a_post_leaves(tmp_path: Path) -> None:
    _sound(tmp_path, "power cut", "elsewhere", 1)


@pytest.mark.slow
@pytest.mark.parametrize(("error", "everywhere"), [("EIO", False), ("EROFS", False), ("EIO", True)])
def test_an_id_that_cannot_be_written_is_told(error: str, everywhere: bool, tmp_path: Path) -> None:
    """Also where the state cannot even be read any more, and where no disk takes a recovery file; and what
    is told to run, runs."""
    _needs_strace()
    with Bench(tmp_path) as bench:
        arena = bench.arena("creates")
        points = [point for point in strace.points(arena) if point.call in strace.FILES]
        records = [n for n, point in enumerate(points) if point.call == "write" and "new-0" in point.what]
        for number in (records[1], records[1] + 1):  # the write of the id, and its fsync
            ended = strace.fail_for_good(arena, points[:number], error, everywhere=everywhere)
            assert [address for address, _ in ended.receipts] == ["new-0"], ended
            verdict = judge("disk error", arena, replace(ended, answered=True))
            assert not verdict.problems, str(verdict)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("harness", "scenario"), EVERY)
def test_many(harness: str, scenario: str, tmp_path: Path) -> None:
    count = MANY.get(harness, 1)
    _sound(tmp_path, harness, scenario, count // 3 if scenario in WRITING else count)
