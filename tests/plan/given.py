"""A world of one address, in few words."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, get_args

from defendctl.api.dialects import DIALECTS
from defendctl.model import Binding, Fields, Intent, Observed, State, Workflow
from defendctl.plan.build import World, build_plan
from defendctl.plan.changes import Change, Options, Plan

ADDRESS = "support-bot"
ID = "wkfl_1"
NEWEST = "2025-12-07"
WORKFLOW = Workflow("Support bot", "custom", {"completeness": 0.85}, "fixit")
KINDS: dict[str, Any] = {kind.action: kind for kind in get_args(Change)}
INTENT = Intent("op-1", "2026-01-05T09:00:00.000+00:00", WORKFLOW.fields())


def of_kind(action: str, **told: Any) -> Change:
    """The kind of change that has this action, with what it has of `told`."""
    kind = KINDS[action]
    change: Change = kind(**{f.name: told[f.name] for f in fields(kind) if f.name in told})
    return change


def bound(applied: Fields, assumed: Fields | None = None, unconfirmed: tuple[str, ...] = ()) -> Binding:
    return Binding(ID, applied, assumed or {}, frozenset(unconfirmed))


def seen(fields: Fields, status: str = "active") -> Observed:
    return Observed(ID, fields, status)


def readable(fields: Fields, generation: str) -> Fields:
    """What a GET of this generation would hold of them."""
    return {n: v for n, v in fields.items() if n in DIALECTS[generation].support.read}


def one_plan(
    desired: Workflow | None,
    live: Observed | None,
    binding: Binding | None,
    generation: str = NEWEST,
    **more: Any,
) -> Plan:
    """The plan of a single address. `more`: tombstones, unresolved, replace."""
    state = State(lineage="lineage-1", serial=3, api_host="api.example.com")
    if binding:
        state.bindings[ADDRESS] = binding
    if more.get("tombstones"):
        state.tombstones[ADDRESS] = tuple(more["tombstones"])
    if more.get("unresolved"):
        state.unresolved[ADDRESS] = INTENT
    options = Options(replace=(ADDRESS,) if more.get("replace") else ())
    declared = {ADDRESS: desired} if desired else {}
    support = DIALECTS[generation].support
    return build_plan(World(declared, {ADDRESS: live}, state, support, "api.example.com", {ADDRESS}, options))


def one(
    desired: Workflow | None,
    live: Observed | None,
    binding: Binding | None,
    generation: str = NEWEST,
    **more: Any,
) -> Change:
    [change] = one_plan(desired, live, binding, generation, **more).changes
    return change
