"""What thresholds cost: counted by hand, chosen by the older labels, looser only where the newer prove it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defendctl.evidence.bounds import clopper_pearson, upper_limit
from defendctl.evidence.cost import wrong
from defendctl.evidence.tuning import Examples, LabelledExample, Prices
from tests.evidence.given import OTHER, M, events, spread, tuned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from defendctl.evidence.tuning import JudgedCost, Tuned

ONE_TO_TWENTY = Prices(1, 20)
Rows = list[tuple[float | None, bool]]
SCORE = st.one_of(st.none(), st.integers(0, 100).map(lambda k: k / 100))
ROWS = st.lists(st.tuples(SCORE, st.booleans()), min_size=30, max_size=120)


def by_lot(rows: Sequence[tuple[float | None, bool]]) -> Examples:
    return Examples(by_lot=tuple(LabelledExample({M: score, OTHER: 0.9}, bad) for score, bad in rows))


def half(bad: Sequence[float | None], good: Sequence[float | None]) -> Rows:
    return [*((score, True) for score in bad), *((score, False) for score in good)]


def costed(rows: Rows, today: float, prices: Prices = ONE_TO_TWENTY, **said: float) -> Tuned:
    thresholds = {M: today, OTHER: 0.5}
    return tuned(events(spread(100), other=0.9), thresholds, by_lot(rows), cost=prices, **said)


def cost_of(found: Tuned) -> JudgedCost:
    assert found.cost is not None
    return found.cost


BAD = [(20 + at) / 100 for at in range(20)]
"""Up to 0.39."""
GOOD = [(35 + at) / 100 for at in range(40)]
"""From 0.35: five of them lie where bad ones do."""
BOTH = [*half(BAD, GOOD), *half(BAD, GOOD)]


def test_a_miss_that_is_dear_is_worth_false_alarms() -> None:
    """At 0.4 nothing is missed, and 0.35 to 0.39 are five false alarms; at 0.3 ten are missed."""
    found = costed(BOTH, 0.3)
    cost = cost_of(found)
    assert (found.status, found.exit_code, found.today_is) == ("estimate", 5, "undecided")
    assert (found.metrics[0].suggested, found.metrics[0].direction) == (0.4, "tightens")
    assert (cost.chosen_among, cost.of) == (60, 60)
    assert (cost.today.misses, cost.today.false_alarms) == ((10, 10), (0, 0))
    assert cost.today.an_event == pytest.approx((200 / 60, 200 / 60))
    assert cost.suggested is not None
    assert (cost.suggested.misses, cost.suggested.false_alarms) == ((0, 0), (5, 5))
    assert cost.suggested.an_event == pytest.approx((5 / 60, 5 / 60))
    assert found.metrics[0].range is None
    assert "cost-is-an-estimate" in found.caveats


def test_the_interval_holds_for_both_rates_at_once() -> None:
    cost = cost_of(costed(BOTH, 0.4))
    alarms, misses = clopper_pearson(5, 60, 0.975), clopper_pearson(0, 60, 0.975)
    assert cost.today.interval == pytest.approx([a + 20 * m for a, m in zip(alarms, misses, strict=True)])


@pytest.mark.parametrize(
    ("prices", "suggested"),
    [
        (Prices(1, 0), 0.2),  # nothing is worth a false alarm, and 0.3 has none: see below
        (Prices(1, 1), 0.35),  # five bad from 0.35 to 0.39, and five good: it is all one from 0.35 to 0.4
        (Prices(0, 1), 0.4),
        (Prices(1, 20), 0.4),
    ],
)
def test_what_is_cheapest_follows_from_the_prices(prices: Prices, suggested: float) -> None:
    found = costed(BOTH, 0.2, prices)
    assert found.metrics[0].suggested == (None if suggested == 0.2 else suggested)


def test_of_those_that_cost_the_same_the_nearest_is_taken() -> None:
    """Where a false alarm alone costs, all up to 0.35 are free: also today's."""
    found = costed(BOTH, 0.2, Prices(1, 0))
    assert not found.suggests
    assert found.why == ("cheapest at 1:0: by the older half of the labels that is today's",)
    assert (found.status, found.exit_code) == ("estimate", 5)


def test_looser_only_where_todays_is_proven_to_cost_more() -> None:
    """At 0.6 twenty-five good ones are flagged; 0.4 frees twenty of them, in the newer half as well."""
    found = costed(BOTH, 0.6, Prices(1, 1))
    assert (found.today_is, found.metrics[0].suggested) == ("broken", 0.4)
    assert (found.metrics[0].direction, found.status, found.exit_code) == ("loosens", "estimate", 5)


@pytest.mark.parametrize(("freed", "lost", "loosens"), [(62, 0, True), (61, 0, False), (62, 1, False)])
def test_the_proof_is_the_share_of_bad_ones_among_those_freed(freed: int, lost: int, loosens: bool) -> None:
    """At 1:20 one in 21 may be bad: 62 good ones prove that and 61 do not, for 0.05 ** (1 / 62) > 20 / 21."""
    assert (upper_limit(lost, freed + lost, 0.05) < 1 / 21) is loosens
    older = half([0.1] * 10, [0.5] * freed)
    newer = half([0.1] * 10 + [0.5] * lost, [0.5] * freed)
    rows = [*older, *[(0.5, False)] * (len(newer) - len(older)), *newer]
    found = costed(rows, 0.6)
    assert cost_of(found).of in (len(newer), len(newer) + 1)
    assert found.suggests is loosens
    assert ("does not show that today's costs more" in "".join(found.why)) is not loosens


def test_the_newer_half_may_say_otherwise_than_the_older() -> None:
    """The older one would loosen to 0.4; in the newer one the answers between are bad."""
    newer = half([*BAD, *([0.5] * 20)], GOOD[:20])
    found = costed([*half(BAD, GOOD), *newer], 0.6)
    assert (found.suggests, found.today_is, found.status) == (False, "undecided", "not_provable")
    assert found.why == (
        "cheapest at 1:20: by the older half of the labels that is completeness 0.4; it is not suggested, "
        "for it loosens, and the newer half does not show that today's costs more",
    )


def test_too_few_labels_say_how_many() -> None:
    found = costed([*half(BAD, GOOD), *half(BAD[:9], [*GOOD, *GOOD[:11]])], 0.3)
    assert (found.suggests, found.status, found.exit_code) == (False, "not_provable", 5)
    assert found.why == (
        "cheapest at 1:20: each half of the labels needs 10 events that should be flagged and 10 that should "
        "pass, and has 9 and 40",
    )


@pytest.mark.parametrize("rows", [[], half(BAD, GOOD)[:1]])
def test_no_labels_no_suggestion(rows: Rows) -> None:
    found = costed(rows, 0.3)
    assert (found.suggests, found.exit_code) == (False, 5)
    assert "and has 0 and 0" in found.why[0]


def test_another_goal_that_does_not_allow_the_cheapest() -> None:
    """A flag rate of 20 % allows 0.13, and 0.4 is the cheapest: what both can have is 0.13."""
    found = costed(BOTH, 0.1, max_flag_rate=0.2)
    assert found.metrics[0].range == (0.0, 0.13)
    assert "cheapest at 1:20: that is completeness 0.4, which the other goals do not allow" in found.why
    assert (found.status, found.suggests) == ("estimate", False), "0.1 costs what 0.13 does, and is nearer"
    found = costed(BOTH, 0.1, max_flag_rate=0.4)
    assert (found.metrics[0].range, found.metrics[0].suggested) == ((0.0, 0.31), 0.31)
    assert found.goals[0].suggested == (31, 31)
    assert found.exit_code == 5


def test_goals_that_contradict_each_other_leave_no_cheapest() -> None:
    rows = by_lot(BOTH)
    known = ({M: 0.76, OTHER: 0.9},)
    cases = Examples(known=known, by_lot=rows.by_lot)
    thresholds = {M: 0.1, OTHER: 0.5}
    found = tuned(
        events(spread(100), other=0.9),
        thresholds,
        cases,
        cost=ONE_TO_TWENTY,
        catch="tests",
        max_flag_rate=0.2,
    )
    assert (found.status, found.suggests, found.exit_code) == ("impossible", False, 5)
    assert "no threshold does both" in found.why[-1]


def test_a_goal_that_is_broken_loosens_nothing_that_the_newer_labels_speak_against() -> None:
    """Of flags 0.13 is allowed, but every bad one passes there."""
    found = costed([*half(BAD, GOOD), *half(BAD, [0.35] * 40)], 0.9, max_flag_rate=0.2)
    assert (found.suggests, found.today_is, found.status) == (False, "broken", "not_provable")
    assert "does not show that today's costs more" in found.why[-1]


@given(rows=ROWS)
def test_what_is_unknown_counts_as_wrong_at_most(rows: Rows) -> None:
    alarms, misses = wrong(by_lot(rows).by_lot, {M: 0.5, OTHER: 0.5})
    known = [(score, bad) for score, bad in rows if score is not None]
    unknown = [bad for score, bad in rows if score is None]
    assert alarms[0] == sum(score < 0.5 and not bad for score, bad in known)
    assert misses[0] == sum(score >= 0.5 and bad for score, bad in known)
    assert (alarms[1] - alarms[0], misses[1] - misses[0]) == (unknown.count(False), unknown.count(True))


@given(rows=ROWS, today=st.integers(0, 100).map(lambda k: k / 100), miss=st.sampled_from([1, 5, 20]))
def test_no_threshold_is_cheaper_by_the_older_half(rows: Rows, today: float, miss: int) -> None:
    """By trying each of them; and nothing below today's that the newer half does not prove."""
    found = costed(rows, today, Prices(1, miss))
    older = by_lot(rows[: len(rows) // 2]).by_lot

    def price(at: float) -> float:
        alarms, misses = wrong(older, {M: at, OTHER: 0.5})
        return alarms[1] + miss * misses[1]

    [told] = found.metrics
    assert found.exit_code == 5
    if told.suggested is None:
        return
    assert price(told.suggested) == min(price(k / 100) for k in range(101))
    if told.suggested < today:
        newer = rows[len(rows) // 2 :]
        changed = [bad for score, bad in newer if score is not None and told.suggested <= score < today]
        assert upper_limit(sum(changed), len(changed), 0.05) < 1 / (1 + miss)
