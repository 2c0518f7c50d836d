"""Rules about manifests: every check, kept, broken and impossible to evaluate."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from defendctl.policy.finding import MESSAGES
from defendctl.policy.rules import CHECKS, MANIFEST_CHECKS
from tests.plan.given import ADDRESS, WORKFLOW
from tests.policy.given import AUTOMATIC, PLACES, TODAY, of_manifest, rule, selected, told, waiver

C, S = "metrics.completeness", "metrics.comprehensive_safety"


def but(**fields: Any) -> Any:
    return replace(WORKFLOW, **fields)


# fmt: off
ROWS: list[tuple[str, Any, Any, list[tuple[str, bool]]]] = [
    # check                      limit                      workflow            (field, evaluated)
    ("min_threshold",            {"completeness": 0.85},    WORKFLOW,                         []),
    ("min_threshold",            {"completeness": 0.85},    but(metrics={"completeness": 0.85 - 1e-12}), []),
    ("min_threshold",            {"completeness": 0.86},    WORKFLOW,  [(C, True)]),
    ("min_threshold",            {"comprehensive_safety": 0.5}, WORKFLOW,                     []),
    ("min_threshold",            {"completeness": 0.1},     AUTOMATIC,  [(C, False)]),
    ("min_threshold",            {"completeness": 0.9, "comprehensive_safety": 0.9},
     but(metrics={"completeness": 0.1, "comprehensive_safety": 0.0}),  [(C, True), (S, True)]),
    ("require_metrics",          ["completeness"],          WORKFLOW,                         []),
    ("require_metrics",          ["completeness"],          AUTOMATIC,                        []),
    ("require_metrics",  ["comprehensive_safety"],  WORKFLOW,  [(S, True)]),
    ("allow_types",              ["custom"],                WORKFLOW,                         []),
    ("allow_types",  ["custom"],                AUTOMATIC,  [("type", True)]),
    ("allow_tolerances",         ["low", "medium"],         AUTOMATIC,                        []),
    ("allow_tolerances",  ["high"],                  AUTOMATIC,  [(C, True)]),
    ("allow_tolerances",         ["high"],                  WORKFLOW,                         []),
    ("allow_improvement_actions", ["fixit"],                WORKFLOW,                         []),
    ("allow_improvement_actions", ["regenerate"],           WORKFLOW,  [("improvement_action", True)]),
    ("min_retries",              10,                        WORKFLOW,                         []),
    ("min_retries",              11,                        WORKFLOW,  [("max_retries", True)]),
    ("max_retries",              10,                        WORKFLOW,                         []),
    ("max_retries",              9,                         WORKFLOW,  [("max_retries", True)]),
    ("capabilities",             {"web_search": False},     WORKFLOW,                         []),
    ("capabilities",             {"web_search": True},      WORKFLOW,  [("web_search", True)]),
    ("capabilities",             {"context_awareness": False}, but(context_awareness=True),
     [("context_awareness", True)]),
    ("capabilities",             {"file_search": True},     but(file_search=("f",)),          []),
    ("capabilities",             {"file_search": False},   but(file_search=("f",)),  [("file_search", True)]),
]
# fmt: on


@pytest.mark.parametrize(("check", "limit", "workflow", "expected"), ROWS)
def test_each_check(check: str, limit: Any, workflow: Any, expected: list[tuple[str, bool]]) -> None:
    assert told(of_manifest(rule(check, limit), workflow)) == expected


@pytest.mark.parametrize(("check", "limit", "workflow", "expected"), [row for row in ROWS if row[3]])
def test_each_outcome(check: str, limit: Any, workflow: Any, expected: list[tuple[str, bool]]) -> None:
    """Denied with a remedy, warned without one, waived by exactly the value that stands there."""
    for level, verdict in (("deny", "denied"), ("warn", "warned")):
        for finding in of_manifest(rule(check, limit, level=level), workflow):
            assert (finding.verdict, finding.address) == (verdict, ADDRESS)
            assert bool(finding.remedy) == (verdict == "denied")
            assert finding.message == MESSAGES[check]
            assert finding.detail.isprintable()
    fields = workflow.fields()
    for field, evaluated in expected:
        value = fields["metrics"].get(field[8:]) if field.startswith("metrics.") else fields[field]
        passed = [
            f for f in of_manifest(rule(check, limit), workflow, waiver(field, value)) if f.field == field
        ]
        assert [(f.verdict, f.remedy, f.evaluated) for f in passed] == [("waived", None, evaluated)]
        assert passed[0].waiver == waiver(field, value)


def test_every_check_is_in_the_table_and_has_words() -> None:
    assert {row[0] for row in ROWS} == set(MANIFEST_CHECKS)
    assert set(MESSAGES) == set(CHECKS)


def test_the_authors_words_and_the_place() -> None:
    asked = rule("require_metrics", ["comprehensive_safety"], message="Every bot needs one.")
    [finding] = of_manifest(asked, WORKFLOW)
    assert finding.message == "Every bot needs one."
    assert finding.span == PLACES[ADDRESS, "metrics"], "the nearest line, for it stands nowhere"
    [finding] = of_manifest(rule("max_retries", 1), WORKFLOW)
    assert finding.span == PLACES[ADDRESS, ""]


@pytest.mark.parametrize(
    ("select", "labels", "holds"),
    [
        ({}, {}, True),
        ({"addresses": ("support-*",)}, {}, True),
        ({"addresses": ("x", "*-bot")}, {}, True),
        ({"addresses": ("support",)}, {}, False),
        ({"addresses": ("SUPPORT-*",)}, {}, False),
        ({"labels": {"tier": "critical"}}, {"tier": "critical", "team": "a"}, True),
        ({"labels": {"tier": "critical"}}, {"tier": "low"}, False),
        ({"labels": {"tier": "critical"}}, {}, False),
        ({"labels": {"tier": "critical", "team": "b"}}, {"tier": "critical", "team": "a"}, False),
        ({"addresses": ("support-*",), "labels": {"tier": "critical"}}, {"tier": "critical"}, True),
        ({"addresses": ("other-*",), "labels": {"tier": "critical"}}, {"tier": "critical"}, False),
    ],
)
def test_the_selector(select: dict[str, Any], labels: dict[str, str], holds: bool) -> None:
    asked = rule("max_retries", 1, select=selected(**select))
    assert bool(of_manifest(asked, WORKFLOW, labels=labels)) == holds


@pytest.mark.parametrize(
    "other",
    [
        {"address": "other"},
        {"rule": "another"},
        {"field": "min_retries"},
        {"to": 9},
        {"to": None},
        {"to": True},
        {"to": "10"},
        {"expires": TODAY.replace(month=2)},
    ],
)
def test_a_waiver_speaks_of_one_thing(other: dict[str, Any]) -> None:
    given = waiver(**{"field": "max_retries", "to": 10, **other})
    [finding] = of_manifest(rule("max_retries", 9), WORKFLOW, given)
    assert finding.verdict == "denied"


def test_a_waiver_counts_on_its_last_day_and_for_a_warning_too() -> None:
    given = waiver("max_retries", 10.0, expires=TODAY)
    for level in ("deny", "warn"):
        [finding] = of_manifest(rule("max_retries", 9, level=level), WORKFLOW, given)
        assert finding.verdict == "waived"


def test_rules_about_changes_are_not_asked() -> None:
    assert of_manifest(rule("no_retire"), WORKFLOW) == []
