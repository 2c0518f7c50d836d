"""What a difference does to the guardrail: every row of the contract's table, and worst first."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest

from defendctl.model import FieldPath
from defendctl.plan.compare import compare
from defendctl.plan.direction import WORST_FIRST, direction, worst
from tests.plan.given import WORKFLOW, bound, one, seen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from defendctl.plan.direction import Direction

GONE = None

# fmt: off
ROWS = [
    # what                        path                    before        after         direction
    ("threshold up",              "metrics.completeness", 0.6,          0.85,         "tightens"),
    ("threshold up from 0",       "metrics.completeness", 0.0,          0.01,         "tightens"),
    ("threshold down",            "metrics.completeness", 0.85,         0.6,          "loosens"),
    ("threshold down to 0",       "metrics.completeness", 0.01,         0.0,          "loosens"),
    ("metric added",              "metrics.completeness", GONE,         0.5,          "tightens"),
    ("metric added at 0",         "metrics.completeness", GONE,         0.0,          "tightens"),
    ("level added",               "metrics.completeness", GONE,         "low",        "tightens"),
    ("metric removed",            "metrics.completeness", 0.5,          GONE,         "loosens"),
    ("metric removed at 0",       "metrics.completeness", 0.0,          GONE,         "loosens"),
    ("level removed",             "metrics.completeness", "high",       GONE,         "loosens"),
    ("own metric removed",        "metrics.a.b",          0.1,          GONE,         "loosens"),
    ("action to none",            "improvement_action",   "fixit",      "none",       "loosens"),
    ("action to none",            "improvement_action",   "regenerate", "none",       "loosens"),
    ("action from none",          "improvement_action",   "none",       "fixit",      "tightens"),
    ("action from none",          "improvement_action",   "none",       "regenerate", "tightens"),
    ("fixit to regenerate",       "improvement_action",   "fixit",      "regenerate", "lateral"),
    ("regenerate to fixit",       "improvement_action",   "regenerate", "fixit",      "lateral"),
    ("unknown action",            "improvement_action",   "escalate",   "none",       "indeterminate"),
    ("unknown action",            "improvement_action",   "fixit",      "escalate",   "indeterminate"),
    ("fewer retries",             "max_retries",          10,           9,            "loosens"),
    ("no retries",                "max_retries",          1,            0,            "loosens"),
    ("more retries",              "max_retries",          9,            10,           "tightens"),
    ("retries of a strange API",  "max_retries",          10.5,         10,           "loosens"),
    ("retries not known",         "max_retries",          None,         10,           "indeterminate"),
    ("custom to automatic",       "type",                 "custom",     "automatic",  "indeterminate"),
    ("automatic to custom",       "type",                 "automatic",  "custom",     "indeterminate"),
    ("tolerance up",              "metrics.completeness", "low",        "high",       "indeterminate"),
    ("tolerance down",            "metrics.completeness", "high",       "low",        "indeterminate"),
    ("threshold to level",        "metrics.completeness", 0.9,          "low",        "indeterminate"),
    ("level to threshold",        "metrics.completeness", "low",        0.9,          "indeterminate"),
    ("web search on",             "web_search",           False,        True,         "indeterminate"),
    ("web search off",            "web_search",           True,         False,        "indeterminate"),
    ("context awareness on",      "context_awareness",    False,        True,         "indeterminate"),
    ("context awareness off",     "context_awareness",    True,         False,        "indeterminate"),
    ("file added",                "file_search",          (),           ("f",),       "indeterminate"),
    ("file removed",              "file_search",          ("f",),       (),           "indeterminate"),
    ("inactive",                  "status",               "inactive",   "active",     "loosens"),
    ("made inactive",             "status",               "active",     "inactive",   "loosens"),
    ("unknown status",            "status",               "paused",     "active",     "indeterminate"),
    ("name",                      "name",                 "a",          "b",          "none"),
    ("description",               "description",          "a",          "",           "none"),
    ("any other difference",      "colour",               1,            2,            "indeterminate"),
]
# fmt: on


@pytest.mark.parametrize(("what", "path", "before", "after", "way"), ROWS)
def test_row(what: str, path: str, before: Any, after: Any, way: str) -> None:
    assert direction(FieldPath(path), before, after) == way, what


def test_worst_first() -> None:
    assert WORST_FIRST == ("loosens", "indeterminate", "lateral", "tightens", "none")
    pairs: Iterable[tuple[Direction, Direction]] = combinations(WORST_FIRST, 2)
    for worse, better in pairs:
        assert worst([better, worse, better]) == worse
    assert worst([]) == "none"


# fmt: off
CONFLICTS = [
    # live            applied          desired          before → after  applied → after  the worse
    ("metrics.completeness", 0.7,      0.9,     0.8,     "loosens"),        # tightens, loosens
    ("metrics.completeness", 0.9,      0.7,     0.8,     "loosens"),        # loosens, tightens
    ("metrics.completeness", 0.5,      0.6,     0.8,     "tightens"),       # tightens, tightens
    ("metrics.completeness", None,     0.9,     0.8,     "loosens"),        # tightens, loosens
    ("metrics.completeness", 0.9,      None,    0.95,    "tightens"),       # tightens, tightens
    ("metrics.completeness", 0.9,      0.8,     None,    "loosens"),        # loosens, loosens
    ("metrics.completeness", 0.5,      "low",   0.8,     "indeterminate"),  # tightens, indeterminate
    ("improvement_action", "none",  "regenerate", "fixit", "lateral"),      # tightens, lateral
    ("improvement_action", "fixit", "none", "regenerate", "lateral"),       # lateral, tightens
    ("improvement_action", "fixit", "regenerate", "none", "loosens"),       # loosens, loosens
    ("max_retries", 3, 8, 5, "loosens"),                                    # tightens, loosens
    ("description", "x", "y", "z", "none"),
]
# fmt: on


@pytest.mark.parametrize(("path", "live", "applied", "desired", "way"), CONFLICTS)
def test_a_conflict_is_the_worse_of_both(path: str, live: Any, applied: Any, desired: Any, way: str) -> None:
    fields = [with_leaf(path, value) for value in (desired, live, applied)]
    [change] = compare(fields[0], fields[1], bound(fields[2]))
    assert (change.origin, change.direction) == ("conflict", way)
    assert (change.before, change.applied, change.after) == (live, applied, desired)


def with_leaf(path: str, value: Any) -> dict[str, Any]:
    field, _, metric = path.partition(".")
    if not metric:
        return {field: value}
    others = {"correctness": 0.5}
    return {"metrics": others if value is None else {**others, metric: value}}


def test_a_workflow_has_the_worst_of_its_fields() -> None:
    live = WORKFLOW.fields() | {"metrics": {"completeness": 0.1}, "web_search": True, "max_retries": 11}
    change = one(WORKFLOW, seen(live), bound(live))
    assert [f.direction for f in change.fields] == ["loosens", "tightens", "indeterminate"]
    assert change.direction == "loosens"


def test_a_retire_cannot_be_told() -> None:
    change = one(None, None, bound(WORKFLOW.fields()))
    assert (change.action, change.direction) == ("retire", "indeterminate")
    assert change.workflow_id == "wkfl_1"


def test_a_create_changes_no_protection() -> None:
    change = one(WORKFLOW, None, None)
    assert (change.action, change.direction) == ("create", "none")
    assert {f.direction for f in change.fields} == {"none"}
