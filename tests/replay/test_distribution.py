"""The distribution says what the scores themselves would: of each threshold that it was made for, exactly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defendctl.replay.distribution import DISTINCT, distribution
from defendctl.replay.replay import fails

scores = (
    st.floats(0, 1) | st.floats(-3, 3) | st.sampled_from([0.1 + 0.2, 0.29, 0.57, 1.0, -0.0]) | st.booleans()
)
thresholds = st.floats(0, 1) | st.integers(0, 100).map(lambda k: k / 100) | st.none()


@given(st.lists(scores, max_size=60), thresholds, thresholds)
def test_few_scores_are_told_one_by_one(told: list[float | bool], before: float, after: float) -> None:
    found = distribution(told, (before, after))
    assert found.bin_width is None
    assert found.total == len(told)
    for threshold in (before, after, *found.scores):
        expected = 0 if threshold is None else sum(fails(score, threshold) for score in told)
        assert found.below(threshold) == expected


@given(st.lists(scores, max_size=40), st.integers(1, 9999), thresholds, thresholds)
def test_many_become_bins_that_lose_nothing(
    some: list[float | bool], seed: int, before: float | None, after: float | None
) -> None:
    """Also with a threshold inside of a hundredth, and with scores that no one expects."""
    told = [*some, *((n * seed % 99991) / 99991 for n in range(1, 400))]
    found = distribution(told, (before, after))
    assert found.bin_width == 0.01
    assert len(found.scores) <= 104
    assert found.total == len(told)
    assert list(found.scores) == sorted(set(found.scores))
    for threshold in (before, after):
        expected = 0 if threshold is None else sum(fails(score, threshold) for score in told)
        assert found.below(threshold) == expected


@pytest.mark.parametrize(("distinct", "binned"), [(DISTINCT, False), (DISTINCT + 1, True)])
def test_bins_begin_where_distinct_scores_are_too_many(distinct: int, binned: bool) -> None:
    found = distribution([n / 1000 for n in range(distinct)] * 3, ())
    assert (found.bin_width is not None) == binned
    assert found.total == 3 * distinct


def test_an_edge_belongs_to_its_bin() -> None:
    """0.29 is a hundredth that 29 * 0.01 misses: a score on an edge must not fall below it."""
    found = distribution([0.29, *(n / 1000 for n in range(300, 600))], (0.29, None))
    assert found.scores[0] == 0.29
    assert found.below(0.29) == 0


def test_verdicts_have_no_place_among_the_scores() -> None:
    found = distribution([True, False, True, 1.0, 0.0], (0.5,))
    assert (found.scores, found.counts, found.passing, found.failing) == ((0.0, 1.0), (1, 1), 2, 1)
