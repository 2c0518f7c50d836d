"""Every JSON document has exactly the keys that contract section 5 promises."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from defendctl.diagnostics import Diagnostic, Span
from defendctl.engine.results import ApplyResult, Result
from defendctl.inspection.outputs import Outputs
from defendctl.inspection.view import build_view
from defendctl.model import Binding, Intent, State
from defendctl.plan.digest import digest
from defendctl.plan.drift import build_drift
from defendctl.policy.findings import Finding, Waiver
from defendctl.render.json import plan as plan_json
from defendctl.render.json import results as results_json
from defendctl.render.json.dump import dumped
from defendctl.review import Review
from tests.plan.given import ADDRESS, ID, WORKFLOW, bound, one_plan, seen

if TYPE_CHECKING:
    from collections.abc import Mapping

FIELD = {"path", "before", "after", "applied", "basis", "origin", "direction"}
HEAD = {"format_version", "kind"}
LIVE = seen({**WORKFLOW.fields(), "metrics": {"completeness": 0.5}})


def read(document: Mapping[str, Any], kind: str) -> dict[str, Any]:
    text = dumped(document)
    assert text.isascii()
    assert text.endswith("}\n")
    data: dict[str, Any] = json.loads(text)
    version = "1.1" if kind == "plan" else "1.0"
    assert (data.pop("format_version"), data.pop("kind")) == (version, kind)
    return data


def test_plan() -> None:
    plan = one_plan(WORKFLOW, LIVE, bound(WORKFLOW.fields()))
    data = read(plan_json.plan(Review(plan)), "plan")
    change = {
        "address": ADDRESS,
        "workflow_id": ID,
        "action": "update",
        "reason": None,
        "direction": "tightens",
        "fields": [
            {
                "path": "metrics.completeness",
                "before": 0.5,
                "after": 0.85,
                "applied": 0.85,
                "basis": "live",
                "origin": "drift",
                "direction": "tightens",
            }
        ],
    }
    assert data == {
        "digest": digest(plan),
        "lineage": "lineage-1",
        "serial": 3,
        "generation": "2025-12-07",
        "options": {"target": [], "replace": []},
        "summary": {
            **dict.fromkeys(("create", "adopt", "replace", "retire", "blocked", "none"), 0),
            **{"update": 1, "drift": 1, "tightens": 1, "loosens": 0, "indeterminate": 0, "unobservable": 0},
        },
        "changes": [change],
        "diagnostics": [],
        "fingerprints": [
            {
                "address": "support-bot",
                "action": "update",
                "field": "metrics.completeness",
                "fingerprint": "37ccba5c146066283d81bc8f00d20814",
            }
        ],
        "policy": [],
    }


def test_findings() -> None:
    given = Waiver(ADDRESS, "r", "type", "custom", "why", "who", date(2026, 3, 1), Span("a.yaml", 9, 5))
    found = (
        Finding("r", "waived", "No.", "detail", ADDRESS, "type", span=Span("a.yaml", 3, 7), waiver=given),
        Finding("s", "denied", "No.", "detail", evaluated=False, remedy="  - address: x\n"),
    )
    bare = one_plan(WORKFLOW, LIVE, bound(WORKFLOW.fields()))
    review = Review(bare, findings=found)
    nowhere = {"file": None, "line": None, "column": None}
    assert read(plan_json.plan(review), "plan")["policy"] == [
        {
            **{"rule": "r", "verdict": "waived", "message": "No.", "detail": "detail", "address": ADDRESS},
            **{"field": "type", "evaluated": True, "file": "a.yaml", "line": 3, "column": 7, "remedy": None},
            "waiver": {
                **{"to": "custom", "reason": "why", "approver": "who", "expires": "2026-03-01"},
                **{"file": "a.yaml", "line": 9, "column": 5},
            },
        },
        {
            **{"rule": "s", "verdict": "denied", "message": "No.", "detail": "detail", "address": None},
            **{"field": None, "evaluated": False, "waiver": None, "remedy": "  - address: x\n", **nowhere},
        },
    ]


def test_a_plan_of_nothing_lists_nothing() -> None:
    data = read(
        plan_json.plan(Review(one_plan(WORKFLOW, seen(WORKFLOW.fields()), bound(WORKFLOW.fields())))),
        "plan",
    )
    assert (data["changes"], data["summary"]["none"]) == ([], 1)


def test_a_create_has_no_before() -> None:
    [change] = read(plan_json.plan(Review(one_plan(WORKFLOW, None, None))), "plan")["changes"]
    for field in change["fields"]:
        assert field.keys() == FIELD
        assert {field[key] for key in ("before", "applied", "basis", "origin")} == {None}


def test_diagnostics() -> None:
    found = [
        Diagnostic("error", "unknown-metric", "`x` is not a metric.", Span("workflows/a.yaml", 7, 9)),
        Diagnostic("warning", "missing-folder", "nowhere", Span("workflows")),
    ]
    data = read(results_json.diagnostics(found), "diagnostics")
    keys = {"severity", "code", "message", "file", "line", "column", "docs"}
    assert data.keys() == {"valid", "diagnostics"}
    assert data["valid"] is False
    assert all(one.keys() == keys for one in data["diagnostics"])
    assert [(d["line"], d["column"]) for d in data["diagnostics"]] == [(7, 9), (None, None)]
    assert read(results_json.diagnostics(found[1:]), "diagnostics")["valid"] is True
    assert read(results_json.diagnostics([]), "diagnostics") == {"valid": True, "diagnostics": []}


def test_apply() -> None:
    results = [Result("a", "create", "done", "wkfl_1"), Result("b", "update", "failed", "wkfl_2", "why", 3)]
    assert read(results_json.apply(ApplyResult(results)), "apply") == {
        "summary": {"done": 1, "failed": 1, "unknown": 0, "not_attempted": 0},
        "results": [
            {"address": "a", "action": "create", "outcome": "done", "workflow_id": "wkfl_1", "error": None},
            {
                "address": "b",
                "action": "update",
                "outcome": "failed",
                "workflow_id": "wkfl_2",
                "error": "why",
            },
        ],
    }


def test_drift() -> None:
    entries = build_drift({ADDRESS: WORKFLOW}, {ADDRESS: LIVE}, {ADDRESS: bound(WORKFLOW.fields())})
    data = read(results_json.drift(entries), "drift")
    [workflow] = data.pop("workflows")
    [field] = workflow.pop("fields")
    assert data == {"drifted": True}
    assert workflow == {"address": ADDRESS, "workflow_id": ID, "direction": "loosens", "status": "active"}
    assert field.keys() == FIELD
    assert read(results_json.drift([]), "drift") == {"drifted": False, "workflows": []}


def test_view() -> None:
    data = read(results_json.view(build_view(ADDRESS, WORKFLOW, LIVE, bound({"name": "x"}))), "workflow")
    assert data.keys() == {"address", "workflow_id", "status", "fields"}
    assert all(row.keys() == {"path", "desired", "live", "applied", "basis"} for row in data["fields"])
    [name] = [row for row in data["fields"] if row["path"] == "name"]
    assert name == {
        "path": "name",
        "desired": "Support bot",
        "live": "Support bot",
        "applied": "x",
        "basis": "live",
    }


def test_state() -> None:
    state = State(
        lineage="lineage-1",
        serial=4,
        bindings={"b": Binding("wkfl_b"), "a": Binding("wkfl_a")},
        unresolved={"c": Intent("op", "2026-01-05T09:00:00+00:00", {"name": "C"})},
        tombstones={"d": (Binding("wkfl_d1"), Binding("wkfl_d2"))},
    )
    assert read(results_json.state(state), "state") == {
        "lineage": "lineage-1",
        "serial": 4,
        "bindings": [
            {"address": "a", "workflow_id": "wkfl_a"},
            {"address": "b", "workflow_id": "wkfl_b"},
        ],
        "unresolved": [{"address": "c", "since": "2026-01-05T09:00:00+00:00"}],
        "retired": [
            {"address": "d", "workflow_id": "wkfl_d1"},
            {"address": "d", "workflow_id": "wkfl_d2"},
        ],
    }


def test_outputs() -> None:
    told = Outputs({"a": "wkfl_a"}, None)
    assert read(results_json.outputs(told), "outputs") == {"outputs": {"a": "wkfl_a"}}


@pytest.mark.parametrize("hostile", ["\x1b[2J", "\u202e", "\n::error::", "\ud800", "🤖"])
def test_documents_are_ascii_and_keep_the_value(hostile: str) -> None:
    live = seen({**WORKFLOW.fields(), "name": hostile})
    data = read(plan_json.plan(Review(one_plan(WORKFLOW, live, bound(WORKFLOW.fields())))), "plan")
    assert data["changes"][0]["fields"][0]["before"] == hostile
