"""build_plan: the action of every address, derived in one place. Pure: no clock, no file, no network."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal

from defendctl.command import command, settling
from defendctl.diagnostics import Diagnostic
from defendctl.model import DEFAULTS, FIELDS, NEWEST, Binding, Observed, field_of, leaves
from defendctl.plan.changes import (
    CLASHING,
    IMPOSSIBLE,
    MISSING,
    UNDER_WAY,
    UNRESOLVED,
    Adopt,
    Block,
    Create,
    Move,
    Options,
    Plan,
    Reason,
    Replace,
    Retire,
    Same,
    Update,
    block,
)
from defendctl.plan.compare import FieldChange, compare, console_changes, never_known, unsure_fields
from defendctl.plan.diff import differing
from defendctl.plan.digest import canonical
from defendctl.plan.direction import NONE, worst
from defendctl.plan.identity import another_id

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from defendctl.model import Intent, LocalFile, State, Support, Workflow
    from defendctl.plan.changes import Change
    from defendctl.plan.renames import Past, Taken

_Binds = Literal["update", "adopt"]
_Decision = Literal["replace", "update", "adopt", "none"] | Reason
_KINDS: Final[dict[str, type[Update | Adopt | Same]]] = {"update": Update, "adopt": Adopt, "none": Same}
Live = dict[str, Observed | None]
"""Address → what a GET answered; None where it answered 404. An address that was not read is not there."""


@dataclass(frozen=True, slots=True)
class World:
    """All that a plan is a function of."""

    desired: Mapping[str, Workflow]
    live: Live
    state: State
    support: Support
    host: str
    scope: Collection[str]
    """The addresses this run is about; all others are neither read nor retired."""
    options: Options = field(default_factory=Options)
    moves: tuple[Move, ...] = ()
    """Renames that `state` has made already, and the one on disk has not."""
    taken: Mapping[str, Taken] = field(default_factory=dict)
    """Address → the workflow that its `import:` names, which nobody has bound."""
    held: Mapping[str, Reason] = field(default_factory=dict)
    """Addresses that are blocked by what manifests say of their past."""
    files: Mapping[str, LocalFile] = field(default_factory=dict)
    """What may stand in a `file_search` for a file of the repository → that file."""
    under_way: Collection[str] = ()
    """Addresses whose create another run has begun and not finished."""
    refreshed: bool = True
    """Whether `live` was read; else it holds nothing but ids."""
    environment: str | None = None


def to_read(
    declared: Collection[str], state: State, scope: Collection[str], past: Past | None = None
) -> dict[str, str]:
    """Address → the workflow id a plan must read: declared, and bound, to be imported or remembered."""
    ids = {a: old[-1].workflow_id for a, old in state.tombstones.items() if old}
    ids |= {a: taken.binding.workflow_id for a, taken in past.taken.items()} if past else {}
    ids |= {a: b.workflow_id for a, b in state.bindings.items()}
    wanted = (a for a in scope if a in declared and a in ids and a not in state.unresolved)
    return {address: ids[address] for address in sorted(wanted)}


def build_plan(world: World) -> Plan:
    changes = tuple(_change(address, world) for address in sorted(world.scope))
    return Plan(
        host=world.host,
        lineage=world.state.lineage,
        serial=world.state.serial,
        generation=world.support.generation,
        options=world.options,
        changes=changes,
        moves=world.moves,
        refreshed=world.refreshed,
        environment=world.environment,
    )


def _change(address: str, world: World) -> Change:
    """Derived from: unresolved? declared? bound? remembered? live? which fields differ? may they change?"""
    state, desired = world.state, world.desired.get(address)
    binding, old = state.bindings.get(address), state.tombstones.get(address, ())
    if address in state.unresolved:
        return _unresolved(address, world)
    if address in world.held:
        bound = binding.workflow_id if binding else None
        return Block(address, bound, world.held[address], desired=desired)
    if desired is None:
        return Retire(address, binding.workflow_id, binding) if binding else Same(address)
    if binding:
        return _bound(address, desired, binding, "update", world)
    if address in world.taken:
        return _taken(address, desired, world.taken[address], world)
    if old and address not in world.options.replace:
        return _bound(address, desired, old[-1], "adopt", world)
    return _create(address, desired, world)


def _unresolved(address: str, world: World) -> Block:
    intent = world.state.unresolved[address]
    binding = world.state.bindings.get(address)
    bound = binding.workflow_id if binding else None
    if address in world.under_way:
        reason = Reason(UNDER_WAY, f"a run that is under way began to create it, at {intent.at}")
        return Block(address, bound, reason)
    return Block(address, bound, Reason(UNRESOLVED, unknown_outcome(address, intent)))


def unknown_outcome(address: str, intent: Intent) -> str:
    """What is known of a create, and the two commands that settle it."""
    there, not_there = settling(address, intent.answered or "WORKFLOW_ID")
    return (
        f"a create sent at {intent.at} has an unknown outcome; "
        f"look in the console for a workflow named {intent.sent.get('name')!r}; "
        f"if it is there: `{there}`; "
        f"if it is not (from 15 minutes on, or with --now): `{not_there}`"
    )


def _create(address: str, desired: Workflow, world: World) -> Create | Block:
    wrong = cannot_hold(desired, {}, world.support)
    sent = {n: v for n, v in desired.fields().items() if n in world.support.create or n in wrong}
    fields = tuple(
        FieldChange(path, None, value, None, None, None, NONE) for path, value in sorted(leaves(sent).items())
    )
    files = _files(desired, world)
    if wrong:
        reason = _not_held(wrong, world.support)
        return Block(address, None, reason, fields=fields, desired=desired, files=files)
    return Create(address, fields, desired, files)


def _taken(address: str, desired: Workflow, taken: Taken, world: World) -> Change:
    """Adopted as a tombstone is; only the reasons against it have other words."""
    made = _bound(address, desired, taken.binding, "adopt", world)
    workflow_id = taken.binding.workflow_id
    if made.observed is None:
        text = (
            f"the API answers 404 for {workflow_id}, which `import` names; correct it, "
            "or take `import` out to have a new one created"
        )
        if world.environment:
            here = f"does it live in another environment than {world.environment}"
            text += f"; {here}, put `import` into an overlay of that one, and out of the manifest"
        return block(made, Reason(MISSING, text))
    if made.observed.workflow_id != workflow_id:
        said = another_id(workflow_id, made.observed.workflow_id)
        text = f"`import` names {workflow_id}, but {said}; put the id that it answers with into `import`"
        return block(made, Reason(CLASHING, text))
    return replace(made, imported=True, was=taken.was) if isinstance(made, Adopt) else made


def _bound(address: str, desired: Workflow, binding: Binding, action: _Binds, world: World) -> Change:
    """A workflow with an id: bound, or remembered by a tombstone and about to be bound again."""
    observed = world.live[address]
    known = _before_adoption(binding, observed) if action == "adopt" else binding
    seen = observed.fields if observed else {}
    wanted = _held(desired, seen, world.support)
    again = never_known(wanted, seen, known) & {*world.options.reassert}
    fields = _with(compare(wanted, seen, known), unsure_fields(again, wanted))
    written_anew = address in world.options.replace
    wrong = cannot_hold(desired, {} if written_anew else seen, world.support)
    decided = _decide(address, binding.workflow_id, action, observed, fields, wrong, world)
    fields = _with_unsure(fields, decided, wanted, seen, known, world.support)
    fields += console_changes(observed) if observed else []
    way, told = worst(f.direction for f in fields), tuple(sorted(fields, key=lambda f: f.path))
    unobservable = observed is not None and any(name not in seen for name in wanted)
    about, files = (address, binding.workflow_id, way, told, desired), _files(desired, world)
    if isinstance(decided, Reason):
        return block(Same(*about, observed, known, unobservable, files), decided)
    if decided == "replace":
        return Replace(*about, observed, known, unobservable, files)
    assert observed, "what answers 404 is replaced or blocked"
    return _KINDS[decided](*about, observed, known, unobservable, files)


def _files(desired: Workflow, world: World) -> dict[str, LocalFile]:
    return {name: world.files[name] for name in desired.file_search if name in world.files}


def _before_adoption(binding: Binding, observed: Observed | None) -> Binding:
    """A tombstone speaks only for what cannot be read."""
    seen = observed.fields if observed else {}
    hidden = {name: value for name, value in binding.applied.items() if name not in seen}
    return replace(binding, applied=hidden)


def _decide(
    address: str,
    workflow_id: str,
    action: _Binds,
    observed: Observed | None,
    fields: list[FieldChange],
    wrong: list[str],
    world: World,
) -> _Decision:
    """Not to be replaced is only what can be read."""
    if wrong:
        return _not_held(wrong, world.support)
    if address in world.options.replace:
        return "replace"
    if observed is None:
        return _missing(address)
    to_write = [field for field in fields if not field.untaken]
    fixed = sorted({field_of(f.path) for f in to_write} - world.support.update)
    if fixed:
        return _fixed(address, workflow_id, fixed, observed, world.support)
    return action if to_write or action == "adopt" else "none"


def _with_unsure(
    fields: list[FieldChange],
    decided: _Decision,
    wanted: dict[str, object],
    seen: dict[str, object],
    binding: Binding,
    support: Support,
) -> list[FieldChange]:
    """A write sends the whole set, so it also writes what nobody knows: that must be listed."""
    sends = decided == "replace" or (decided in ("update", "adopt") and bool(fields))
    if not sends:
        return fields
    sent = support.create if decided == "replace" else support.update
    hidden = never_known(wanted, seen, binding) & sent
    return _with(fields, unsure_fields(hidden, wanted))


def _with(fields: list[FieldChange], more: list[FieldChange]) -> list[FieldChange]:
    """And those of `more` whose paths are not there yet."""
    listed = {f.path for f in fields}
    return fields + [f for f in more if f.path not in listed]


def _held(desired: Workflow, seen: dict[str, object], support: Support) -> dict[str, object]:
    """The fields to compare: what the generation has, and what the answer held all the same."""
    return {n: v for n, v in desired.fields().items() if n in support.create or n in seen}


def cannot_hold(desired: Workflow, seen: dict[str, object], support: Support) -> list[str]:
    """The fields whose value this generation has no way to write, unless it is in `seen` already."""
    values = desired.fields()
    wrong = [n for n, v in DEFAULTS.items() if n not in support.create and values.get(n, v) != v]
    if support.one_level and desired.type == "automatic" and len(set(desired.metrics.values())) > 1:
        wrong.append("metrics")
    return sorted(n for n in wrong if n not in seen or differing({n: seen[n]}, {n: values[n]}))


def _not_held(wrong: list[str], support: Support) -> Reason:
    what = "different levels for its metrics" if wrong == ["metrics"] else ", ".join(wrong)
    text = (
        f"generation {support.generation} of the API cannot hold {what}, nor can a new workflow; "
        f"take it out of the manifest, or {_pinned()}"
    )
    return Reason(IMPOSSIBLE, text)


def _pinned() -> str:
    """Reads decide what `auto` takes, so a server may know more than they show."""
    return f"set `api.generation: {NEWEST}` in defendctl.yaml if the server takes newer writes"


def _missing(address: str) -> Reason:
    text = (
        "the API answers 404 for this workflow; if it is really gone, "
        f"`--replace {address}` makes a new one, `{command('state rm {}', address)}` forgets it"
    )
    return Reason(MISSING, text)


def _fixed(address: str, workflow_id: str, fixed: list[str], observed: Observed, support: Support) -> Reason:
    """With every way out. What the console changes is only seen where it can be read."""
    known = all(name in observed.fields for name in fixed)
    seen = (
        "the next plan then finds it equal"
        if known
        else f"`{command('state rm {}', address)}` and "
        f"`{command('import {} {}', address, workflow_id)}` then take it over"
    )
    text = (
        f"generation {support.generation} of the API cannot change {', '.join(fixed)} in place; "
        f"`--replace {address}` makes a new workflow with a new id and leaves the old one live; "
        f"or change it in the console: {seen}; "
        f"or {_pinned()}"
    )
    return Reason(IMPOSSIBLE, text)


def probable_moves(changes: Iterable[Change]) -> list[Diagnostic]:
    """A retire and a create of one definition: the address was probably renamed."""
    retired = {
        definition: c.address
        for c in changes
        if isinstance(c, Retire)
        for values in [{**DEFAULTS, **c.binding.assumed, **c.binding.applied}]
        if values.keys() == set(FIELDS)
        for definition in _definitions(c.address, values)
    }
    moves = {
        c.address: retired[definition]
        for c in changes
        if isinstance(c, Create)
        for definition in _definitions(c.address, c.desired.fields())
        if definition in retired
    }
    return [_move_warning(old, new) for new, old in moves.items()]


def _definitions(address: str, values: Mapping[str, object]) -> list[str]:
    """Comparable: as it is, and without a name that may be only the address's default."""
    nameless = [canonical({**values, "name": None})] if values["name"] == address else []
    return [canonical(values), *nameless]


def _move_warning(old: str, new: str) -> Diagnostic:
    message = (
        f"{new} holds the definition of {old}, which is retired here: a second workflow would be created. "
        f"If the address was renamed, put `renamed_from: {old}` under {new} in its manifest; "
        f"without a pull request, `{command('state mv {} {}', old, new)}` does the same"
    )
    return Diagnostic("warning", "probable-move", message)
