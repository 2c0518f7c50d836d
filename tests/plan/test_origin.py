"""Three values a field: desired, live, applied; which differ, how that is known, and what is listed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from defendctl.inspection.view import build_view
from defendctl.model import GENERATIONS, Binding
from defendctl.plan.changes import is_drifted, is_listed
from defendctl.plan.compare import compare
from defendctl.plan.drift import build_drift
from tests.plan.given import ADDRESS, ID, NEWEST, WORKFLOW, bound, one, readable, seen

A, B, C = 0.5, 0.6, 0.7
UNKNOWN = "?"  # for live: cannot be read; for applied: never applied

# fmt: off
ORIGINS = [
    # desired  live      applied    origin      basis      before  applied
    (A,        A,        A,         None,       None,      None,   None),
    (A,        A,        B,         None,       None,      None,   None),
    (A,        A,        UNKNOWN,   None,       None,      None,   None),
    (A,        B,        B,         "pending",  "live",    B,      B),
    (A,        B,        A,         "drift",    "live",    B,      A),
    (A,        B,        C,         "conflict", "live",    B,      C),
    (A,        B,        UNKNOWN,   "pending",  "live",    B,      None),
    (A,        UNKNOWN,  A,         None,       None,      None,   None),
    (A,        UNKNOWN,  B,         "pending",  "applied", B,      B),
    (A,        UNKNOWN,  UNKNOWN,   None,       None,      None,   None),
    (None,     B,        B,         "pending",  "live",    B,      B),
    (None,     B,        None,      "drift",    "live",    B,      None),
    (A,        None,     None,      "pending",  "live",    None,   None),
    (A,        None,     A,         "drift",    "live",    None,   A),
    (A,        None,     B,         "conflict", "live",    None,   B),
    (None,     None,     B,         None,       None,      None,   None),
]
# fmt: on


@pytest.mark.parametrize(("desired", "live", "applied", "origin", "basis", "before", "was"), ORIGINS)
def test_origin(
    desired: Any, live: Any, applied: Any, origin: str | None, basis: str | None, before: Any, was: Any
) -> None:
    changes = compare(metric(desired), metric(live), bound(metric(applied)))
    if origin is None:
        assert changes == []
        return
    [change] = changes
    assert (change.origin, change.basis, change.before, change.applied) == (origin, basis, before, was)
    assert change.after == desired


def metric(value: Any) -> dict[str, Any]:
    """None: this metric is not there; UNKNOWN: nobody knows of any metric."""
    if value == UNKNOWN:
        return {}
    others = {"correctness": 0.9}
    return {"metrics": others if value is None else {**others, "completeness": value}}


# fmt: off
HIDDEN = [
    # max_retries, which cannot be read: declared 5
    # what it is          applied  assumed  lost   | nothing else differs     | the name differs too
    ("applied, kept",     5,       None,    False,   None,                      None),
    ("applied, changed",  8,       None,    False,   (8, 8, "applied"),         (8, 8, "applied")),
    ("assumed, kept",     None,    5,       False,   None,                      (None, None, "unknown")),
    ("assumed, changed",  None,    8,       False,   (None, None, "unknown"),   (None, None, "unknown")),
    ("never known",       None,    None,    False,   None,                      (None, None, "unknown")),
    ("applied, lost",     5,       None,    True,    (None, None, "unknown"),   (None, None, "unknown")),
    ("assumed, lost",     None,    5,       True,    (None, None, "unknown"),   (None, None, "unknown")),
]
# fmt: on


@pytest.mark.parametrize(("what", "applied", "assumed", "lost", "alone", "with_another"), HIDDEN)
def test_a_field_that_cannot_be_read(
    what: str, applied: int | None, assumed: int | None, lost: bool, alone: Any, with_another: Any
) -> None:
    wanted = replace(WORKFLOW, max_retries=5)
    binding = Binding(
        ID,
        readable(wanted.fields(), NEWEST) | ({"max_retries": applied} if applied else {}),
        {"max_retries": assumed} if assumed else {},
        frozenset({"max_retries"} if lost else ()),
    )
    live = seen(readable(wanted.fields(), NEWEST))
    for desired, expected in ((wanted, alone), (replace(wanted, name="New"), with_another)):
        change = one(desired, live, binding)
        listed = {str(f.path): f for f in change.fields}
        assert ("max_retries" in listed) == (expected is not None), what
        if expected:
            field = listed["max_retries"]
            assert (field.before, field.applied, field.basis) == expected
            assert (field.after, field.origin) == (5, "pending")
            assert field.direction == ("loosens" if field.basis == "applied" else "indeterminate")
        assert change.action == ("update" if listed else "none")
        assert change.unobservable


@pytest.mark.parametrize("generation", GENERATIONS[:3])
def test_an_update_that_does_not_send_it_does_not_list_it(generation: str) -> None:
    """Before 2025-12-07 only name and description are sent."""
    hidden = {n: v for n, v in WORKFLOW.fields().items() if n not in readable(WORKFLOW.fields(), generation)}
    binding = bound(readable(WORKFLOW.fields(), generation), assumed=hidden)
    change = one(
        replace(WORKFLOW, name="New"), seen(readable(WORKFLOW.fields(), generation)), binding, generation
    )
    assert [f.path for f in change.fields] == ["name"]


def test_a_replace_lists_what_it_sends_and_nobody_knows() -> None:
    generation = "2025-10-07"
    live = readable(WORKFLOW.fields(), generation)
    binding = bound(live, assumed={"type": "custom", "metrics": {"completeness": 0.85}})
    change = one(WORKFLOW, seen(live), binding, generation, replace=True)
    assert [(f.path, f.before, f.basis) for f in change.fields] == [
        ("metrics.completeness", None, "unknown"),
        ("type", None, "unknown"),
    ]
    assert change.direction == "indeterminate"


def test_metrics_that_were_assumed_are_written_whole() -> None:
    """A server that takes new writes and answers old reads: one changed metric sends all of them."""
    live = {"name": WORKFLOW.name, "description": "", "improvement_action": "fixit", "max_retries": 10}
    assumed = {n: v for n, v in WORKFLOW.fields().items() if n not in live}
    assumed["metrics"] = {"completeness": 0.85, "correctness": 0.5, "comprehensive_safety": 0.5}
    wanted = replace(WORKFLOW, metrics={"completeness": 0.9, "correctness": 0.5})
    change = one(wanted, seen(live), bound(live, assumed=assumed))
    metrics = {f.path: (f.before, f.after, f.basis) for f in change.fields if f.path.startswith("metrics")}
    assert metrics == {
        "metrics.completeness": (None, 0.9, "unknown"),
        "metrics.correctness": (None, 0.5, "unknown"),
        "metrics.comprehensive_safety": (None, None, "unknown"),
    }


def test_adopting_compares_what_can_be_read_and_keeps_what_cannot() -> None:
    live = readable({**WORKFLOW.fields(), "metrics": {"completeness": 0.5}}, NEWEST)
    old = Binding(ID, {**WORKFLOW.fields(), "max_retries": 3, "metrics": {"completeness": 0.9}})
    change = one(WORKFLOW, seen(live), None, tombstones=[old])
    assert [(f.path, f.before, f.applied, f.basis, f.origin) for f in change.fields] == [
        ("max_retries", 3, 3, "applied", "pending"),
        ("metrics.completeness", 0.5, None, "live", "pending"),
    ]


# fmt: off
DRIFTS = [
    # desired  live  applied   shown as      direction of the edit: applied → live
    (0.8,      0.5,  0.8,      "drift",      "loosens"),
    (0.8,      0.9,  0.8,      "drift",      "tightens"),
    (0.8,      None, 0.8,      "drift",      "loosens"),
    (0.8,      0.7,  0.9,      "conflict",   "loosens"),
    (0.8,      0.95, 0.9,      "conflict",   "tightens"),
    (None,     0.7,  None,     "drift",      "tightens"),
    (None,     0.7,  0.9,      "conflict",   "loosens"),
    (0.8,      0.9,  0.9,      None,         None),
    (0.8,      0.8,  0.9,      None,         None),
    (0.8,      0.9,  UNKNOWN,  None,         None),
]
# fmt: on


@pytest.mark.parametrize(("desired", "live", "applied", "origin", "way"), DRIFTS)
def test_drift_is_seen_as_the_edit_it_was(
    desired: Any, live: Any, applied: Any, origin: str | None, way: str | None
) -> None:
    workflow = replace(WORKFLOW, **metric(desired))
    entries = build_drift(
        {ADDRESS: workflow}, {ADDRESS: seen(metric(live))}, {ADDRESS: bound(metric(applied))}
    )
    if origin is None:
        assert entries == []
        return
    [entry] = entries
    [field] = entry.fields
    assert (field.origin, field.direction, entry.direction) == (origin, way, way)


def test_drift_of_what_is_no_longer_declared_is_against_applied() -> None:
    live = seen({**WORKFLOW.fields(), "metrics": {"completeness": 0.1}})
    [entry] = build_drift({}, {ADDRESS: live}, {ADDRESS: bound(WORKFLOW.fields())})
    [edit] = entry.fields
    assert (edit.was, edit.now, edit.declared, edit.origin) == (0.85, 0.1, 0.85, "drift")


@pytest.mark.parametrize("status", ["inactive", "paused", "missing"])
def test_a_status_is_drift(status: str) -> None:
    live = seen(readable(WORKFLOW.fields(), NEWEST), status)
    way = "loosens" if status == "inactive" else "indeterminate"
    change = one(WORKFLOW, live, bound(WORKFLOW.fields()))
    [entry] = build_drift({ADDRESS: WORKFLOW}, {ADDRESS: live}, {ADDRESS: bound(WORKFLOW.fields())})
    assert (change.action, change.direction) == ("none", way)
    assert is_listed(change)
    assert is_drifted(change)
    [field], [edit] = change.fields, entry.fields
    assert (field.path, field.before, field.after, field.direction) == ("status", status, "active", way)
    assert (edit.path, edit.was, edit.now, edit.declared) == ("status", "active", status, "active")
    assert edit.direction == way


def test_a_404_is_drift_too() -> None:
    [entry] = build_drift({ADDRESS: WORKFLOW}, {ADDRESS: None}, {ADDRESS: bound(WORKFLOW.fields())})
    assert (entry.status, entry.fields) == ("missing", ())


def test_a_view_says_how_each_value_is_known() -> None:
    live = readable(WORKFLOW.fields(), NEWEST)
    binding = bound({**live, "max_retries": 8})
    rows = {str(row.path): row for row in build_view(ADDRESS, WORKFLOW, seen(live), binding).fields}
    assert (rows["name"].live, rows["name"].basis) == ("Support bot", "live")
    assert (rows["max_retries"].live, rows["max_retries"].applied, rows["max_retries"].basis) == (
        None,
        8,
        "applied",
    )
    lost = bound({**live, "max_retries": 8}, unconfirmed=("max_retries",))
    rows = {str(row.path): row for row in build_view(ADDRESS, WORKFLOW, seen(live), lost).fields}
    assert (rows["max_retries"].applied, rows["max_retries"].basis) == (None, "unknown")
    assert build_view(ADDRESS, WORKFLOW, None, binding).status == "missing"
    unbound = build_view(ADDRESS, WORKFLOW, None, None)
    assert (unbound.status, unbound.workflow_id, {row.basis for row in unbound.fields}) == (
        None,
        None,
        {None},
    )
