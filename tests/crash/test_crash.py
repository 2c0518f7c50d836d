"""The real command line is killed, and its disk fails, at each call it makes: nothing lost, nothing twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.crash import strace
from tests.crash.bench import WHERE, Bench, Case

if TYPE_CHECKING:
    from pathlib import Path

FEW = {"kill at a call": 3, "disk error": 3, "power cut": 10}
MANY = {"kill at random": 8, "kill at a call": 20, "disk error": 20, "power cut": 60}
EVERY = [(harness, scenario) for harness, scenarios in WHERE.items() for scenario in scenarios]


def _sound(folder: Path, harness: str, scenario: str, count: int) -> None:
    if harness != "kill at random" and strace.why_not():
        pytest.skip(str(strace.why_not()))
    with Bench(folder) as bench:
        verdicts = [bench.run(Case(harness, scenario, number)) for number in range(count)]
    bad = [str(verdict) for verdict in verdicts if verdict.problems]
    assert not bad, "\n".join(bad)
    assert sum(verdict.fired for verdict in verdicts) > count / 2, "too few were hit"


@pytest.mark.parametrize("harness", FEW)
def test_a_few(harness: str, tmp_path: Path) -> None:
    _sound(tmp_path, harness, "mixed", FEW[harness])


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("harness", "scenario"), EVERY)
def test_many(harness: str, scenario: str, tmp_path: Path) -> None:
    _sound(tmp_path, harness, scenario, MANY[harness])
