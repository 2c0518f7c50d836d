"""What people read: plain where it must be, coloured without losing a word, the riskiest first."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import click
import pytest

from defendctl.diagnostics import Diagnostic, Span
from defendctl.engine.results import ApplyResult, Result
from defendctl.inspection.contrast import Comparison, Contrast
from defendctl.inspection.view import build_view
from defendctl.model import Binding, FieldPath, Intent, State
from defendctl.plan.changes import Block, Reason
from defendctl.plan.compare import FieldChange
from defendctl.plan.direction import Direction, worst
from defendctl.plan.drift import build_drift
from defendctl.policy.findings import Finding, Waiver
from defendctl.render.setting import Setting
from defendctl.render.shell import assignments
from defendctl.render.text import apply as apply_text
from defendctl.render.text import diagnostics as diagnostics_text
from defendctl.render.text import drift as drift_text
from defendctl.render.text import plan as plan_text
from defendctl.render.text import state as state_text
from defendctl.render.text import view as view_text
from defendctl.render.text.contrast import in_words
from defendctl.render.text.paint import Paint, coloured, painter, plain
from defendctl.render.words import notes
from defendctl.review import Review
from tests.plan.given import ADDRESS, WORKFLOW, bound, one_plan, seen

LIVE = seen({**WORKFLOW.fields(), "metrics": {"completeness": 0.95}, "web_search": True}, "inactive")
EVIL = "\x1b[31mred\x1b[0m\n::error::\u202e"


def everything(paint: Paint) -> list[str]:
    """One of each thing that can be shown."""
    plan = one_plan(WORKFLOW, LIVE, bound(WORKFLOW.fields()))
    drift = build_drift({ADDRESS: WORKFLOW}, {ADDRESS: LIVE}, {ADDRESS: bound(WORKFLOW.fields())})
    results = [
        Result("a", "create", "done", EVIL),
        Result("b", "update", "failed", "wkfl_2", EVIL),
        Result("c", "create", "unknown"),
        Result("d", "create", "not_attempted", error="stopped"),
    ]
    found = [
        Diagnostic("error", "code", EVIL, Span(EVIL, 1, 2)),
        Diagnostic("warning", "code", "no place"),
        Diagnostic("error", "code", "a folder", Span("workflows")),
    ]
    return [
        plan_text.plan(Review(plan), Setting(paint)),
        plan_text.plan(Review(plan, findings=FINDINGS), Setting(paint)),
        plan_text.findings(FINDINGS, paint),
        drift_text.drift(drift, Setting(paint)),
        drift_text.drift([], Setting(paint)),
        apply_text.apply(ApplyResult(results), Setting(paint)),
        apply_text.apply(ApplyResult(), Setting(paint)),
        diagnostics_text.listing(found, paint),
        diagnostics_text.verdict(found),
        diagnostics_text.verdict([]),
        view_text.view(build_view(ADDRESS, WORKFLOW, LIVE, bound(WORKFLOW.fields()))),
        state_text.state(STATE),
        state_text.state(State()),
    ]


SPAN = Span(EVIL, 1, 2)
WAIVER = Waiver(ADDRESS, "r", "retire", None, EVIL, EVIL, date(2026, 3, 1), SPAN)
FINDINGS = (
    Finding("r", "denied", EVIL, EVIL, ADDRESS, EVIL, evaluated=False, span=SPAN, remedy=f"  - a: {EVIL}\n"),
    Finding("r", "warned", "Too many.", "3, 2 at most"),
    Finding("r", "waived", EVIL, EVIL, ADDRESS, "retire", waiver=WAIVER),
    Finding("r", "waived", EVIL, EVIL, ADDRESS, "retire", waiver=replace(WAIVER, span=None)),
)
STATE = State(
    lineage="lineage-1",
    bindings={"a": Binding(EVIL)},
    unresolved={"c": Intent("op", "2026-01-05T09:00:00+00:00", {"name": EVIL}, why=EVIL)},
    tombstones={"d": (Binding("wkfl_d"),)},
)


def test_plain_holds_no_colour_and_nothing_that_acts() -> None:
    for shown in everything(plain):
        assert "\x1b" not in shown
        assert all(line.isprintable() for line in shown.split("\n"))
        assert not re.search(r"^\s*::", shown, re.MULTILINE)
        assert not re.search(r"[ \t]$", shown, re.MULTILINE)
        assert shown.endswith("\n")


def test_colour_adds_nothing_but_colour() -> None:
    for with_colour, without in zip(everything(coloured), everything(plain), strict=True):
        assert click.unstyle(with_colour) == without


def test_painter() -> None:
    assert painter(True)("x", "red") != "x"
    assert painter(False)("x", "red") == "x"


def test_the_worst_field_comes_first() -> None:
    shown = plan_text.plan(Review(one_plan(WORKFLOW, LIVE, bound(WORKFLOW.fields()))))
    paths = re.findall(r"^      (\S+)  ", shown, re.MULTILINE)
    assert paths == ["metrics.completeness", "status", "web_search"]


@pytest.mark.parametrize("replaced", [False, True])
def test_git_wins_unless_it_is_blocked(replaced: bool) -> None:
    live = seen({**WORKFLOW.fields(), "name": "Edited", "max_retries": 3})
    applied = bound(WORKFLOW.fields())
    shown = plan_text.plan(Review(one_plan(WORKFLOW, live, applied, "2025-10-22", replace=replaced)))
    assert ("git wins" in shown) == replaced
    assert ("changed in the console" in shown) is True


def test_a_replacement_of_an_inactive_workflow_is_active() -> None:
    shown = plan_text.plan(Review(one_plan(WORKFLOW, LIVE, bound(WORKFLOW.fields()), replace=True)))
    assert "the new one will be active" in shown
    assert "only the console" not in shown
    assert "stays live" in shown


def test_a_long_value_moves_no_other_row() -> None:
    wanted = replace(WORKFLOW, description="x" * 500)
    shown = plan_text.plan(Review(one_plan(wanted, LIVE, bound(WORKFLOW.fields()))))
    [row] = [line for line in shown.splitlines() if "metrics.completeness" in line]
    assert len(row) < 110


def test_names_from_outside_cannot_pose_as_columns() -> None:
    live = seen({**WORKFLOW.fields(), "metrics": {"completeness": 0.85, "x  0.1 -> 0.9  tightens": 0.5}})
    shown = plan_text.plan(Review(one_plan(WORKFLOW, live, bound(WORKFLOW.fields()))))
    assert '"metrics.x  0.1 -> 0.9  tightens"  0.5 -> (none)  loosens' in shown


def test_no_part_of_a_reason_is_a_command() -> None:
    """It is told in lines, and a name from outside may hold what parts them."""
    change = Block("a", None, Reason("unresolved", "named x; ::error::y"))
    assert notes(change) == ["named x", "\\x3a:error::y"]


def test_a_workflow_that_is_off_is_not_as_declared() -> None:
    live = seen(WORKFLOW.fields(), "inactive")
    shown = plan_text.plan(Review(one_plan(WORKFLOW, live, bound(WORKFLOW.fields()))))
    assert "No changes" not in shown
    assert "1 workflow not as declared" in shown


def test_what_to_run_after_an_unknown_create_can_be_copied() -> None:
    lines = state_text.state(STATE).splitlines()
    assert "      defendctl state resolve c --id WORKFLOW_ID" in lines
    assert "      defendctl state resolve c --not-created" in lines


def test_assignments_are_quoted() -> None:
    assert assignments({"A": "wkfl_1", "B": "a b;$(x)"}) == "A=wkfl_1\nB='a b;$(x)'\n"


def test_the_policy_is_summed_up_and_its_remedies_stand_as_they_are_pasted() -> None:
    found = [
        Finding("r", "denied", "No.", "why", ADDRESS, "type", remedy="  - address: a\n    rule: r\n")
    ] * 2
    shown = plan_text.plan(Review(one_plan(WORKFLOW, None, None), findings=(*found, FINDINGS[1])))
    assert "Policy: 2 denied, 1 warned.\n" in shown
    assert "and fill in your own words:\n" + "  - address: a\n    rule: r\n" * 2 in shown
    assert "To let it pass" not in plan_text.findings(FINDINGS[1:], plain)


@pytest.mark.parametrize(
    ("ways", "sentence"),
    [
        ([{"loosens"}, {"loosens", "indeterminate"}], "prod is looser than dev in 2; 3 alike."),
        (
            [{"loosens", "tightens"}, {"tightens"}, {"none"}],
            "prod is both looser and tighter than dev in 1, tighter in 1, otherwise different in 1; 3 alike.",
        ),
        (
            [{"tightens", "indeterminate"}],
            "prod is looser or tighter (which cannot be told) than dev in 1; 3 alike.",
        ),
        ([{"lateral"}, {"none"}], "prod differs from dev, neither looser nor tighter, in 2; 3 alike."),
    ],
)
def test_a_workflow_that_differs_is_counted_once(ways: list[set[Direction]], sentence: str) -> None:
    differing = [
        Contrast(
            f"w{n}",
            None,
            worst(each),
            tuple(FieldChange(FieldPath("x"), 1, 2, None, None, None, one) for one in each),
        )
        for n, each in enumerate(ways)
    ]
    assert in_words(Comparison("dev", "prod", tuple(differing), 3)) == sentence
