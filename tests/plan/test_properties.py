"""What holds for every plan, over generated worlds (tests/strategies.py)."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defendctl.api.decode import observe
from defendctl.api.dialects import DIALECTS
from defendctl.api.dialects.dialect import encode
from defendctl.api.outcome import Created
from defendctl.engine import verify
from defendctl.engine.apply import Applier
from defendctl.model import ACTIONS, GENERATIONS, Binding, Observed, State, field_of
from defendctl.plan.build import World, build_plan, to_read
from defendctl.plan.changes import IMPOSSIBLE, Block, Change, Options, Plan, Reason, Same, is_listed
from defendctl.plan.compare import FieldChange, compare
from defendctl.plan.digest import digest
from defendctl.plan.direction import WORST_FIRST
from defendctl.plan.drift import build_drift
from defendctl.render.json import plan as plan_json
from defendctl.render.json.dump import dumped
from defendctl.render.text import plan as plan_text
from defendctl.review import Review
from defendctl.state.group import GroupCommit
from defendctl.state.records import take
from tests.strategies import bindings, observed, workflows, worlds

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True, scope="module")
def no_waiting() -> Iterator[None]:
    """This server shows at once what it took; a failing example should not sleep while it is shrunk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verify, "WAITS", (0.0,))
        yield


LOOSE_ENOUGH = {"loosens", "indeterminate"}


@given(worlds(), st.randoms(use_true_random=False))
def test_a_plan_is_a_function_and_order_does_not_matter(world: World, random: Any) -> None:
    plan, again = build_plan(world), build_plan(reordered(world, random))
    assert plan == again
    assert digest(plan) == digest(again)
    assert plan_json.plan(Review(plan)) == plan_json.plan(Review(again))


def reordered(world: World, random: Any) -> World:
    def shuffled(items: dict[str, Any]) -> dict[str, Any]:
        keys = list(items)
        random.shuffle(keys)
        return {key: items[key] for key in keys}

    def again(binding: Binding) -> Binding:
        return replace(binding, applied=shuffled(binding.applied), assumed=shuffled(binding.assumed))

    state = replace(
        world.state,
        bindings=shuffled({a: again(b) for a, b in world.state.bindings.items()}),
        unresolved=shuffled(world.state.unresolved),
    )
    desired = {a: replace(w, metrics=shuffled(dict(w.metrics))) for a, w in world.desired.items()}
    live = {a: o and replace(o, fields=shuffled(o.fields)) for a, o in world.live.items()}
    scope = sorted(world.scope, reverse=True)
    return replace(world, desired=shuffled(desired), live=shuffled(live), state=state, scope=scope)


@given(worlds(), worlds(), st.data())
def test_the_digest_changes_with_what_apply_would_do_and_with_nothing_else(
    world: World, other: World, data: st.DataObject
) -> None:
    one, two = build_plan(world), build_plan(other)
    assert (digest(one) == digest(two)) == (content(one) == content(two))
    same = replace(
        one,
        serial=one.serial + 1,
        changes=tuple(
            replace(c, reason=Reason(c.reason.kind, "other")) if c.action == "blocked" else c
            for c in one.changes
        ),
    )
    assert digest(same) == digest(one)
    moved = data.draw(st.sampled_from(neighbours(one)))
    assert digest(moved) != digest(one)


def content(plan: Plan) -> Any:
    """What a digest is over, from the document that is shown."""
    shown = json.loads(dumped(plan_json.plan(Review(plan))))
    changes = [{k: v for k, v in change.items() if k != "reason"} for change in shown["changes"]]
    return plan.host, [shown[key] for key in ("lineage", "generation", "options")], changes


def neighbours(plan: Plan) -> list[Plan]:
    """The same plan but for one thing that matters."""
    found = [
        replace(plan, host="elsewhere.example.com"),
        replace(plan, lineage="another"),
        replace(plan, lineage=None),
        replace(plan, generation="2031-01-01"),
        replace(plan, options=Options(("zeta",), plan.options.replace)),
        replace(plan, options=Options(plan.options.target, ("zeta",))),
    ]
    for index, change in enumerate(plan.changes):
        if is_listed(change):
            rest = plan.changes[:index], plan.changes[index + 1 :]
            found.append(replace(plan, changes=(*rest[0], *rest[1])))
            found += [replace(plan, changes=(*rest[0], moved, *rest[1])) for moved in moves(change)]
    return found


def moves(change: Change) -> list[Change]:
    told: dict[str, Any] = {
        name: getattr(change, name) for name in ("address", "workflow_id", "direction", "fields")
    }
    others: list[dict[str, Any]] = [
        {"address": "zeta"},
        {"workflow_id": "wkfl_zeta"},
        {"direction": "none" if change.direction != "none" else "loosens"},
    ]
    for name in ("path", "before", "after", "applied", "basis", "origin", "direction"):
        if change.fields:
            other: dict[str, Any] = {name: "something else"}
            first = replace(change.fields[0], **other)
            others.append({"fields": (first, *change.fields[1:])})
    kind: Any = change
    has = {field.name for field in fields(kind)}
    blocked = Block(**told, reason=Reason(IMPOSSIBLE, "why"))
    return [
        *(replace(kind, **other) for other in others if other.keys() <= has),
        Same(**told) if change.action == "blocked" else blocked,
    ]


@given(worlds())
def test_every_difference_is_classified_and_no_loosening_is_called_milder(world: World) -> None:
    plan = build_plan(world)
    for change in plan.changes:
        for field in change.fields:
            assert field.direction in WORST_FIRST
            if field.basis and loosens(field):
                assert field.direction in LOOSE_ENOUGH, field
            if field.basis in ("live", "applied") and surely_loosens(field):
                assert field.direction == "loosens", field
            assert change.action == "retire" or (
                WORST_FIRST.index(change.direction) <= WORST_FIRST.index(field.direction)
            )
    loosening = {c.address for c in plan.changes if any(f.direction == "loosens" for f in c.fields)}
    assert plan.summary()["loosens"] == len(loosening)
    assert first_section(plan_text.plan(Review(plan))) == loosening


def surely_loosens(field: FieldChange) -> bool:
    """Less protection after than before, read off the values alone."""
    before, after = field.before, field.after
    if field.path.startswith("metrics."):
        return after is None or (isinstance(before, float) and isinstance(after, float) and after < before)
    if field.path == "max_retries":
        return isinstance(before, int | float) and bool(after < before)
    if field.path == "improvement_action":
        return before in ACTIONS and after == "none"
    return field.path == "status" and before == "inactive"


def loosens(field: FieldChange) -> bool:
    """It may be less: also for what cannot be compared, and from what nobody knows."""
    unclear = field.path in ("type", "file_search", "web_search", "context_awareness")
    return (
        unclear
        or (field.basis == "unknown" and field.path not in ("name", "description"))
        or surely_loosens(field)
    )


def first_section(shown: str) -> set[str]:
    """The addresses under the heading of what loosens, which must be the first."""
    lines = shown.splitlines()
    if "Loosens the guardrail:" not in lines:
        return set()
    assert lines[1] == "Loosens the guardrail:"
    found = set()
    for line in lines[2:]:
        if not line.startswith("  "):
            break
        if not line.startswith("      "):
            found.add(line[4:].split()[0])
    return found


@given(st.data())
def test_what_is_live_as_desired_never_differs(data: st.DataObject) -> None:
    workflow = data.draw(workflows())
    live = data.draw(observed("wkfl_1", workflow)).fields
    equal = {name: value for name, value in workflow.fields().items() if name in live}
    binding = data.draw(bindings("wkfl_1", workflow))
    changes = compare(workflow.fields(), equal, binding)
    assert not {field_of(change.path) for change in changes} & equal.keys()


@given(worlds())
def test_drift_names_exactly_what_the_plan_calls_drift(world: World) -> None:
    plan = build_plan(world)
    for change in plan.changes:
        binding = world.state.bindings.get(change.address)
        if change.desired and change.observed and binding and change.action != "blocked":
            entries = build_drift(world.desired, {change.address: change.observed}, {change.address: binding})
            drifted = [f for f in change.fields if f.origin in ("drift", "conflict")]
            assert [f.path for e in entries for f in e.fields] == [f.path for f in drifted]
            assert {f.basis for f in drifted} <= {"live"}, "else nobody could know"


class Server:
    """An API that takes a generation's bodies and answers them as that generation does."""

    def __init__(self, generation: str) -> None:
        self.dialect = DIALECTS[generation]
        self.bodies: dict[str, dict[str, Any]] = {}

    def create(self, values: Any, before_send: Any) -> Created:
        before_send()
        workflow_id = f"made_{len(self.bodies)}"
        self.bodies[workflow_id] = encode(self.dialect, values, values)
        return Created(workflow_id)

    def update(self, workflow_id: str, values: Any) -> None:
        assert values.keys() <= self.dialect.support.update
        self.bodies[workflow_id] |= encode(self.dialect, values, values)

    def read(self, workflow_id: str) -> Observed | None:
        body = self.bodies[workflow_id]
        shown = {n: v for n, v in body.items() if self._shows(n)}
        if "capabilities" in self._more():
            on = [n for n in ("web_search", "context_awareness") if body.get(n)]
            shown["capabilities"] = [{"capability": name} for name in on]
            shown["files"] = [{"file_id": name} for name in body.get("file_search", [])]
        return observe(json.loads(json.dumps({**shown, "workflow_id": workflow_id})))

    def pause(self, seconds: float) -> None:
        raise AssertionError("nothing to wait for")

    def _shows(self, key: str) -> bool:
        keys = {self.dialect.names.get(field, field) for field in self.dialect.support.read}
        return key in keys | (
            {*self.dialect.maps.values()} if "metrics" in self.dialect.support.read else set()
        )

    def _more(self) -> set[str]:
        return {"capabilities"} if "web_search" in self.dialect.support.read else set()


class Notebook:
    """A memory that only remembers."""

    send_limit = 1.0

    def __init__(self, state: State) -> None:
        self.state = state
        self.record_soon = GroupCommit(lambda group: self.note(*group)).soon

    def record(self, record: Any) -> float:
        return self.record_soon(record).wait()

    def note(self, *noted: Any) -> None:
        for record in noted:
            take(self.state, record)

    def claim(self, workflow_id: str) -> bool:
        return workflow_id not in self.state.known_ids()


@given(st.sampled_from(GENERATIONS), st.data())
def test_apply_then_plan_is_empty(generation: str, data: st.DataObject) -> None:
    """First everything is created, then edited in git and behind our back; what is not blocked converges."""
    server, memory = Server(generation), Notebook(State(lineage="lineage-1"))
    first = {a: data.draw(workflows(generation)) for a in ("alpha", "beta", "gamma")}
    settle(server, memory, first)
    for body in server.bodies.values():
        if data.draw(st.booleans()):
            edit = data.draw(workflows(generation)).fields()
            body |= encode(server.dialect, edit, server.dialect.support.create)
    second = {a: data.draw(st.just(w) | workflows(generation)) for a, w in first.items()}
    memory.state.tombstones |= {a: (memory.state.bindings.pop(a),) for a in ("gamma",)}
    settle(server, memory, second)


def settle(server: Server, memory: Notebook, desired: Any) -> None:
    plan = planned(server, memory, desired)
    unmended = {c.address for c in plan.changes if c.action == "blocked"}
    result = Applier(plan, server, memory, server.dialect.support, 1).run()
    assert {r.address for r in result.results if r.outcome != "done"} == unmended
    again = planned(server, memory, desired)
    assert {c.address for c in again.changes if c.action != "none"} == unmended
    assert not [c for c in again.changes if c.fields and c.address not in unmended]


def planned(server: Server, memory: Notebook, desired: Any) -> Plan:
    ids = to_read(desired, memory.state, set(desired))
    live = {address: server.read(workflow_id) for address, workflow_id in ids.items()}
    return build_plan(World(desired, live, memory.state, server.dialect.support, "h", set(desired)))
