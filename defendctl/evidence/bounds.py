"""Exact bounds of a rate that was seen as so many hits of so many events, and the thresholds that they allow.

All of it holds for events that are independent and alike, and for one look at them. `delta` is everywhere the
probability with which a promise may be false: one less the confidence. Intervals that are only shown are
Wilson's (`replay.wilson`); what is promised or judged is Clopper and Pearson's.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable


GRID: Final = 100
"""Thresholds are looked for among 0, 1/100, ..., 1: k / 100 is the very double that its decimal text is."""

_MOST_EVENTS: Final = 10**9
_STEPS: Final = 100
_NOTHING: Final = 1e-18
"""A share of a sum that no longer changes it."""


def at_most(hits: int, of: int, rate: float) -> float:
    """P(Bin(of, rate) ≤ hits), to 1e-12 for up to 5,000 events. 0 for less than no hit."""
    if hits < 0 or hits >= of:
        return float(hits >= of)
    if rate <= 0 or rate >= 1:
        return float(rate <= 0)
    if hits <= of * rate:
        return _tail(hits, of, rate)
    return 1 - _tail(of - hits - 1, of, 1 - rate)


def most_hits(of: int, rate: float, delta: float) -> int | None:
    """The most hits that still prove a true rate of `rate` at most: the largest c with P(Bin(of, rate) ≤ c) ≤
    delta. None where not even no hit at all does: there are too few events.
    """
    allowed = bisect_right(range(of + 1), delta, key=lambda hits: at_most(hits, of, rate)) - 1
    return None if allowed < 0 else allowed


def least_events(rate: float, delta: float, hits: int = 0) -> int:
    """The fewest events of which so many hits prove a true rate of `rate` at most; 0 < rate < 1."""
    sizes = range(hits + 1, _MOST_EVENTS)
    return sizes[bisect_left(sizes, -delta, key=lambda of: -at_most(hits, of, rate))]


def upper_limit(hits: int, of: int, delta: float) -> float:
    """The one-sided upper bound (C. J. Clopper and E. S. Pearson, 1934): the rate with which so few hits have
    the probability `delta`. 1 where every event is a hit, or there is none.

    Newton's method on the logarithm, halved where it would leave what is known of the root.
    """
    if hits >= of:
        return 1.0
    low, high = hits / of, 1.0
    rate = (hits + 1) / (of + 1)
    for _ in range(_STEPS):
        seen = at_most(hits, of, rate)
        low, high = (rate, high) if seen > delta else (low, rate)
        step = math.log(seen / delta) * seen / _slope(hits, of, rate) if seen > 0 else math.inf
        then = rate + step if low <= rate + step <= high else (low + high) / 2
        if abs(then - rate) <= math.ulp(rate):
            return then
        rate = then
    return rate


def lower_limit(hits: int, of: int, delta: float) -> float:
    """The one-sided lower bound. 0 where no event is a hit, or there is none."""
    return 1 - upper_limit(of - hits, of, delta) if hits else 0.0


def clopper_pearson(hits: int, of: int, confidence: float = 0.95) -> tuple[float, float]:
    """The two-sided interval of one rate, for a threshold that was chosen before looking."""
    half = (1 - confidence) / 2
    return lower_limit(hits, of, half), upper_limit(hits, of, half)


def dkw(of: int, confidence: float = 0.95) -> float:
    """How far every rate by threshold may be from the one seen, at once (P. Massart, 1990). 1 if none."""
    return min(1.0, math.sqrt(math.log(2 / (1 - confidence)) / (2 * of))) if of else 1.0


def highest_threshold(scores: Iterable[float], most: int) -> float | None:
    """Rule A: the highest threshold of the grid with at most `most` of the scores below it. None: `most` < 0.

    With `most` from `most_hits(of, rate, delta)`, whoever takes it is above `rate` with a probability of
    `delta` at most, though it was chosen on the same events: let u be the lowest threshold whose true rate is
    above `rate`. If the one that was found is such, it is not below u, so that at most `most` scores were
    below u, and of that the probability is no more than `delta`.
    """
    if most < 0:
        return None
    ordered = sorted(scores)
    return grid_at_or_below(ordered[most]) if most < len(ordered) else 1.0


def lowest_threshold(scores: Iterable[float], most: int) -> float | None:
    """Rule B: the lowest threshold of the grid with at most `most` of the scores at it or above, which is
    the same rule for misses. None where there is none: a score of 1 lies below no threshold.
    """
    if most < 0:
        return None
    ordered = sorted(scores, reverse=True)
    if most >= len(ordered):
        return 0.0
    above = grid_at_or_below(ordered[most]) * GRID + 1
    return round(above) / GRID if above < GRID + 0.5 else None


def _tail(hits: int, of: int, rate: float) -> float:
    """The sum from `hits` down to 0, for hits at the mean or below it, where its terms only fall."""
    term, total = _mass(hits, of, rate), 0.0
    odds = (1 - rate) / rate
    while hits >= 0 and term > total * _NOTHING:
        total += term
        term *= hits / (of - hits + 1) * odds
        hits -= 1
    return total


def _mass(hits: int, of: int, rate: float) -> float:
    """P(Bin(of, rate) = hits)."""
    ways = math.lgamma(of + 1) - math.lgamma(hits + 1) - math.lgamma(of - hits + 1)
    return math.exp(ways + hits * math.log(rate) + (of - hits) * math.log1p(-rate))


def _slope(hits: int, of: int, rate: float) -> float:
    """How fast P(Bin(of, rate) ≤ hits) falls as the rate rises."""
    return (of - hits) * _mass(hits, of, rate) / (1 - rate) or math.ulp(0.0)


def grid_at_or_below(score: float) -> float:
    """The highest threshold of the grid that passes a score."""
    step = math.floor(score * GRID)
    return max(at for at in (step - 1, step, step + 1) if at / GRID <= score) / GRID
