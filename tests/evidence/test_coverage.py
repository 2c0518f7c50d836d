"""How often a promise is false, by simulation: never oftener than it says."""

from __future__ import annotations

import math
import random
from functools import cache
from typing import TYPE_CHECKING

import pytest

from defendctl.evidence.bounds import (
    clopper_pearson,
    dkw,
    highest_threshold,
    lowest_threshold,
    most_hits,
)
from tests.evidence.given import OTHER, M, event, tuned

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.slow

RUNS = 4_000
RATE = DELTA = 0.05


def slack(runs: int) -> float:
    """Three standard deviations of so many runs."""
    return 3 * math.sqrt(DELTA * (1 - DELTA) / runs)


allowed = cache(most_hits)


def fine(drawn: random.Random, n: int) -> list[float]:
    return [min(1.0, 10 * drawn.random()) for _ in range(n)]


def share(of: Callable[[random.Random], bool], runs: int = RUNS) -> float:
    drawn = random.Random(7)
    return sum(of(drawn) for _ in range(runs)) / runs


@pytest.mark.parametrize("n", [59, 100, 500])
def test_rule_a_is_false_in_one_of_twenty_at_most(n: int) -> None:
    """The true rate of a threshold below 1 is a tenth of it, so that the grid is fine."""

    def is_false(drawn: random.Random) -> bool:
        found = highest_threshold(fine(drawn, n), allowed(n, RATE, DELTA) or 0)
        return found is not None and found / 10 > RATE

    assert share(is_false) <= DELTA + slack(RUNS)


@pytest.mark.parametrize("n", [59, 100, 300])
def test_rule_b_is_false_in_one_of_twenty_at_most(n: int) -> None:
    def is_false(drawn: random.Random) -> bool:
        found = lowest_threshold([drawn.random() for _ in range(n)], allowed(n, RATE, DELTA) or 0)
        return found is not None and 1 - found > RATE

    assert share(is_false) <= DELTA + slack(RUNS)


def test_the_share_that_was_seen_promises_nothing() -> None:
    """Whoever takes the highest threshold with 5 % below it is wrong every third time or oftener: a
    simulation that could not tell would tell nothing of the rules."""

    def is_false(drawn: random.Random) -> bool:
        found = highest_threshold(fine(drawn, 100), 5)
        return found is not None and found / 10 > RATE

    assert share(is_false) > 0.3


@pytest.mark.parametrize("n", [50, 200])
def test_the_band_of_every_threshold_holds_at_once(n: int) -> None:
    def leaves(drawn: random.Random) -> bool:
        ordered = sorted(drawn.random() for _ in range(n))
        gaps = (max(at - k / n, (k + 1) / n - at) for k, at in enumerate(ordered))
        return max(gaps) > dkw(n)

    assert share(leaves) <= DELTA + slack(RUNS)


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.12, 0.5])
@pytest.mark.parametrize("n", [20, 100])
def test_the_interval_covers(n: int, rate: float) -> None:
    """Not by chance: by the probability of each number of hits."""
    mass = [math.comb(n, k) * rate**k * (1 - rate) ** (n - k) for k in range(n + 1)]
    covered = (clopper_pearson(k, n) for k in range(n + 1))
    told = math.fsum(p for p, (low, high) in zip(mass, covered, strict=True) if low <= rate <= high)
    assert told >= 0.95 - 1e-12


def test_looking_until_it_passes_is_another_promise() -> None:
    """Every 50 events up to 950, at a rate that is just too high: three times as often, but with --looks."""

    def passes(drawn: random.Random, delta: float) -> bool:
        hits = 0
        for n in range(50, 951, 50):
            hits += sum(drawn.random() < 0.0501 for _ in range(50))
            most = allowed(n, RATE, delta)
            if most is not None and hits <= most:
                return True
        return False

    assert 0.12 < share(lambda drawn: passes(drawn, DELTA), 1_000) < 0.19
    assert share(lambda drawn: passes(drawn, DELTA / 19), 1_000) < 0.03


def test_several_metrics_at_once_keep_the_promise() -> None:
    """Two that are alike in part, on a path from the older half; today's thresholds are far too strict."""
    runs, today = 400, {M: 0.9, OTHER: 0.9}

    def rate_of(at: dict[str, float]) -> float:
        """Of max(u, w) and of (u + w) / 2, by a grid."""
        points = [(k + 0.5) / 60 for k in range(60)]
        below = sum(max(u, w) < at[M] or (u + w) / 2 < at[OTHER] for u in points for w in points)
        return below / 3600

    def is_false(drawn: random.Random) -> bool:
        pairs = [(drawn.random(), drawn.random()) for _ in range(300)]
        seen = [event(k, {M: max(u, w), OTHER: (u + w) / 2}) for k, (u, w) in enumerate(pairs)]
        found = tuned(seen[::-1], today, metrics=(M, OTHER), max_flag_rate=0.2)
        then = {one.metric: one.suggested for one in found.metrics if one.suggested is not None}
        return found.status == "proven" and len(then) == 2 and rate_of(then) > 0.2 + 0.005

    assert share(is_false, runs) <= DELTA + slack(runs)
