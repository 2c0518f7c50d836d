"""The bounds against those of scipy, which comes to them another way: by the incomplete beta function."""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path

import pytest

from defendctl.evidence.bounds import at_most, lower_limit, most_hits, upper_limit
from defendctl.replay.replay import wilson
from tests.parts.tools import tool

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).with_name("scipy_bounds.py")
CASES = 3_000
CLOSE = 1e-12
Case = tuple[int, int, float, float]


def drawn() -> list[Case]:
    """Small samples as often as large ones, few hits as often as many, and what gates are asked for."""
    rng = random.Random(15)
    sizes = [round(10 ** rng.uniform(0, 3.699)) for _ in range(CASES)]  # up to 5,000
    return [
        (
            rng.choice([0, of, rng.randint(0, of), min(of, rng.randint(0, 20))]),
            of,
            rng.choice([0.01, 0.05, 0.1, 0.2, round(rng.uniform(0.001, 0.999), 4)]),
            rng.choice([0.0001, 0.01, 0.025, 0.05, 0.3, 0.5]),
        )
        for of in sizes
    ]


def ours(hits: int, of: int, rate: float, delta: float) -> list[float]:
    most = most_hits(of, rate, delta)
    limits = upper_limit(hits, of, delta), lower_limit(hits, of, delta)
    return [at_most(hits, of, rate), *limits, -1 if most is None else most, *wilson(hits, of)]


def theirs(cases: list[Case]) -> list[list[float]]:
    asked = [str(tool("python")), str(SCRIPT)]
    done = subprocess.run(
        asked, input=json.dumps(cases), capture_output=True, text=True, check=True, timeout=300
    )
    told: list[list[float]] = json.loads(done.stdout)
    return told


def test_the_bounds_are_those_of_scipy() -> None:
    cases = drawn()
    told = zip(cases, map(ours, *zip(*cases, strict=True)), theirs(cases), strict=True)
    far = [one for one in told if max(abs(a - b) for a, b in zip(one[1], one[2], strict=True)) > CLOSE]
    assert far == []
