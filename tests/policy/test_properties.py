"""What holds for every plan and every policy, over generated worlds (tests/strategies.py)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defendctl.manifest.waivers import waivers
from defendctl.plan.build import World, build_plan
from defendctl.policy.change_rules import judge_changes
from defendctl.policy.manifest_rules import judge_manifests
from defendctl.policy.rules import Rule
from defendctl.policy.waivers import APPROVER, REASON
from defendctl.yamltext.loader import load
from defendctl.yamltext.report import Report
from tests.policy.given import TODAY, rule
from tests.strategies import worlds

if TYPE_CHECKING:
    from pathlib import Path

    from defendctl.plan.changes import Plan
    from defendctl.policy.findings import Finding, Waiver

RULES = [
    Rule(check, "deny", check, limit)
    for check, limit in {
        "min_threshold": {"completeness": 0.9, "tone": 0.9},
        "require_metrics": ["comprehensive_safety"],
        "allow_types": ["automatic"],
        "allow_tolerances": ["high"],
        "allow_improvement_actions": ["none"],
        "min_retries": 5,
        "max_retries": 3,
        "capabilities": {"web_search": True, "context_awareness": True, "file_search": False},
        "no_loosening": True,
        "no_indeterminate": True,
        "max_threshold_step": 0.1,
        "no_retire": True,
        "max_creates": 0,
        "max_changes": 0,
        "max_flag_rate": 0.1,
    }.items()
]


_FOLDER: list[Path] = []


@pytest.fixture(autouse=True, scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    _FOLDER.append(tmp_path_factory.mktemp("waivers"))


def judged(world: World, plan: Plan, given: tuple[Waiver, ...] = ()) -> list[Finding]:
    return [
        *judge_manifests(RULES, world.desired, {}, given, {}, TODAY),
        *judge_changes(RULES, plan, [], {}, given, {}, TODAY),
    ]


@given(worlds(), st.booleans())
def test_no_loosening_passes_unwaived(world: World, refreshed: bool) -> None:
    """Whatever else changes with it, each loosening that the plan shows is denied; the status aside."""
    plan = replace(build_plan(world), refreshed=refreshed)
    denied = {
        (f.address, f.field) for f in judge_changes([rule("no_loosening")], plan, [], {}, [], {}, TODAY)
    }
    loosening = {
        (change.address, field.path)
        for change in plan.changes
        for field in change.fields
        if field.direction == "loosens" and field.path != "status"
    }
    assert denied - {(None, None)} == loosening


@given(worlds(), st.data())
def test_an_unrelated_waiver_lets_nothing_pass(world: World, data: st.DataObject) -> None:
    plan = build_plan(world)
    found = judged(world, plan)
    given = tuple(parsed(found))
    kept = data.draw(st.sampled_from(given)) if given else None
    for finding in judged(world, plan, (kept,) if kept else ()):
        about = kept and (finding.address, finding.rule, finding.field) == (
            kept.address,
            kept.rule,
            kept.field,
        )
        assert (finding.verdict == "waived") == bool(about)


@given(worlds())
def test_what_is_pasted_lets_pass_what_it_was_written_for(world: World) -> None:
    """Every remedy, with its placeholders filled, waives its finding; nothing else stays but counts."""
    plan = build_plan(world)
    found = judged(world, plan)
    again = judged(world, plan, tuple(parsed(found)))
    assert len(again) == len(found)
    for finding in again:
        assert (finding.verdict == "waived") == (finding.address is not None), finding


def parsed(found: list[Finding]) -> list[Waiver]:
    """The remedies, pasted into a manifest and read as one."""
    text = "".join(finding.remedy for finding in found if finding.remedy)
    if not text:
        return []
    filled = text.replace(REASON, "known").replace(APPROVER, "Jane")
    file = _FOLDER[0] / "waivers.yaml"
    file.write_text(f"version: 1\nworkflows: {{}}\nwaivers:\n{filled}", encoding="utf-8")
    documents, wrong = load(file, "waivers.yaml")
    report = Report("waivers.yaml")
    given: list[Any] = [one for document in documents for one in waivers(document, TODAY, report)]
    assert (wrong, report.diagnostics) == ([], [])
    return given
