"""The alarms: against what is published, and what they are meant to notice."""

from __future__ import annotations

import random

import pytest

from defendctl.evidence.assumptions import INFLATED, MOVED, drift_p, inflation, lowest_tenth


def test_the_same_scores_have_not_moved() -> None:
    scores = [at / 50 for at in range(50)]
    assert drift_p(scores, scores) == 1.0
    assert drift_p([], scores) == drift_p(scores, []) == 1.0


@pytest.mark.parametrize(("scaled", "p"), [(1.2239, 0.10), (1.3581, 0.05), (1.6276, 0.01)])
def test_the_p_value_of_a_gap(scaled: float, p: float) -> None:
    """Kolmogorov's critical values, for large samples: of two even spreads the gap is the shift."""
    n = 40_000
    even = [(at + 0.5) / n for at in range(n)]
    shift = round(scaled * (2 / n) ** 0.5 * n) / n
    assert drift_p(even, [at + shift for at in even]) == pytest.approx(p, rel=0.03)


def test_scores_that_moved_are_noticed_whichever_way() -> None:
    even = [(at + 0.5) / 100 for at in range(100)]
    assert drift_p(even, [at + 0.3 for at in even]) < MOVED
    assert drift_p([at + 0.3 for at in even], even) < MOVED


def test_independent_scores_have_the_variance_of_independent_scores() -> None:
    drawn = random.Random(1)
    found = [inflation(lowest_tenth([drawn.random() for _ in range(400)])) for _ in range(200)]
    assert sum(found) / len(found) == pytest.approx(1.0, abs=0.06)


def test_bursts_are_noticed() -> None:
    drawn = random.Random(1)
    burst = [score for _ in range(50) for score in [drawn.random()] * 10]
    assert inflation(lowest_tenth(burst)) > 3 * INFLATED


@pytest.mark.parametrize("scores", [[], [0.5] * 100, [0.1, 0.9] * 10, [1.0] * 24])
def test_what_tells_nothing_is_no_burst(scores: list[float]) -> None:
    assert inflation(lowest_tenth(scores)) == 1.0
