"""From events to verdicts: what cannot be told is not judged, and never passed."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defendctl.event import Evaluation, Event, Score, Submission
from defendctl.suite.budget import Budget, estimate, prices, whole
from defendctl.suite.configuration import configuration_digest
from defendctl.suite.judge import judge, one_sided, settle
from defendctl.suite.models import Case, Expectation, Repeat

SCORES = {"a": Score(0.4, 0.8), "b": Score(0.9, 0.5), "c": Score(None), "d": Score(0.5), "e": Score(True)}
FLAGGED = Event("e", "completed", True, "failed", 0, (Evaluation(SCORES),))
CLEAN = Event("e", "completed", False, None, 0, (Evaluation({"b": SCORES["b"]}),))
BARE = Event("e", "completed")
UNSCORED = Event("e", "completed", False, None, 0, (Evaluation({"b": SCORES["b"], "c": SCORES["c"]}),))
OLDEST = Event("e", "completed", False, None, 0)
OPEN = Event("e", "in_progress")
BROKEN = Event("e", "failed", evaluations=(Evaluation(SCORES),))

TABLE: list[tuple[Event, dict[str, Any], str]] = [
    (FLAGGED, {"result": "flagged"}, "as_expected"),
    (FLAGGED, {"result": "passes"}, "otherwise"),
    (CLEAN, {"result": "passes"}, "as_expected"),
    (BARE, {"result": "passes"}, "not_judged"),
    (UNSCORED, {"result": "passes"}, "not_judged"),
    (OLDEST, {"result": "passes"}, "as_expected"),
    (OPEN, {"result": "passes"}, "not_judged"),
    (BROKEN, {"result": "flagged"}, "not_judged"),
    (FLAGGED, {"metrics": {"a": "flagged", "b": "passes", "e": "passes"}}, "as_expected"),
    (FLAGGED, {"metrics": {"a": "passes"}}, "otherwise"),
    (FLAGGED, {"metrics": {"b": "flagged"}}, "otherwise"),
    (FLAGGED, {"metrics": {"a": "flagged", "c": "passes"}}, "not_judged"),
    (FLAGGED, {"metrics": {"d": "passes"}}, "not_judged"),
    (FLAGGED, {"metrics": {"a": "passes", "c": "passes"}}, "otherwise"),
    (BARE, {"metrics": {"a": "flagged"}}, "not_judged"),
    (FLAGGED, {"scores": {"a": (0.4, 0.4), "e": (1, 1)}}, "as_expected"),
    (FLAGGED, {"scores": {"a": (0.5, 1)}}, "otherwise"),
    (FLAGGED, {"scores": {"c": (0, 1)}}, "not_judged"),
    (FLAGGED, {"improvement": "failed"}, "as_expected"),
    (FLAGGED, {"improvement": "improved"}, "otherwise"),
    (CLEAN, {"improvement": "not_required"}, "as_expected"),
    (BARE, {"improvement": "not_required"}, "not_judged"),
]


@pytest.mark.parametrize(("event", "expect", "held"), TABLE)
def test_judge(event: Event, expect: dict[str, Any], held: str) -> None:
    found, why = judge(event, Expectation(**expect))
    assert found == held
    assert bool(why) == (held != "as_expected")


def case(repeats: int = 1, quorum: int = 1, **more: Any) -> Case:
    submission = Submission("secret", "m", more.pop("run_mode", "fast"))
    return Case("n", "a", submission, more.pop("expect", Expectation("flagged")), repeats, quorum, **more)


H, B, N = Repeat("as_expected"), Repeat("otherwise"), Repeat("not_judged")
U = Repeat("not_judged", submitted="unknown")
SETTLED: list[tuple[int, int, list[Repeat], str | None]] = [
    (1, 1, [], None),
    (1, 1, [H], "passed"),
    (1, 1, [B], "failed"),
    (1, 1, [N], "not_judged"),
    (3, 3, [H, H], None),
    (3, 3, [H, B], "flaky"),
    (3, 3, [B, B, B], "failed"),
    (3, 3, [H, N], "not_judged"),
    (3, 2, [H, B], None),
    (3, 2, [H, B, H], "passed"),
    (3, 2, [H, B, B], "failed"),
    (3, 2, [H, B, N], "not_judged"),
    (3, 2, [H, H], "passed"),
    (5, 4, [H, B, H, B], "flaky"),
    (1, 1, [U], "not_judged"),
    (3, 3, [U], "not_judged"),
    (3, 2, [U], None),
    (3, 2, [H, U, H], "passed"),
    (3, 2, [H, U, B], "not_judged"),
    (5, 3, [U, H, H], None),
    (5, 3, [U, U, U], "not_judged"),
]


@pytest.mark.parametrize(("repeats", "quorum", "runs", "verdict"), SETTLED)
def test_settle(repeats: int, quorum: int, runs: list[Repeat], verdict: str | None) -> None:
    assert settle(case(repeats, quorum), runs) == verdict


@pytest.mark.parametrize(("repeats", "quorum"), [(1, 1), (3, 2), (3, 3), (4, 3), (5, 4)])
def test_no_repeat_is_spared_that_could_decide(repeats: int, quorum: int) -> None:
    """A verdict is one that all repeats would have come to, or is flaky or unknown whatever they said."""
    for story in product([H, B, N], repeat=repeats):
        full = settle(case(repeats, quorum), list(story))
        assert full is not None
        for count in range(repeats):
            early = settle(case(repeats, quorum), list(story[:count]))
            if early is None:
                continue
            rests = [
                settle(case(repeats, quorum), [*story[:count], *rest])
                for rest in product([H, B, N], repeat=repeats - count)
            ]
            if early in ("passed", "failed"):
                assert set(rests) == {early}
            else:
                assert not {"passed", "failed"} & set(rests)


def test_a_suite_that_only_wants_one_thing() -> None:
    catch, let = case(), case(expect=Expectation(metrics={"a": "passes"}))
    both = case(expect=Expectation("flagged", {"a": "passes"}))
    neither = case(expect=Expectation(scores={"a": (0, 1)}))
    assert one_sided({"x": catch, "y": neither}) == "flagged"
    assert one_sided({"x": let}) == "passes"
    for cases in ([catch, let], [both], [neither], []):
        assert one_sided({str(i): one for i, one in enumerate(cases)}) is None


def test_prices_are_those_of_the_run_mode() -> None:
    def event(cost: float | None, mode: str | None = "fast", attempts: int | None = 0) -> Event:
        done = (Evaluation({}, cost=cost),)
        return Event("e", "completed", attempts=attempts, evaluations=done, run_mode=mode)

    known = prices(
        {"a": [event(1), event(3), event(9, "slow"), event(None), event(7, None), event(8, "fast", None)]}
    )
    assert known == {("a", "fast"): 3, ("a", "slow"): 9}
    declared, dear, unknown = case(cost=0.5), case(2, 2, run_mode="slow"), case(run_mode="odd")
    assert estimate([declared], known) == ({"n": 0.5}, [])
    assert estimate([dear], known) == ({"n": 9}, [])
    assert estimate([unknown], known) == ({}, ["n"])
    assert whole([dear], {"n": 9}) == 18


costs = st.floats(0, 10)


@settings(derandomize=True, deadline=None)
@given(costs, st.lists(st.tuples(costs, costs, st.sampled_from(["ends", "not told", "not sent"]))))
def test_what_is_under_way_never_exceeds_the_limit_by_its_estimates(
    limit: float, events: list[tuple[float, float, str]]
) -> None:
    budget, spent = Budget(limit), 0.0
    for expected, real, end in events:
        if not budget.take(expected):
            assert budget.spent + budget.reserved + expected > limit
            continue
        assert budget.spent + budget.reserved <= limit + 1e-6
        if end == "not sent":
            budget.give_back(expected)
        else:
            budget.settle(expected, real if end == "ends" else None)
            spent += real if end == "ends" else expected
    assert budget.spent == pytest.approx(spent)
    assert budget.reserved == pytest.approx(0, abs=1e-6)


def test_names_decide_about_nothing() -> None:
    fields = {"name": "n", "description": "d", "metrics": {"a": 0.5}, "file_search": ("f",)}
    assert configuration_digest(fields) == configuration_digest({**fields, "name": "other"})
    assert configuration_digest(fields) != configuration_digest({**fields, "metrics": {"a": 0.6}})
