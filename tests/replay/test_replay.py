"""The arithmetic of a replay: tables for what is decided, and a law against a count done the slow way."""

from __future__ import annotations

from fractions import Fraction
from math import sqrt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defendctl.diagnostics import Span
from defendctl.event import Event, Scored
from defendctl.model import Binding, FieldPath, Observed, Workflow
from defendctl.plan.changes import IMPOSSIBLE, MISSING, UNRESOLVED, Change, Reason
from defendctl.plan.compare import FieldChange
from defendctl.replay.distribution import Distribution
from defendctl.replay.lint import lint, wants_events
from defendctl.replay.proposals import not_replayed, proposal, proposals, standing, thresholds_today
from defendctl.replay.replay import MetricReplay, Proposal, Replay, replay, verdict, wilson
from defendctl.replay.sample import Sample
from tests.plan.given import bound, of_kind

METRICS = ("completeness", "correctness", "context_adherence")
GRID = [number / 20 for number in range(21)]


def event(
    event_id: str = "e", /, *, at: str | None = None, mode: str | None = "fast", **scores: Any
) -> Scored:
    return Scored(event_id, at, mode, scores)


def took(*costs: float, mode: str = "fast", **scores: Any) -> Scored:
    """An event that took as many evaluations, at these costs."""
    return Scored("e", None, mode, scores, attempts=len(costs), cost=sum(costs), costs=costs)


def asks(before: dict[str, float], after: dict[str, float], most: int = 4, same: bool = True) -> Proposal:
    return Proposal("a", "wkfl_a", before, after, most, same)


def replayed(before: dict[str, float], after: dict[str, float], *events: Scored, **more: Any) -> Replay:
    return replay(asks(before, after, **more), events, 50, Sample())


# --- Wilson ---

PUBLISHED = [
    (81, 263, 0.2553, 0.3662),
    (15, 148, 0.0624, 0.1605),
    (0, 20, 0.0, 0.1611),
    (1, 29, 0.0061, 0.1718),
]
"""R. G. Newcombe, Two-sided confidence intervals for the single proportion, 1998, table I, method 3."""


@pytest.mark.parametrize(("hits", "of", "least", "most"), PUBLISHED)
def test_wilson_as_published(hits: int, of: int, least: float, most: float) -> None:
    assert wilson(hits, of) == pytest.approx((least, most), abs=5e-5)


@pytest.mark.parametrize(("hits", "of"), [(0, 1), (1, 1), (50, 50), (0, 50), (7, 9)])
def test_wilson_solves_the_equation_it_comes_from(hits: int, of: int) -> None:
    """At its ends, the rate lies 1.96 standard errors of that end away; 0 and 1 are exact."""
    least, most = wilson(hits, of)
    assert 0 <= least <= hits / of <= most <= 1
    for end in {least, most} - {0.0, 1.0}:
        assert abs(hits / of - end) == pytest.approx(1.959963984540054 * sqrt(end * (1 - end) / of))
    assert (least == 0) == (hits == 0)
    assert (most == 1) == (hits == of)


def test_nothing_is_known_of_no_event() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


# --- one event ---

VERDICTS = [
    ({"completeness": 0.8}, {"completeness": 0.8}, False, "equal passes"),
    ({"completeness": 0.7999999999999999}, {"completeness": 0.8}, True, "below fails"),
    ({"completeness": 0.9}, {"completeness": 0.8}, False, "above passes"),
    ({"completeness": None}, {"completeness": 0.8}, None, "without a score: unknown, never 0"),
    ({}, {"completeness": 0.0}, None, "not evaluated: unknown, even where nothing can fail"),
    ({"completeness": 0.1}, {"completeness": 0.8, "correctness": 0.5}, True, "one known failure decides"),
    ({"completeness": 0.9}, {"completeness": 0.8, "correctness": 0.5}, None, "the other one would decide"),
    ({"completeness": True}, {"completeness": 1.0}, False, "a verdict that says yes passes"),
    ({"completeness": False}, {"completeness": 0.0}, True, "one that says no fails, whatever the threshold"),
    ({"correctness": 0.1}, {"completeness": 0.0}, None, "a metric nobody asks for decides nothing"),
    ({}, {}, False, "without a metric nothing fails"),
]


@pytest.mark.parametrize(("scores", "thresholds", "expected", "why"), VERDICTS, ids=lambda v: str(v)[:40])
def test_verdict(scores: Any, thresholds: dict[str, float], expected: bool | None, why: str) -> None:
    assert verdict(scores, thresholds) is expected, why


# --- several ---


def test_a_threshold_goes_up() -> None:
    events = [event(f"e{n}", completeness=n / 10) for n in range(10)]
    found = replayed({"completeness": 0.3}, {"completeness": 0.5}, *events)
    told = Distribution(tuple(n / 10 for n in range(10)), (1,) * 10)
    assert found.metrics == (MetricReplay("completeness", 0.3, 0.5, 10, 0, 3, 5, 1, told),)
    assert found.before is not None
    assert found.after is not None
    assert (found.before.fails, found.before.known, found.before.unknown) == (3, 10, 0)
    assert (found.after.fails, found.after.rate) == (5, 0.5)
    assert found.after.interval == wilson(5, 10)
    assert (found.newly_flagged, found.no_longer_flagged) == (("e3", "e4"), ())
    assert (found.events, found.asked, found.enough) == (10, 50, False)


def test_a_threshold_goes_down() -> None:
    found = replayed({"correctness": 0.5}, {"correctness": 0.4}, event("x", correctness=0.4))
    assert (found.newly_flagged, found.no_longer_flagged) == ((), ("x",))
    assert found.metrics[0].ties == 1


def test_a_new_metric_has_no_scores_yet() -> None:
    """Who fails already still fails; of the others nobody knows, and they change no side."""
    events = [event("bad", completeness=0.1), event("good", completeness=0.9)]
    found = replayed({"completeness": 0.5}, {"completeness": 0.5, "correctness": 0.7}, *events)
    assert found.after is not None
    assert (found.after.fails, found.after.known, found.after.unknown) == (1, 1, 1)
    assert found.after.bounds == (0.5, 1.0)
    assert found.metrics[1] == MetricReplay("correctness", None, 0.7, 0, 2, 0, 0, 0)
    assert (found.newly_flagged, found.no_longer_flagged) == ((), ())


def test_a_metric_goes() -> None:
    found = replayed(
        {"completeness": 0.5, "correctness": 0.5},
        {"correctness": 0.5},
        event("x", completeness=0.1, correctness=0.5),
    )
    assert found.metrics[0] == MetricReplay(
        "completeness", 0.5, None, 1, 0, 1, 0, 0, Distribution((0.1,), (1,))
    )
    assert found.no_longer_flagged == ("x",)


def test_a_verdict_is_no_tie() -> None:
    found = replayed({"completeness": 0.5}, {"completeness": 1.0}, event(completeness=True))
    assert (found.metrics[0].ties, found.metrics[0].fails_after) == (0, 0)


def test_no_events() -> None:
    found = replayed({"completeness": 0.5}, {"completeness": 0.6})
    assert found.before == found.after
    assert found.after is not None
    assert (found.after.rate, found.after.bounds, found.after.interval) == (None, None, (0.0, 1.0))
    assert (found.window, found.evaluations_after, found.cost_before, found.enough) == (
        None,
        None,
        None,
        False,
    )


def test_window_and_run_modes() -> None:
    times = ["2026-11-02T10:00:00.5Z", "2026-11-02T10:00:00Z", None, "2026-11-02T10:00:00.25+00:00"]
    modes = ["fast", "precision", None, "fast"]
    events = [event(at=at, mode=mode) for at, mode in zip(times, modes, strict=True)]
    found = replayed({}, {}, *events)
    assert found.window == ("2026-11-02T10:00:00Z", "2026-11-02T10:00:00.5Z")
    assert list(found.run_modes.items()) == [("fast", 2), ("precision", 1), ("unknown", 1)]


def test_a_sample_is_of_the_newest() -> None:
    events = [event(f"e{n}", completeness=n / 10) for n in range(10)]
    found = replay(asks({"completeness": 0.3}, {"completeness": 0.5}), events, 10, Sample(4, 3))
    assert (found.events, found.asked, found.wanted, found.enough) == (4, 4, 4, True)
    assert found.before is not None
    assert found.before.fails == 3
    assert replay(asks({}, {}), events, 10, Sample(12)).wanted == 12


@pytest.mark.parametrize(("count", "enough"), [(19, False), (20, True)])
def test_enough_is_of_all_events(count: int, enough: bool) -> None:
    """Those without a score are no reason for a gate to stay open: it cannot be evaluated then."""
    events = [event()] * count
    assert replayed({"completeness": 0.5}, {"completeness": 0.6}, *events).enough is enough


# --- evaluations and what they cost ---

LOADS = [
    ("passes: one", took(1, 1, completeness=0.9), {}, (1, 1)),
    ("fails anew: from two to all", took(1, completeness=0.6), {}, (2, 4)),
    ("unknown: from one to all", took(1, completeness=None), {}, (1, 4)),
    ("nothing is done about a failure", took(1, completeness=0.1), {"most": 1}, (1, 1)),
    ("failed before, at another threshold", took(1, 1, completeness=0.1), {}, (2, 4)),
]
UNMOVED = [
    (
        "the same failure at the same threshold: what it took",
        took(1, 1, 1, completeness=0.1, correctness=0.9),
        {},
        (3, 3),
    ),
    ("more is done about it", took(1, 1, 1, completeness=0.1, correctness=0.9), {"same": False}, (2, 4)),
    ("it took more than it may", took(*[1] * 5, completeness=0.1, correctness=0.9), {}, (2, 4)),
    ("nothing was done then", took(1, completeness=0.1, correctness=0.9), {}, (2, 4)),
    ("something else fails as well", took(1, 1, completeness=0.1, correctness=0.55), {}, (2, 4)),
    ("something else might fail as well", took(1, 1, completeness=0.1), {}, (2, 4)),
]


@pytest.mark.parametrize(("one", "more", "expected"), [each[1:] for each in LOADS], ids=[e[0] for e in LOADS])
def test_evaluations(one: Scored, more: dict[str, Any], expected: tuple[int, int]) -> None:
    found = replayed({"completeness": 0.5}, {"completeness": 0.7}, one, **more)
    assert found.evaluations_before == (one.attempts, one.attempts)
    assert found.evaluations_after == expected


@pytest.mark.parametrize(
    ("one", "more", "expected"), [each[1:] for each in UNMOVED], ids=[e[0] for e in UNMOVED]
)
def test_evaluations_where_the_failing_metric_is_left_alone(
    one: Scored, more: dict[str, Any], expected: tuple[int, int]
) -> None:
    before = {"completeness": 0.5, "correctness": 0.5}
    found = replayed(before, {**before, "correctness": 0.6}, one, **more)
    assert found.evaluations_after == expected


def test_costs() -> None:
    """First evaluations cost what they did; further ones between the cheapest and the dearest of the mode."""
    events = [
        took(0.04, 0.01, completeness=0.6),
        took(0.03, completeness=0.65),
        took(0.5, mode="precision", completeness=0.6),
        Scored("running", None, "fast", {"completeness": 0.1}, attempts=0),
        Scored("untold", None, "fast", {"completeness": 0.9}, attempts=1),
    ]
    found = replayed({"completeness": 0.5}, {"completeness": 0.7}, *events)
    assert found.evaluations_before == (1.25, 1.25)
    assert found.evaluations_after == ((2 + 2 + 2 + 1) / 4, (4 + 4 + 4 + 1) / 4)
    assert found.cost_before == pytest.approx((0.58 / 3, 0.58 / 3))
    least = (0.04 + 0.01) + (0.03 + 0.01) + 0.5
    most = (0.04 + 3 * 0.04) + (0.03 + 3 * 0.04) + 4 * 0.5
    assert found.cost_after == pytest.approx((least / 3, most / 3))


def test_costs_of_what_goes_on_as_it_did() -> None:
    before = {"completeness": 0.5, "correctness": 0.5}
    found = replayed(
        before, {**before, "correctness": 0.6}, took(0.04, 0.01, completeness=0.1, correctness=1.0)
    )
    assert found.cost_after == found.cost_before == (0.05, 0.05)


def test_no_cost_where_a_metric_comes() -> None:
    found = replayed(
        {"completeness": 0.5}, {"completeness": 0.5, "correctness": 0.1}, took(0.04, completeness=0.6)
    )
    assert found.cost_before == (0.04, 0.04)
    assert found.cost_after is None


# --- the law ---

scores = st.dictionaries(st.sampled_from(METRICS), st.one_of(st.none(), st.booleans(), st.sampled_from(GRID)))
thresholds = st.dictionaries(st.sampled_from(METRICS), st.sampled_from(GRID))


def naive(told: dict[str, Any], least: dict[str, float]) -> str:
    """By trying: what could each missing score make of it?"""
    outcomes = set()
    missing = [metric for metric in least if told.get(metric) is None]
    for guess in (False, True):
        filled = {**told, **dict.fromkeys(missing, guess)}
        passes = [
            filled[metric] if isinstance(filled[metric], bool) else Fraction(filled[metric]) >= Fraction(bar)
            for metric, bar in least.items()
        ]
        outcomes.add("passes" if all(passes) else "fails")
    return outcomes.pop() if len(outcomes) == 1 else "unknown"


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(scores, max_size=12), thresholds, thresholds)
def test_the_numbers_are_those_of_a_naive_count(
    told: list[dict[str, Any]], before: dict[str, float], after: dict[str, float]
) -> None:
    events = [Scored(f"e{n}", None, None, each) for n, each in enumerate(told)]
    found = replayed(before, after, *events)
    sides = [(naive(each, before), naive(each, after)) for each in told]
    for index, side in enumerate((found.before, found.after)):
        assert side is not None
        words = [each[index] for each in sides]
        assert (side.fails, side.unknown) == (words.count("fails"), words.count("unknown"))
        assert side.known + side.unknown == len(told)
        assert side.interval[0] <= (side.rate or 0.0) <= side.interval[1] or not side.known
    flips: dict[tuple[str, str], list[str]] = {("passes", "fails"): [], ("fails", "passes"): []}
    for number, each in enumerate(sides):
        flips.get(each, []).append(f"e{number}")
    assert found.newly_flagged == tuple(flips["passes", "fails"])
    assert found.no_longer_flagged == tuple(flips["fails", "passes"])
    for row in found.metrics:
        values = [each.get(row.metric) for each in told]
        given_ = [value for value in values if value is not None]
        assert (row.scored, row.unscored) == (len(given_), values.count(None))
        for bar, counted in (
            (before.get(row.metric), row.fails_before),
            (after.get(row.metric), row.fails_after),
        ):
            one = {} if bar is None else {row.metric: bar}
            assert counted == [naive({row.metric: value}, one) for value in given_].count("fails")
        plain = [value for value in given_ if not isinstance(value, bool)]
        assert row.ties == sum(value == after.get(row.metric) for value in plain)


# --- which workflows, and why not the others ---

DESIRED = Workflow("n", "custom", {"completeness": 0.9}, "fixit", max_retries=3)
AUTOMATIC = Workflow("n", "automatic", {"completeness": "low"}, "none")
LIVE = {"type": "custom", "metrics": {"completeness": 0.8}}


def moved(path: str) -> FieldChange:
    return FieldChange(FieldPath(path), None, None, None, "live", "pending", "tightens")


def change(
    action: Any,
    live: dict[str, Any] | None = LIVE,
    *paths: str,
    desired: Workflow | None = DESIRED,
    binding: Binding | None = None,
    reason: str | None = None,
    workflow_id: str | None = "wkfl_a",
) -> Change:
    return of_kind(
        action,
        address="a",
        workflow_id=workflow_id,
        reason=Reason(reason or IMPOSSIBLE, "text"),
        direction="tightens",
        fields=tuple(moved(path) for path in paths or ("metrics.completeness",)),
        desired=desired,
        observed=None if live is None else Observed("wkfl_a", live),
        binding=binding or bound({}),
    )


def test_a_custom_workflow_with_a_new_threshold() -> None:
    expected = Proposal("a", "wkfl_a", {"completeness": 0.8}, {"completeness": 0.9}, 4, True)
    for action in ("update", "adopt", "replace"):
        assert proposal(change(action)) == expected
    assert proposals([change("update"), change("create")]) == (expected,)


def test_what_is_done_about_failures() -> None:
    asked = proposal(change("update", LIVE, "metrics.completeness", "max_retries"))
    assert isinstance(asked, Proposal)
    assert not asked.same_cycle
    never = Workflow("n", "custom", {"completeness": 0.9}, "none", max_retries=3)
    asked = proposal(change("update", desired=never))
    assert isinstance(asked, Proposal)
    assert asked.most == 1


def test_today_as_it_was_applied_where_it_cannot_be_read() -> None:
    asked = proposal(change("replace", {"name": "n"}, binding=Binding("wkfl_a", LIVE)))
    assert isinstance(asked, Proposal)
    assert asked.before == {"completeness": 0.8}
    lost = Binding("wkfl_a", LIVE, unconfirmed=frozenset({"metrics"}))
    assert proposal(change("replace", {"name": "n"}, binding=lost)) == "its current thresholds are not known"


NOT = [
    (change("create", None, workflow_id=None), "it is created by this plan"),
    (change("retire", None, desired=None), "it is retired"),
    (change("blocked", None, reason=MISSING), "the API answers 404"),
    (change("blocked", None, reason=UNRESOLVED, workflow_id=None), r"it is blocked \(unresolved\)"),
    (change("blocked", LIVE, reason=IMPOSSIBLE), r"it is blocked \(impossible\)"),
    (change("replace", None), "the API answers 404"),
    (change("update", {**LIVE, "type": "automatic"}), "its thresholds are automatic today:"),
    (change("update", desired=AUTOMATIC), "automatic under this plan:"),
    (
        change("update", {"type": "automatic", "metrics": {}}, desired=AUTOMATIC),
        "automatic today and under this plan:",
    ),
    (change("update", {"name": "n"}), "its current thresholds are not known"),
    (
        change("update", {"type": "custom", "metrics": {"x": "high"}}),
        "its current thresholds are not all numbers",
    ),
]


@pytest.mark.parametrize(("which", "why"), NOT, ids=[each[1] for each in NOT])
def test_why_not(which: Change, why: str) -> None:
    import re

    [found] = not_replayed([which], Sample())
    assert re.search(why, found.why_not or "")
    assert (found.workflow_id, found.asked, found.after) == (which.workflow_id, 50, None)
    assert proposals([which]) == ()


@pytest.mark.parametrize(
    "which",
    [
        change("update", LIVE, "name"),
        change("none", LIVE, "status"),
        change("blocked", LIVE, "max_retries", reason=IMPOSSIBLE),
        change("none", None, desired=None, workflow_id=None),
    ],
)
def test_nothing_to_ask(which: Change) -> None:
    assert proposal(which) is None
    assert not_replayed([which], Sample()) == ()


def test_what_is_asked_where_no_threshold_moves() -> None:
    asked = standing(change("none", LIVE))
    assert isinstance(asked, Proposal)
    assert asked.before == {"completeness": 0.8}
    assert standing(change("none", None)) == "the API answers 404 for it"
    assert standing(change("none", LIVE, desired=None)) == "its current thresholds are not known"
    assert standing(change("update")) is None


@pytest.mark.parametrize(
    ("live", "why"),
    [
        (None, "the API answers 404 for it"),
        ({"type": "custom"}, "its current thresholds are not known"),
        ({"type": "automatic", "metrics": {}}, "its thresholds are automatic today:"),
        ({"type": "custom", "metrics": {"x": "high"}}, "its current thresholds are not all numbers"),
        (LIVE, None),
    ],
)
def test_what_one_guards_with(live: dict[str, Any] | None, why: str | None) -> None:
    found = thresholds_today(Observed("wkfl_a", live) if live else None, bound({}))
    assert found == {"completeness": 0.8} if why is None else isinstance(found, str) and why in found


# --- what events say against the settings ---

NEEDY = Workflow("n", "custom", {"context_adherence": 0.5, "ground_truth_adherence": 0.5}, "none")
SEARCHING = Workflow("n", "custom", {"completeness": 0.5}, "none", web_search=True, file_search=("f",))


def fed(context: bool | None, ground_truth: bool | None) -> Event:
    return Event("e", "completed", run_mode="fast", context=context, ground_truth=ground_truth)


def ran(mode: str | None) -> Event:
    return Event("e", "completed", run_mode=mode)


@pytest.mark.parametrize(
    ("desired", "events", "codes"),
    [
        (NEEDY, [fed(False, False)] * 2, ["replay-no-context", "replay-no-ground-truth"]),
        (NEEDY, [fed(False, True), fed(True, False)], []),
        (NEEDY, [fed(True, False)], ["replay-no-ground-truth"]),
        (NEEDY, [fed(None, None)], []),
        (NEEDY, [], []),
        (DESIRED, [fed(False, False)], []),
        (SEARCHING, [ran("fast"), ran("super_fast")], ["replay-super-fast-search"] * 2),
        (SEARCHING, [ran("fast"), ran(None)], []),
        (DESIRED, [ran("super_fast")], []),
    ],
)
def test_lint(desired: Workflow, events: list[Event], codes: list[str]) -> None:
    places = {
        ("a", "metrics.context_adherence"): Span("w.yaml", 5, 7),
        ("a", "web_search"): Span("w.yaml", 9, 5),
    }
    found = lint("a", desired, events, places)
    assert [d.code for d in found] == codes
    assert all(d.severity == "warning" and d.message.startswith("a: ") for d in found)
    lines = {d.code: d.span and d.span.line for d in found[:1]}
    assert not lines or lines in (
        {"replay-no-context": 5},
        {"replay-no-ground-truth": None},
        {"replay-super-fast-search": 9},
    )


def test_only_some_settings_need_a_look_at_events() -> None:
    assert [wants_events(each) for each in (NEEDY, SEARCHING, DESIRED)] == [True, True, False]
