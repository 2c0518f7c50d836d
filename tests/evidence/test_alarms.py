"""How often the alarms sound, and what is false in spite of them, by simulation: what docs/tune.md says."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING

import pytest

from defendctl.evidence.assumptions import INFLATED, MOVED, drift_p, inflation, lowest_tenth
from defendctl.evidence.bounds import highest_threshold, most_hits
from defendctl.exits import Exit
from tests.evidence.given import OTHER, M, event, tuned
from tests.evidence.test_coverage import DELTA, RATE, allowed, share, slack

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

pytestmark = pytest.mark.slow

RUNS = 1_000
ALIKE = 0.3
"""The correlation of two events of one burst."""
of_normal = NormalDist().cdf


def bursts(drawn: random.Random, n: int, size: int) -> list[float]:
    """Scores from 0 to 1 in bursts; the true rate of a threshold below 1 is a tenth of it."""
    told: list[float] = []
    while len(told) < n:
        common = drawn.gauss() * ALIKE**0.5
        told += [of_normal(common + drawn.gauss() * (1 - ALIKE) ** 0.5) for _ in range(size)]
    return [min(1.0, 10 * score) for score in told[:n]]


def is_false(scores: list[float], times: float) -> bool:
    """Of rule A, by as many events as say as much: what tune does with bursts."""
    most = allowed(int(len(scores) / times), RATE, DELTA)
    found = None if most is None else highest_threshold(scores, int(most * times))
    return found is not None and found / 10 > RATE


def corrected(scores: list[float]) -> bool:
    times = inflation(lowest_tenth(scores))
    return is_false(scores, times if times > INFLATED else 1.0)


def noticed(scores: list[float]) -> bool:
    return inflation(lowest_tenth(scores)) > INFLATED


def of_bursts(n: int, size: int, what: Callable[[list[float]], bool]) -> float:
    return share(lambda drawn: what(bursts(drawn, n, size)), RUNS)


def test_independent_events_seldom_look_like_bursts() -> None:
    """One sample in six, and the promise holds in all of them."""
    assert 0.1 < of_bursts(500, 1, noticed) < 0.2
    assert of_bursts(500, 1, corrected) <= DELTA + slack(RUNS)


def test_bursts_of_ten_break_the_rule_and_not_what_is_corrected() -> None:
    assert of_bursts(500, 10, noticed) > 0.8
    assert of_bursts(500, 10, lambda scores: is_false(scores, 1.0)) > DELTA + 0.01
    assert of_bursts(500, 10, corrected) <= DELTA + slack(RUNS)


def test_what_is_called_proven_in_spite_of_bursts_of_thirty() -> None:
    """At 200 events one promise in twelve, and the page says so."""
    assert of_bursts(200, 30, lambda scores: is_false(scores, 1.0)) > 0.15
    assert 0.06 < of_bursts(200, 30, lambda scores: not noticed(scores) and is_false(scores, 1.0)) < 0.11


def test_bursts_of_flags_of_another_metric_break_no_promise() -> None:
    """It stays, and flags just more than the limit, thirty alike at a time; what may move flags nothing."""

    def is_proven(drawn: random.Random) -> bool:
        rates = bursts(drawn, 500, 30)
        seen = [
            event(at, {M: 0.85 + drawn.random() / 10, OTHER: min(1.0, rate / 0.501)})
            for at, rate in enumerate(rates)
        ]
        found = tuned(seen[::-1], {M: 0.5, OTHER: 1.0}, max_flag_rate=RATE)
        return found.exit_code == Exit.OK

    assert share(is_proven, 300) <= DELTA + slack(300)


def test_a_judge_that_did_not_move_seldom_alarms() -> None:
    def alarms(drawn: random.Random) -> bool:
        older, newer = ([drawn.betavariate(5, 2) for _ in range(50)] for _ in range(2))
        return drift_p(older, newer) < MOVED

    assert share(alarms, RUNS) <= 0.012 + 3 * (0.012 / RUNS) ** 0.5


@pytest.mark.parametrize(("n", "least", "most"), [(100, 0.1, 0.25), (500, 0.8, 1.0)])
def test_how_often_a_shift_of_five_hundredths_is_noticed(n: int, least: float, most: float) -> None:
    """At 100 events in one of six cases: silence is no proof."""

    def alarms(drawn: random.Random) -> bool:
        older, newer = ([drawn.betavariate(7, 2) for _ in range(n // 2)] for _ in range(2))
        return drift_p(older, [score - 0.05 for score in newer]) < MOVED

    assert least < share(alarms, RUNS) <= most


def test_a_gate_over_a_million_events_is_still_exact() -> None:
    """By halving, not by trying each: this would not end otherwise."""
    most = most_hits(10**6, 0.05, DELTA)
    assert most is not None
    assert 50_000 - 400 < most < 50_000 - 300, "1.645 standard deviations of 218 below the mean"
