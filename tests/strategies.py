"""Workflows, answers, bindings and whole worlds for property tests, shared by all of them.

Values are drawn from small pools, so that two of them are often equal: the interesting cases of a plan
are those where desired, live and applied agree in part.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from defendctl.api.dialects import DIALECTS
from defendctl.model import (
    ACTIONS,
    FIELDS,
    GENERATIONS,
    LEVELS,
    METRICS,
    Binding,
    Fields,
    Intent,
    Observed,
    State,
    Workflow,
)
from defendctl.plan.build import World, to_read
from defendctl.plan.changes import Options

CUSTOM_METRICS = ("tone", "on.brand", 'it\'s ["odd"]', "__private")
ADDRESSES = ("alpha", "beta", "gamma", "delta")

texts = st.sampled_from(["", "Support bot", "Billing", 'say "no"\n\x1b[2J', "Bücher 🤖"])
names = texts.map(lambda text: text or "Nameless")
thresholds = st.sampled_from([0.0, 0.5, 0.5 + 5e-10, 0.85, 1.0]) | st.floats(0, 1)
levels = st.sampled_from(LEVELS)
metric_names = st.sampled_from([*METRICS, *CUSTOM_METRICS])
file_ids = st.lists(st.sampled_from(["file_a", "file_b", "file_c"]), unique=True).map(
    lambda ids: tuple(sorted(ids))
)


def metrics(kind: str, one_level: bool = False) -> st.SearchStrategy[dict[str, float | str]]:
    """At least one, as a manifest demands; `one_level` as the first generation can hold them."""
    if kind == "custom":
        return st.dictionaries(metric_names, thresholds, min_size=1, max_size=4)
    if one_level:
        chosen = st.lists(metric_names, min_size=1, max_size=4, unique=True)
        return st.tuples(chosen, levels).map(lambda drawn: dict.fromkeys(drawn[0], drawn[1]))
    return st.dictionaries(metric_names, levels, min_size=1, max_size=4)


@st.composite
def workflows(draw: st.DrawFn, generation: str = "2025-12-07") -> Workflow:
    """Any workflow that this generation can hold."""
    support = DIALECTS[generation].support
    kind = draw(st.sampled_from(["custom", "automatic"]))
    values: Fields = {
        "name": draw(names),
        "type": kind,
        "metrics": draw(metrics(kind, support.one_level)),
        "improvement_action": draw(st.sampled_from(ACTIONS)),
        "description": draw(texts),
        "max_retries": draw(st.sampled_from([0, 3, 10, 10_000])),
    }
    if "web_search" in support.create:
        values |= {"web_search": draw(st.booleans()), "file_search": draw(file_ids)}
    if "context_awareness" in support.create:
        values["context_awareness"] = draw(st.booleans())
    return Workflow(**values)


@st.composite
def near(draw: st.DrawFn, workflow: Workflow, generation: str = "2025-12-07") -> Workflow:
    """The same workflow with some of its fields taken from another one."""
    other = draw(workflows(generation))
    moved = draw(st.sets(st.sampled_from(FIELDS), max_size=3))
    if moved & {"type", "metrics"}:
        moved |= {"type", "metrics"}
    return replace(workflow, **{name: getattr(other, name) for name in moved})


@st.composite
def strange(draw: st.DrawFn, values: Fields) -> Fields:
    """An answer may hold what no manifest can: words and numbers that are not ours."""
    odd: dict[str, st.SearchStrategy[Any]] = {
        "improvement_action": st.just("escalate"),
        "max_retries": st.sampled_from([-1, 10.5, 10**30]),
        "metrics": st.sampled_from([{}, {"completeness": "strict"}, {"completeness": 7.0}]),
        "type": st.just("hybrid"),
    }
    name = draw(st.sampled_from(sorted(odd)))
    return {**values, name: draw(odd[name])} if name in values else values


@st.composite
def observed(draw: st.DrawFn, workflow_id: str, workflow: Workflow) -> Observed:
    """What a GET of some generation may answer for a workflow like this one."""
    live = draw(near(workflow)).fields()
    read = DIALECTS[draw(st.sampled_from(GENERATIONS))].support.read
    seen = {name: value for name, value in live.items() if name in read}
    seen = draw(strange(seen)) if draw(st.integers(0, 9)) == 0 else seen
    return Observed(workflow_id, seen, draw(st.sampled_from(["active"] * 4 + ["inactive", "paused"])))


stamps = st.dictionaries(st.sampled_from(FIELDS), st.integers(1, 3))
"""Field → the day on which it was recorded; what an older run recorded has none."""


@st.composite
def bindings(draw: st.DrawFn, workflow_id: str, workflow: Workflow) -> Binding:
    """Knows each field as applied, as assumed, or not at all; a few are in an update that was lost."""
    values = draw(near(workflow)).fields()
    known = draw(st.sets(st.sampled_from(FIELDS))) if draw(st.booleans()) else set(FIELDS)
    assumed = draw(st.sets(st.sampled_from(FIELDS))) - known
    lost = draw(st.sets(st.sampled_from(FIELDS), max_size=3)) if draw(st.booleans()) else set()
    return Binding(
        workflow_id,
        {name: value for name, value in values.items() if name in known},
        {name: value for name, value in values.items() if name in assumed},
        frozenset(lost),
        {
            name: (f"2026-01-0{day}T00:00:00+00:00", "apply")
            for name, day in draw(stamps).items()
            if name in known
        },
    )


@st.composite
def states(draw: st.DrawFn, workflows_by_address: dict[str, Workflow]) -> State:
    """Every address is bound, remembered, waiting for the outcome of a create, or new."""
    state = State(lineage="lineage-1", serial=draw(st.integers(0, 9)), api_host="api.example.com")
    for address, workflow in workflows_by_address.items():
        kind = draw(st.sampled_from(["bound"] * 4 + ["new", "remembered", "unresolved", "replacing"]))
        if kind in ("bound", "replacing"):
            state.bindings[address] = draw(bindings(f"wkfl_{address}", workflow))
        if kind == "remembered":
            old = draw(bindings(f"old_{address}", workflow))
            state.tombstones[address] = (Binding(f"older_{address}"), old)
        if kind in ("unresolved", "replacing"):
            sent = workflow.fields()
            state.unresolved[address] = Intent("op", "2026-01-02T03:04:05.000+00:00", sent)
    return state


@st.composite
def worlds(draw: st.DrawFn, generation: str | None = None) -> World:
    """Everything a plan is a function of."""
    named = generation or draw(st.sampled_from(GENERATIONS))
    declared = {address: draw(workflows(named)) for address in ADDRESSES}
    state = draw(states(declared))
    desired = {a: w for a, w in declared.items() if draw(st.integers(0, 4)) or a not in state.bindings}
    scope = set(desired) | set(state.bindings) | set(state.unresolved)
    replaced = tuple(sorted(a for a in desired if draw(st.integers(0, 5)) == 0))
    live: dict[str, Observed | None] = {
        address: draw(observed(workflow_id, declared[address])) if draw(st.integers(0, 7)) else None
        for address, workflow_id in to_read(desired, state, scope).items()
    }
    support = DIALECTS[named].support
    return World(desired, live, state, support, "api.example.com", scope, Options(replace=replaced))
