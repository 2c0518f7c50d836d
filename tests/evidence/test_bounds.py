"""The bounds against sums of fractions, which round nothing, and the laws that make the rules sound."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defendctl.evidence.bounds import (
    at_most,
    clopper_pearson,
    dkw,
    highest_threshold,
    least_events,
    lower_limit,
    lowest_threshold,
    most_hits,
    upper_limit,
)

DELTA = 0.05
SIZES = st.integers(1, 150)
RATES = st.integers(1, 99).map(lambda k: k / 100)
SCORES = st.lists(
    st.one_of(st.integers(0, 100).map(lambda k: k / 100), st.floats(0, 1, allow_nan=False)), max_size=60
)


def exactly(hits: int, of: int, rate: float) -> Fraction:
    """P(Bin(of, rate) ≤ hits), of the rate as the double that it is."""
    p = Fraction(rate)
    return sum((math.comb(of, k) * p**k * (1 - p) ** (of - k) for k in range(min(hits, of) + 1)), Fraction(0))


def below(scores: list[float], threshold: float) -> int:
    return sum(score < threshold for score in scores)


@given(hits=st.integers(-1, 151), of=SIZES, rate=RATES)
def test_the_sum_is_that_of_fractions(hits: int, of: int, rate: float) -> None:
    assert at_most(hits, of, rate) == pytest.approx(float(exactly(hits, of, rate)), abs=1e-13, rel=1e-11)


@pytest.mark.parametrize(("hits", "of"), [(0, 1), (2, 2), (3, 2)])
@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_a_rate_of_nothing_or_all_is_no_chance(hits: int, of: int, rate: float) -> None:
    assert at_most(hits, of, rate) == float(exactly(hits, of, rate))


@pytest.mark.parametrize(
    ("of", "hits"),
    [(58, None), (59, 0), (92, 0), (93, 1), (200, 4), (500, 16), (1000, 38), (5000, 224)],
)
def test_hits_that_prove_five_percent(of: int, hits: int | None) -> None:
    assert most_hits(of, 0.05, DELTA) == hits


@pytest.mark.parametrize("of", [59, 60, 93, 200, 777])
def test_one_more_hit_proves_nothing(of: int) -> None:
    allowed = most_hits(of, 0.05, DELTA)
    assert allowed is not None
    assert exactly(allowed, of, 0.05) <= Fraction(DELTA) < exactly(allowed + 1, of, 0.05)


@pytest.mark.parametrize(("rate", "events"), [(0.01, 299), (0.05, 59), (0.10, 29), (0.20, 14)])
def test_the_fewest_events_that_prove_anything(rate: float, events: int) -> None:
    """S. S. Wilks's 59, and its like for other limits."""
    assert least_events(rate, DELTA) == events
    assert most_hits(events - 1, rate, DELTA) is None
    assert most_hits(events, rate, DELTA) == 0


@given(hits=st.integers(0, 40), rate=RATES, delta=st.sampled_from([0.001, 0.01, 0.05, 0.1, 0.4]))
def test_the_fewest_events_for_so_many_hits(hits: int, rate: float, delta: float) -> None:
    events = least_events(rate, delta, hits)
    assert (most_hits(events, rate, delta) or 0) >= hits
    before = most_hits(events - 1, rate, delta) if events > hits + 1 else None
    assert before is None or before < hits


@given(of=SIZES, rate=RATES, delta=RATES)
def test_a_looser_promise_allows_no_fewer(of: int, rate: float, delta: float) -> None:
    def allowed(rate: float, delta: float) -> int:
        found = most_hits(of, rate, delta)
        return -1 if found is None else found

    assert allowed(rate, delta) <= allowed(min(rate + 0.01, 1.0), delta)
    assert allowed(rate, delta) <= allowed(rate, min(delta + 0.01, 1.0))


@given(of=SIZES, hits=st.integers(0, 150), delta=st.sampled_from([0.001, 0.025, 0.05, 0.3]))
def test_the_limits_solve_the_equation_they_come_from(of: int, hits: int, delta: float) -> None:
    hits = min(hits, of)
    upper, lower = upper_limit(hits, of, delta), lower_limit(hits, of, delta)
    assert lower <= hits / of <= upper
    if hits < of:
        assert float(exactly(hits, of, upper)) == pytest.approx(delta, rel=1e-9)
    if hits:
        assert 1 - float(exactly(hits - 1, of, lower)) == pytest.approx(delta, rel=1e-9)


@given(of=SIZES, hits=st.integers(0, 150), rate=RATES)
def test_the_upper_limit_and_the_most_hits_say_the_same(of: int, hits: int, rate: float) -> None:
    """A gate counts hits, a report shows a limit: they never contradict."""
    hits, allowed = min(hits, of), most_hits(of, rate, DELTA)
    limit = upper_limit(hits, of, DELTA)
    assert abs(limit - rate) < 1e-12 or (limit < rate) == (allowed is not None and hits <= allowed)


def test_no_event_says_nothing() -> None:
    assert clopper_pearson(0, 0) == (0.0, 1.0)
    assert most_hits(0, 0.5, DELTA) is None
    assert dkw(0) == 1.0


def test_intervals_as_published() -> None:
    """A. Agresti and B. A. Coull, 1998: 0 of 10 and 5 of 10 at 95 %."""
    assert clopper_pearson(0, 10) == pytest.approx((0, 0.3085), abs=5e-5)
    assert clopper_pearson(5, 10) == pytest.approx((0.1871, 0.8129), abs=5e-5)


def test_the_band_of_every_threshold_at_once() -> None:
    assert dkw(500) == pytest.approx(math.sqrt(math.log(40) / 1000))
    assert dkw(1) == 1.0


@given(scores=SCORES, most=st.integers(-1, 70))
def test_the_highest_threshold_is_allowed_and_the_next_is_not(scores: list[float], most: int) -> None:
    found = highest_threshold(scores, most)
    if most < 0:
        assert found is None
        return
    assert found is not None
    assert found == round(found * 100) / 100
    assert below(scores, found) <= most
    assert found == 1.0 or below(scores, (round(found * 100) + 1) / 100) > most


@given(scores=SCORES, most=st.integers(-1, 70))
def test_the_lowest_threshold_is_allowed_and_the_next_is_not(scores: list[float], most: int) -> None:
    def missed(threshold: float) -> int:
        return len(scores) - below(scores, threshold)

    found = lowest_threshold(scores, most)
    if found is None:
        assert most < 0 or missed(1.0) > most
        return
    assert missed(found) <= most
    assert found == 0.0 or missed((round(found * 100) - 1) / 100) > most


@given(scores=SCORES, added=st.floats(0, 1), most=st.integers(0, 70))
def test_one_more_flag_never_allows_more(scores: list[float], added: float, most: int) -> None:
    found, then = highest_threshold(scores, most), highest_threshold([*scores, added], most)
    assert found is not None
    assert then is not None
    assert then <= found


@pytest.mark.parametrize(
    ("scores", "most", "highest", "lowest"),
    [
        ([], 0, 1.0, 0.0),
        ([0.6] * 59, 0, 0.6, 0.61),
        ([0.6] * 59, 58, 0.6, 0.61),
        ([0.6] * 59, 59, 1.0, 0.0),
        ([1.0] * 59, 0, 1.0, None),
        ([0.0] * 59, 0, 0.0, 0.01),
        ([0.3] * 30 + [0.7] * 29, 29, 0.3, 0.31),
        ([0.3] * 30 + [0.7] * 29, 30, 0.7, 0.31),
        ([0.29, 0.57, 0.58], 0, 0.29, 0.59),
        ([0.995], 0, 0.99, 1.0),
    ],
)
def test_ties(scores: list[float], most: int, highest: float, lowest: float | None) -> None:
    """Equal passes: a threshold flags what is below it."""
    assert highest_threshold(scores, most) == highest
    assert lowest_threshold(scores, most) == lowest


@pytest.mark.parametrize("k", range(101))
def test_the_grid_is_what_a_manifest_says(k: int) -> None:
    literal = float(f"{k // 100}.{k % 100:02}")
    assert highest_threshold([literal], 0) == literal
