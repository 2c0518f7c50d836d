"""The action of an address: every row of the contract's table, and every field in every generation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from defendctl.api.dialects import DIALECTS
from defendctl.model import FIELDS, GENERATIONS, Binding, Fields, State, Workflow
from defendctl.plan.build import to_read
from tests.plan.given import ADDRESS, ID, INTENT, NEWEST, WORKFLOW, bound, one, readable, seen

if TYPE_CHECKING:
    from defendctl.plan.changes import Change

YES, NO = True, False
APPLIED = WORKFLOW.fields()
OLD = (Binding("wkfl_older", APPLIED), Binding("wkfl_old", APPLIED))
LIVE = {
    "equal": seen(readable(APPLIED, NEWEST)),
    "other": seen(readable({**APPLIED, "metrics": {"completeness": 0.5}}, NEWEST)),
    "off": seen(readable(APPLIED, NEWEST), "inactive"),
    "404": None,
    "-": None,
}

# fmt: off
ACTIONS = [
    # declared bound tomb unresolved live  --replace   action     reason         workflow_id
    (YES,     NO,   NO,   NO,  "-",     NO,   "create",  None,         None),
    (YES,     NO,   NO,   NO,  "-",     YES,  "create",  None,         None),
    (YES,     YES,  NO,   NO,  "equal", NO,   "none",    None,         ID),
    (YES,     YES,  NO,   NO,  "off",   NO,   "none",    None,         ID),
    (YES,     YES,  NO,   NO,  "other", NO,   "update",  None,         ID),
    (YES,     YES,  NO,   NO,  "404",   NO,   "blocked", "missing",    ID),
    (YES,     YES,  NO,   NO,  "equal", YES,  "replace", None,         ID),
    (YES,     YES,  NO,   NO,  "other", YES,  "replace", None,         ID),
    (YES,     YES,  NO,   NO,  "404",   YES,  "replace", None,         ID),
    (YES,     YES,  YES,  NO,  "equal", NO,   "none",    None,         ID),
    (YES,     YES,  YES,  NO,  "other", NO,   "update",  None,         ID),
    (YES,     NO,   YES,  NO,  "equal", NO,   "adopt",   None,         "wkfl_old"),
    (YES,     NO,   YES,  NO,  "other", NO,   "adopt",   None,         "wkfl_old"),
    (YES,     NO,   YES,  NO,  "off",   NO,   "adopt",   None,         "wkfl_old"),
    (YES,     NO,   YES,  NO,  "404",   NO,   "blocked", "missing",    "wkfl_old"),
    (YES,     NO,   YES,  NO,  "404",   YES,  "create",  None,         None),
    (YES,     NO,   YES,  NO,  "other", YES,  "create",  None,         None),
    (YES,     NO,   NO,   YES, "-",     NO,   "blocked", "unresolved", None),
    (YES,     NO,   NO,   YES, "-",     YES,  "blocked", "unresolved", None),
    (YES,     NO,   YES,  YES, "-",     NO,   "blocked", "unresolved", None),
    (YES,     YES,  NO,   YES, "-",     NO,   "blocked", "unresolved", ID),
    (YES,     YES,  NO,   YES, "-",     YES,  "blocked", "unresolved", ID),
    (NO,      NO,   NO,   YES, "-",     NO,   "blocked", "unresolved", None),
    (NO,      YES,  NO,   YES, "-",     NO,   "blocked", "unresolved", ID),
    (NO,      YES,  NO,   NO,  "-",     NO,   "retire",  None,         ID),
    (NO,      YES,  YES,  NO,  "-",     NO,   "retire",  None,         ID),
    (NO,      NO,   YES,  NO,  "-",     NO,   "none",    None,         None),
    (NO,      NO,   NO,   NO,  "-",     NO,   "none",    None,         None),
]
EXITS = {"unresolved": 7, "missing": 1, "impossible": 5}
# fmt: on


@pytest.mark.parametrize(
    (
        "declared",
        "is_bound",
        "remembered",
        "unresolved",
        "live",
        "replaced",
        "action",
        "reason",
        "workflow_id",
    ),
    ACTIONS,
)
def test_action(
    declared: bool,
    is_bound: bool,
    remembered: bool,
    unresolved: bool,
    live: str,
    replaced: bool,
    action: str,
    reason: str | None,
    workflow_id: str | None,
) -> None:
    change = one(
        WORKFLOW if declared else None,
        LIVE[live],
        bound(APPLIED) if is_bound else None,
        tombstones=OLD if remembered else (),
        unresolved=unresolved,
        replace=replaced,
    )
    assert (change.action, change.workflow_id) == (action, workflow_id)
    assert reason_of(change) == reason
    if change.action == "blocked":
        assert change.reason.exit_code == EXITS[change.reason.kind]


def reason_of(change: Change) -> str | None:
    return change.reason.kind if change.action == "blocked" else None


MOVED: Fields = {
    "name": "Another name",
    "description": "Another description",
    "type": "automatic",
    "metrics": {"completeness": 0.5},
    "improvement_action": "none",
    "max_retries": 3,
    "web_search": True,
    "context_awareness": True,
    "file_search": ("file_1",),
}
ONLY_TEXT = {"name", "description"}

# fmt: off
CAN = [
    # generation    has                                                             can be updated
    ("2025-10-07",  set(FIELDS) - {"web_search", "file_search", "context_awareness"}, ONLY_TEXT),
    ("2025-10-22",  set(FIELDS) - {"context_awareness"},                              ONLY_TEXT),
    ("2025-11-10",  set(FIELDS) - {"context_awareness"},                              ONLY_TEXT),
    ("2025-12-07",  set(FIELDS),                                                      set(FIELDS)),
]
# fmt: on


@pytest.mark.parametrize(("generation", "has", "updates"), CAN)
@pytest.mark.parametrize("field", FIELDS)
def test_a_change_of_one_field(field: str, generation: str, has: set[str], updates: set[str]) -> None:
    applied = {n: v for n, v in APPLIED.items() if n in has}
    live = seen(readable(applied, generation))
    wanted = replace(WORKFLOW, **{field: MOVED[field]})
    change = one(wanted, live, bound(applied), generation)
    assert change.action == ("update" if field in updates else "blocked")
    assert reason_of(change) == (None if field in updates else "impossible")
    again = one(wanted, live, bound(applied), generation, replace=True)
    assert again.action == ("replace" if field in has else "blocked")
    assert one(wanted, None, bound(applied), generation, replace=True).action == again.action


@pytest.mark.parametrize("generation", GENERATIONS[:3])
def test_an_address_is_all_or_nothing(generation: str) -> None:
    applied = {n: v for n, v in APPLIED.items() if n in DIALECTS[generation].support.create}
    wanted = replace(WORKFLOW, name="New name", max_retries=2)
    change = one(wanted, seen(readable(applied, generation)), bound(applied), generation)
    assert change.action == "blocked"
    assert {f.path for f in change.fields} == {"name", "max_retries"}
    assert change.reason
    assert "max_retries" in change.reason.text
    assert "name in place" not in change.reason.text


@pytest.mark.parametrize("generation", GENERATIONS)
def test_an_adoption_that_is_impossible_in_place(generation: str) -> None:
    applied = {n: v for n, v in APPLIED.items() if n in DIALECTS[generation].support.create}
    old = Binding(ID, {**applied, "max_retries": 3})
    live = seen(readable({**applied, "max_retries": 3}, generation))
    change = one(WORKFLOW, live, None, generation, tombstones=[old])
    assert change.action == ("adopt" if generation == NEWEST else "blocked")
    assert one(WORKFLOW, live, None, generation, tombstones=[old], replace=True).action == "create"


LEVELS = Workflow("Levels", "automatic", {"completeness": "low", "correctness": "high"}, "none")
ONE_LEVEL = replace(LEVELS, metrics={"completeness": "low", "correctness": "low"})

# fmt: off
HOLDS = [
    # what it cannot hold            workflow                                       generations that can
    ("levels that differ",           LEVELS,                                        GENERATIONS[1:]),
    ("one level",                    ONE_LEVEL,                                     GENERATIONS),
    ("web search",                   replace(WORKFLOW, web_search=True),            GENERATIONS[1:]),
    ("file search",                  replace(WORKFLOW, file_search=("file_1",)),    GENERATIONS[1:]),
    ("context awareness",            replace(WORKFLOW, context_awareness=True),     GENERATIONS[3:]),
    ("thresholds that differ",       replace(WORKFLOW, metrics={"a": 0.1, "b": 1.0}), GENERATIONS),
    ("defaults",                     WORKFLOW,                                      GENERATIONS),
]
# fmt: on


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize(("what", "workflow", "able"), HOLDS)
def test_a_value_that_a_generation_cannot_hold(
    what: str, workflow: Workflow, able: tuple[str, ...], generation: str
) -> None:
    holds = generation in able
    for replaced in (NO, YES):
        fresh = one(workflow, None, None, generation, replace=replaced)
        assert (fresh.action, reason_of(fresh)) == (
            ("create", None) if holds else ("blocked", "impossible")
        ), what
    if not holds:
        lost = one(workflow, None, bound({}), generation, replace=True)
        assert (lost.action, reason_of(lost)) == ("blocked", "impossible")


@pytest.mark.parametrize(("what", "workflow", "able"), HOLDS)
def test_a_value_that_is_live_already_needs_no_write(
    what: str, workflow: Workflow, able: tuple[str, ...]
) -> None:
    """A server that takes old writes and answers new reads; but a replacement would have to write it."""
    live = seen(readable(workflow.fields(), NEWEST))
    applied = bound(workflow.fields())
    for generation in GENERATIONS:
        assert one(workflow, live, applied, generation).action == "none", what
        again = one(workflow, live, applied, generation, replace=True)
        assert again.action == ("replace" if generation in able else "blocked"), what


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_create_lists_what_is_sent(generation: str) -> None:
    change = one(WORKFLOW, None, None, generation)
    sent = DIALECTS[generation].support.create
    assert {f.path.partition(".")[0] for f in change.fields} == sent
    for field in change.fields:
        assert (field.before, field.applied, field.basis, field.origin) == (None, None, None, None)


# fmt: off
READS = [
    # declared  bound tomb unresolved   reads
    (YES,       YES,  NO,  NO,          "wkfl_1"),
    (YES,       YES,  YES, NO,          "wkfl_1"),
    (YES,       NO,   YES, NO,          "wkfl_old"),
    (YES,       NO,   NO,  NO,          None),
    (NO,        YES,  NO,  NO,          None),
    (NO,        NO,   YES, NO,          None),
    (YES,       YES,  NO,  YES,         None),
]
# fmt: on


@pytest.mark.parametrize(("declared", "is_bound", "remembered", "unresolved", "reads"), READS)
def test_what_is_read(
    declared: bool, is_bound: bool, remembered: bool, unresolved: bool, reads: str | None
) -> None:
    state = State(
        bindings={ADDRESS: bound({})} if is_bound else {},
        tombstones={ADDRESS: OLD} if remembered else {},
        unresolved={ADDRESS: INTENT} if unresolved else {},
    )
    asked = to_read({ADDRESS} if declared else set(), state, {ADDRESS})
    assert asked == ({ADDRESS: reads} if reads else {})
    assert to_read({ADDRESS}, state, set()) == {}


def test_the_reason_says_what_to_run() -> None:
    def reason(**more: Any) -> str:
        change = one(WORKFLOW, None, **{"binding": None, **more})
        assert change.action == "blocked"
        return change.reason.text

    waiting = reason(unresolved=True)
    assert f"`defendctl state resolve {ADDRESS} --id WORKFLOW_ID`" in waiting
    assert f"`defendctl state resolve {ADDRESS} --not-created`" in waiting
    assert "'Support bot'" in waiting
    gone = reason(binding=bound(APPLIED))
    assert "404" in gone
    assert f"`--replace {ADDRESS}`" in gone
    fixed = one(
        replace(WORKFLOW, max_retries=1),
        seen(readable(APPLIED, "2025-11-10")),
        bound(APPLIED),
        "2025-11-10",
    )
    assert fixed.action == "blocked"
    assert "2025-11-10" in fixed.reason.text
    assert f"`--replace {ADDRESS}`" in fixed.reason.text
