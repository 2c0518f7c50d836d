"""Rules about changes: every check, kept, broken and impossible to evaluate."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from defendctl.api.dialects import DIALECTS
from defendctl.model import State
from defendctl.plan.build import World, build_plan
from defendctl.policy.change_rules import to_replay
from defendctl.policy.rules import CHANGE_CHECKS, FlagRate
from defendctl.replay.replay import Replay, Together
from defendctl.review import Review
from tests.plan.given import ADDRESS, ID, NEWEST, WORKFLOW, bound, one_plan, seen
from tests.policy.given import AUTOMATIC, of_plan, rule, selected, told, waiver

if TYPE_CHECKING:
    from defendctl.model import Workflow
    from defendctl.plan.changes import Plan

C, S = "metrics.completeness", "metrics.comprehensive_safety"
LOW = replace(WORKFLOW, metrics={"completeness": 0.6})
HIGH = replace(WORKFLOW, metrics={"completeness": 0.95})
BOTH = replace(WORKFLOW, metrics={"completeness": 0.85, "comprehensive_safety": 0.5})
FILES = replace(WORKFLOW, file_search=("a", "b"))
STRANGE = {**WORKFLOW.fields(), "metrics": {"completeness": "strict"}}


def change(to: Workflow | None, live: Any = None, applied: Any = None, **more: Any) -> Plan:
    """From what is live (default: WORKFLOW) to `to`; what was applied is what is live by default."""
    there = live or WORKFLOW.fields()
    return one_plan(to, seen(there, more.pop("status", "active")), bound(applied or there), **more)


def replayed(plan: Plan, **said: Any) -> Review:
    return Review(plan, judged=(Replay(ADDRESS, ID, 50, **said),))


def rate(fails: int, known: int) -> dict[str, Any]:
    return {"events": 50, "needed": 20, "after": Together(known, 50 - known, fails, (0.0, 1.0))}


def few(fails: int, known: int, unknown: int = 0) -> dict[str, Any]:
    after = Together(known, unknown, fails, (0.0, 1.0))
    return {"events": known + unknown, "needed": 20, "after": after}


def many(**actions: int) -> Plan:
    """A plan of so many creates and retires."""
    new = {f"new-{i}": WORKFLOW for i in range(actions.get("creates", 0))}
    old = {f"old-{i}": bound(WORKFLOW.fields()) for i in range(actions.get("retires", 0))}
    state = State(lineage="lineage-1", bindings=old)
    return build_plan(World(new, {}, state, DIALECTS[NEWEST].support, "h", {*new, *old}))


SURE = FlagRate(0.2, 0.95)
SAFETY = "metrics.comprehensive_safety"
LEFT = replace(WORKFLOW, type="automatic", metrics={"completeness": "low"})
AUTOMATIC_BOTH = replace(LEFT, metrics={"completeness": "low", "comprehensive_safety": "low"})
BACK = change(
    replace(BOTH, metrics={**BOTH.metrics, "comprehensive_safety": 0.2}), WORKFLOW.fields(), BOTH.fields()
)
"""Taken out in the console, and put back lower in git."""
GONE = change(BOTH, WORKFLOW.fields(), BOTH.fields())
"""Taken out in the console, and put back by apply as it was."""
BETWEEN = change(
    replace(WORKFLOW, metrics={"completeness": 0.7}),
    {**WORKFLOW.fields(), "metrics": {"completeness": 0.78}},
    WORKFLOW.fields(),
)
"""Half of the step in the console, and half in git."""
CREATE = one_plan(WORKFLOW, None, None)
RETIRE = one_plan(None, None, bound(WORKFLOW.fields()))
UPDATE = change(LOW)
BLOCKED = change(replace(LOW, max_retries=5), generation="2025-11-10")
DRIFT = change(WORKFLOW, HIGH.fields(), WORKFLOW.fields())
MENDED = change(WORKFLOW, LOW.fields(), WORKFLOW.fields())
CONFLICT = change(BOTH, {**BOTH.fields(), "max_retries": 12}, {**BOTH.fields(), "max_retries": 5})
HIDDEN = one_plan(replace(WORKFLOW, max_retries=3), seen({}), bound({}, WORKFLOW.fields()))
INACTIVE = change(WORKFLOW, status="inactive")
REPLACE = change(LOW, replace=True)
UNRESOLVED = one_plan(LOW, None, None, unresolved=True)
HIDDEN_METRICS = one_plan(LOW, seen({}), bound({}, WORKFLOW.fields()))

# fmt: off
ROWS: list[tuple[str, Any, Plan | Review, list[tuple[str | None, bool]]]] = [
    # check               limit  plan                                     (field, evaluated)
    ("no_loosening",      True,  UPDATE,                                  [(C, True)]),
    ("no_loosening",      True,  change(HIGH),                            []),
    ("no_loosening",      True,  change(WORKFLOW, BOTH.fields()),         [(S, True)]),
    ("no_loosening",      True,  change(BOTH),                            []),
    ("no_loosening",      True,  change(replace(HIGH, improvement_action="none", max_retries=1)),
     [("improvement_action", True), ("max_retries", True)]),
    ("no_loosening",      True,  change(AUTOMATIC),                       []),
    ("no_loosening",      True,  CREATE,                                  []),
    ("no_loosening",      True,  RETIRE,                                  []),
    ("no_loosening",      True,  REPLACE,                                 [(C, True)]),
    ("no_loosening",      True,  BLOCKED,                                 [("max_retries", True), (C, True)]),
    ("no_loosening",      True,  DRIFT,                                   [(C, True)]),
    ("no_loosening",      True,  MENDED,                                  []),
    ("no_loosening",      True,  CONFLICT,                                [("max_retries", True)]),
    ("no_loosening",      True,  INACTIVE,                                []),
    ("no_loosening",      True,  UNRESOLVED,                              []),
    ("no_indeterminate",  True,  UPDATE,                                  []),
    ("no_indeterminate",  True,  change(AUTOMATIC),                       [(C, True), ("type", True)]),
    ("no_indeterminate",  True,  change(replace(WORKFLOW, web_search=True)), [("web_search", True)]),
    ("no_indeterminate",  True,  RETIRE,                                  [("retire", True)]),
    ("no_indeterminate",  True,  change(WORKFLOW, status="paused"),       []),
    ("max_threshold_step", 0.1,  change(HIGH),                            []),
    ("max_threshold_step", 0.05, change(HIGH),                            [(C, True)]),
    ("max_threshold_step", 0.1,  UPDATE,                                  [(C, True)]),
    ("max_threshold_step", 0.25, UPDATE,                                  []),
    ("max_threshold_step", 0.1,  change(BOTH),                            []),
    ("max_threshold_step", 0.1,  change(WORKFLOW, BOTH.fields()),         [(SAFETY, True)]),
    ("max_threshold_step", 0.5,  change(WORKFLOW, BOTH.fields()),         []),
    ("max_threshold_step", 0.1,  change(LEFT, AUTOMATIC_BOTH.fields()),   [(SAFETY, False)]),
    ("max_threshold_step", 0.1,  BACK,                                    [(SAFETY, True)]),
    ("max_threshold_step", 0.3,  BACK,                                    []),
    ("max_threshold_step", 0.1,  GONE,                                    []),
    ("max_threshold_step", 0.1,  BETWEEN,                                 [(C, True)]),
    ("max_threshold_step", 0.1,  change(AUTOMATIC),                       [(C, False)]),
    ("max_threshold_step", 0.1,  change(WORKFLOW, AUTOMATIC.fields()),    [(C, False)]),
    ("max_threshold_step", 0.1,  change(WORKFLOW, STRANGE),               [(C, False)]),
    ("max_threshold_step", 0.1,  HIDDEN_METRICS,                          [(C, False)]),
    ("max_threshold_step", 0.1,  CREATE,                                  []),
    ("max_threshold_step", 0.1,  change(replace(WORKFLOW, max_retries=1)), []),
    ("no_retire",         True,  RETIRE,                                  [("retire", True)]),
    ("no_retire",         True,  UPDATE,                                  []),
    ("max_creates",       2,     many(creates=2, retires=3),              []),
    ("max_creates",       1,     many(creates=2),                         [(None, True)]),
    ("max_creates",       0,     REPLACE,                                 [(None, True)]),
    ("max_creates",       0,     UPDATE,                                  []),
    ("max_changes",       5,     many(creates=2, retires=3),              []),
    ("max_changes",       4,     many(creates=2, retires=4),              [(None, True)]),
    ("max_changes",       0,     BLOCKED,                                 []),
    ("max_changes",       0,     change(WORKFLOW),                        []),
    ("max_changes",       0,     UPDATE,                                  [(None, True)]),
    ("max_flag_rate",     0.2,   UPDATE,                                  [("flag_rate", False)]),
    ("max_flag_rate",     0.2,   replayed(UPDATE, why_not="it is automatic"), [("flag_rate", False)]),
    ("max_flag_rate",     0.2,   replayed(UPDATE, **rate(10, 50)),        []),
    ("max_flag_rate",     0.2,   replayed(UPDATE, **rate(11, 50)),        [("flag_rate", True)]),
    ("max_flag_rate",     0.2,   replayed(UPDATE, **rate(0, 0)),          [("flag_rate", False)]),
    ("max_flag_rate",     0.2,   replayed(UPDATE),                        [("flag_rate", False)]),
    ("max_flag_rate",     0.2,   replayed(UPDATE, **few(7, 15)),          [("flag_rate", True)]),
    ("max_flag_rate",     0.2,   change(replace(WORKFLOW, max_retries=1)), []),
    ("max_flag_rate",     SURE,  UPDATE,                                  [("flag_rate", False)]),
    ("max_flag_rate",     SURE,  replayed(UPDATE, **rate(0, 0)),          [("flag_rate", True)]),
    ("max_flag_rate",     SURE,  replayed(UPDATE, **few(0, 13)),          [("flag_rate", False)]),
    ("max_flag_rate",     SURE,  replayed(UPDATE, **few(0, 14)),          []),
    ("max_flag_rate",     SURE,  replayed(UPDATE, **few(1, 14)),          [("flag_rate", True)]),
    ("max_flag_rate",     SURE,  replayed(UPDATE, **rate(5, 50)),         []),
    ("max_flag_rate",     SURE,  replayed(UPDATE, **rate(6, 50)),         [("flag_rate", True)]),
    ("max_flag_rate",     SURE,  replayed(UPDATE, **few(5, 49, 1)),       [("flag_rate", True)]),
    ("max_flag_rate",     SURE,  change(replace(WORKFLOW, max_retries=1)), []),
    ("max_flag_rate",     SURE,  CREATE,                                  []),
    ("max_flag_rate",     0.2,   CREATE,                                  []),
    ("max_flag_rate",     0.2,   BLOCKED,                                 []),
    ("max_flag_rate",     0.2,   REPLACE,                                 [("flag_rate", False)]),
    ("max_flag_rate",     0.2,   DRIFT,                                   [("flag_rate", False)]),
]
# fmt: on
IDS = [f"{i}-{row[0]}" for i, row in enumerate(ROWS)]


@pytest.mark.parametrize(("check", "limit", "plan", "expected"), ROWS, ids=IDS)
def test_each_check(check: str, limit: Any, plan: Plan, expected: list[tuple[str | None, bool]]) -> None:
    findings = of_plan(rule(check, limit), plan)
    assert told(findings) == expected
    for finding in findings:
        assert finding.verdict == "denied"
        assert bool(finding.remedy) == (finding.address is not None)
        assert finding.detail.isprintable()
    for finding in of_plan(rule(check, limit, level="warn"), plan):
        assert (finding.verdict, finding.remedy) == ("warned", None)


@pytest.mark.parametrize(("fails", "known", "unknown"), [(0, 0, 0), (4, 15, 0), (7, 15, 4)])
def test_too_few_events_deny_nothing_and_are_told(fails: int, known: int, unknown: int) -> None:
    """The lower bound of 7 of 19 is 19 %; the unknown ones may all pass."""
    plan = replayed(UPDATE, **few(fails, known, unknown))
    [finding] = of_plan(rule("max_flag_rate", 0.2, message="Not so many."), plan)
    assert (finding.verdict, finding.evaluated, finding.remedy) == ("warned", False, None)
    assert finding.detail == f"not judged, {known + unknown} of 20 events that it needs"
    assert finding.message == "There are too few recent events to judge this rule by."


def test_the_exact_form_says_what_it_takes() -> None:
    [few_events] = of_plan(rule("max_flag_rate", SURE), replayed(UPDATE, **few(0, 13)))
    assert few_events.detail == (
        "13 of 14 events that it takes to prove at most 20% with a confidence of 0.95"
    )
    [flagged] = of_plan(rule("max_flag_rate", SURE), replayed(UPDATE, **few(6, 49, 1)))
    assert flagged.detail == (
        "6 of 50 events would be flagged (12.0%), and for 1 that is unknown; at most 5 may be, "
        "to prove at most 20% with a confidence of 0.95"
    )
    [narrow] = of_plan(rule("max_flag_rate", 0.0025), replayed(UPDATE, **few(2, 50)))
    assert narrow.detail.endswith("at most 0.25% is allowed")
    passes = waiver("flag_rate", 0.14)
    [waived] = of_plan(rule("max_flag_rate", SURE), replayed(UPDATE, **few(6, 49, 1)), passes)
    assert waived.verdict == "waived"


def test_every_check_is_in_the_table() -> None:
    assert {row[0] for row in ROWS} == set(CHANGE_CHECKS)


def test_what_is_loosened_or_unknown_says_why() -> None:
    [drift] = of_plan(rule("no_loosening"), DRIFT)
    assert "changed in the console" in drift.detail
    [conflict] = of_plan(rule("no_loosening"), CONFLICT)
    assert "last applied" in conflict.detail or "5" in conflict.detail
    [automatic] = of_plan(rule("max_flag_rate", 0.2), replayed(UPDATE, why_not="it is automatic"))
    assert "it is automatic" in automatic.detail
    [count] = of_plan(rule("max_creates", 1), many(creates=7))
    assert "raise the limit" in count.detail
    assert "new-4, ..." in count.detail
    assert all("(unknown)" in finding.detail for finding in of_plan(rule("no_indeterminate"), HIDDEN))


@pytest.mark.parametrize("check", ["no_loosening", "no_indeterminate", "max_threshold_step", "max_changes"])
def test_without_reading_what_is_live_nothing_is_known(check: str) -> None:
    unread = replace(change(WORKFLOW), refreshed=False)
    [finding] = of_plan(rule(check, 5), unread)
    assert (finding.evaluated, finding.verdict, finding.remedy) == (False, "denied", None)
    assert of_plan(rule(check, 5, select=selected(addresses=("other",))), unread) == []
    assert of_plan(rule(check, 5), replace(CREATE, refreshed=False)) == [], "there is nothing to read"


def test_without_reading_what_is_known_is_still_told() -> None:
    unread = replace(UPDATE, refreshed=False)
    assert told(of_plan(rule("no_loosening"), unread)) == [(None, False), (C, True)]
    for check in ("no_retire", "max_creates"):
        assert of_plan(rule(check, 5), unread) == []


@pytest.mark.parametrize("check", ["no_retire", "no_indeterminate"])
def test_a_retired_workflow_has_no_labels_any_more(check: str) -> None:
    critical = rule(check, select=selected(labels={"tier": "critical"}))
    [finding] = of_plan(critical, RETIRE)
    assert (finding.field, finding.evaluated) == ("retire", False)
    [waived] = of_plan(critical, RETIRE, waiver("retire", None))
    assert waived.verdict == "waived"
    elsewhere = selected(labels={"tier": "critical"}, addresses=("other-*",))
    assert of_plan(rule(check, select=elsewhere), RETIRE) == []


def test_labels_select_what_is_declared() -> None:
    critical = rule("no_loosening", select=selected(labels={"tier": "critical"}))
    assert of_plan(critical, UPDATE) == []
    assert of_plan(critical, UPDATE, labels={ADDRESS: {"tier": "low"}}) == []
    assert told(of_plan(critical, UPDATE, labels={ADDRESS: {"tier": "critical"}})) == [(C, True)]


# fmt: off
WAIVERS: list[tuple[str, Any, Plan | Review, str, Any, bool]] = [
    # check               limit  plan                              field        to       passes
    ("no_loosening",      True,  UPDATE,                           C,           0.6,     True),
    ("no_loosening",      True,  UPDATE,                           C,           0.5,     False),
    ("no_loosening",      True,  UPDATE,                           C,           None,    False),
    ("no_loosening",      True,  change(WORKFLOW, BOTH.fields()),  S,           None,    True),
    ("no_loosening",      True,  change(WORKFLOW, BOTH.fields()),  S,           0.5,     False),
    ("no_retire",         True,  RETIRE,                           "retire",    None,    True),
    ("no_retire",         True,  RETIRE,                           "retire",    "x",     True),
    ("max_threshold_step", 0.1,  HIDDEN_METRICS,                   C,           0.6,     True),
    ("max_threshold_step", 0.1,  change(AUTOMATIC),                C,           "low",   True),
    ("max_threshold_step", 0.1,  change(AUTOMATIC),                C,           "high",  False),
    ("no_indeterminate",  True,  change(FILES),                    "file_search", ("a", "b"), True),
    ("max_flag_rate",     0.2,   UPDATE,                           "flag_rate", None,    True),
    ("max_flag_rate",     0.2,   UPDATE,                           "flag_rate", 1,       False),
    ("max_flag_rate",     0.2,   replayed(UPDATE, **rate(15, 50)), "flag_rate", 0.3,     True),
    ("max_flag_rate",     0.2,   replayed(UPDATE, **rate(15, 50)), "flag_rate", 0.4,     True),
    ("max_flag_rate",     0.2,   replayed(UPDATE, **rate(15, 50)), "flag_rate", 0.29,    False),
    ("max_flag_rate",     0.2,   replayed(UPDATE, **rate(15, 50)), "flag_rate", None,    False),
]
# fmt: on


@pytest.mark.parametrize(("check", "limit", "plan", "field", "to", "passes"), WAIVERS)
def test_a_waiver_lets_one_value_pass(
    check: str, limit: Any, plan: Plan, field: str, to: Any, passes: bool
) -> None:
    [finding] = of_plan(rule(check, limit), plan, waiver(field, to))
    assert finding.verdict == ("waived" if passes else "denied")


def test_no_waiver_lifts_a_limit_of_the_whole_plan() -> None:
    given = [waiver(field, 2) for field in ("retire", "max_creates", "name")]
    [finding] = of_plan(rule("max_creates", 1), many(creates=2), *given)
    assert (finding.verdict, finding.address, finding.span) == ("denied", None, None)


def test_what_must_be_replayed() -> None:
    bounds = rule("max_flag_rate", 0.2)
    labels = {ADDRESS: {"tier": "critical"}}
    assert to_replay([bounds], UPDATE, {}) == [ADDRESS]
    assert to_replay([rule("no_loosening")], UPDATE, {}) == []
    assert to_replay([bounds], CREATE, {}) == []
    assert to_replay([bounds], change(replace(WORKFLOW, name="x")), {}) == []
    for tier, expected in (("critical", [ADDRESS]), ("low", [])):
        asked = rule("max_flag_rate", 0.2, select=selected(labels={"tier": tier}))
        assert to_replay([asked], UPDATE, labels) == expected


def test_what_is_denied_comes_first() -> None:
    plan = change(replace(LOW, improvement_action="none", max_retries=1))
    found = of_plan(rule("no_loosening"), plan, waiver("improvement_action", "none"))
    assert [f.verdict for f in found] == ["denied", "denied", "waived"]
    assert [f.field for f in found] == ["max_retries", C, "improvement_action"]
