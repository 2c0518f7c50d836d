"""Counts of addresses, what is listed, and the warning about an address that was probably renamed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from defendctl.api.dialects import DIALECTS
from defendctl.model import GENERATIONS, Binding, Intent, Observed, State, Workflow
from defendctl.plan.build import World, build_plan, probable_moves
from tests.plan.given import NEWEST, WORKFLOW, readable

LOOSE = {"metrics": {"completeness": 0.95}}
TIGHT = {"metrics": {"completeness": 0.1}}


def test_summary() -> None:
    applied = WORKFLOW.fields()
    full = {**applied}
    # fmt: off
    rows: dict[str, tuple[dict[str, Any] | None, dict[str, Any] | None, str]] = {
        # address       what is live                what was applied       status
        "equal":        (readable(full, NEWEST),    applied,               "active"),
        "equal-read":   (full,                      applied,               "active"),
        "loosens":      ({**full, **LOOSE},         {**applied, **LOOSE},  "active"),
        "drifted":      ({**full, **TIGHT},         applied,               "active"),
        "inactive":     (full,                      applied,               "inactive"),
        "may":          ({**full, "web_search": True}, {**applied, "web_search": True}, "active"),
        "missing":      (None,                      applied,               "active"),
    }
    # fmt: on
    state = State(bindings={a: Binding(f"wkfl_{a}", was or {}) for a, (_, was, _) in rows.items()})
    state.bindings["retired"] = Binding("wkfl_retired", applied)
    state.tombstones["adopted"] = (Binding("wkfl_adopted", {}),)
    state.unresolved["waiting"] = Intent("op", "2026-01-05T09:00:00+00:00", applied)
    live = {a: Observed(f"wkfl_{a}", now, status) if now else None for a, (now, _, status) in rows.items()}
    live["adopted"] = Observed("wkfl_adopted", {**full, **TIGHT})
    desired = dict.fromkeys((*rows, "adopted", "created"), WORKFLOW)
    scope = {*desired, "retired", "waiting"}
    plan = build_plan(World(desired, live, state, DIALECTS[NEWEST].support, "api.example.com", scope))
    assert plan.summary() == {
        "create": 1,
        "adopt": 1,
        "update": 3,
        "replace": 0,
        "retire": 1,
        "blocked": 2,
        "none": 3,
        "drift": 2,  # drifted, inactive
        "tightens": 2,  # drifted, adopted
        "loosens": 2,  # loosens, inactive
        "indeterminate": 2,  # may, retired
        "unobservable": 1,  # equal
    }
    assert {c.address for c in plan.changes} - {c.address for c in plan.listed} == {"equal", "equal-read"}
    assert [c.address for c in plan.changes] == sorted(scope)
    assert plan.blocked_exits() == {1, 7}
    assert not plan.empty


def moves(
    old: Binding, new: Workflow, generation: str = NEWEST, new_address: str = "new"
) -> list[tuple[str, str]]:
    state = State(bindings={"old": old})
    support = DIALECTS[generation].support
    plan = build_plan(World({new_address: new}, {}, state, support, "h", {"old", new_address}))
    assert [c.action for c in plan.changes] == ["create", "retire"]
    return [(d.code, d.message) for d in probable_moves(plan.changes)]


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_renamed_address_is_seen_in_every_generation(generation: str) -> None:
    sent = {n: v for n, v in WORKFLOW.fields().items() if n in DIALECTS[generation].support.create}
    [(code, message)] = moves(Binding("wkfl_1", sent), WORKFLOW, generation)
    assert code == "probable-move"
    assert "`defendctl state mv old new`" in message


def test_a_name_that_is_only_the_address_does_not_hide_a_rename() -> None:
    old, new = replace(WORKFLOW, name="old"), replace(WORKFLOW, name="new")
    assert len(moves(Binding("wkfl_1", old.fields()), new)) == 1


def test_a_name_that_stayed_while_the_address_moved_is_a_rename() -> None:
    """`a: {name: a}` → `c: {name: a}`: the same definition to the letter."""
    same = replace(WORKFLOW, name="old")
    assert len(moves(Binding("wkfl_1", same.fields()), same)) == 1


def test_what_was_assumed_counts() -> None:
    binding = Binding("wkfl_1", readable(WORKFLOW.fields(), "2025-10-07"), dict(WORKFLOW.fields()))
    assert len(moves(binding, WORKFLOW)) == 1


@pytest.mark.parametrize(
    "difference",
    [{"name": "Another"}, {"metrics": {"completeness": 0.8}}, {"max_retries": 9}, {"description": "x"}],
)
def test_another_definition_is_no_rename(difference: dict[str, Any]) -> None:
    assert moves(Binding("wkfl_1", WORKFLOW.fields()), replace(WORKFLOW, **difference)) == []


def test_too_little_known_is_no_rename() -> None:
    assert moves(Binding("wkfl_1", {"name": "Support bot"}), WORKFLOW) == []
