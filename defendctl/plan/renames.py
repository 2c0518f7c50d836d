"""What manifests say of an address's past: the address it had before, the workflow it takes over. Pure.

A rename moves what the state knows, so a plan is built of the state as it is after all moves; apply makes
them durable first. What cannot be told apart is held: blocked, and left as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from defendctl.command import command, either
from defendctl.model import Binding
from defendctl.plan.changes import CLASHING, UNRESOLVED, Move, Reason

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from defendctl.model import State


@dataclass(frozen=True, slots=True)
class Taken:
    """A workflow that `import:` names and nobody has bound yet."""

    binding: Binding
    was: str | None = None
    """Another address whose tombstone remembers it."""


@dataclass(frozen=True, slots=True)
class Past:
    """`state` is the one after the moves."""

    state: State
    moves: tuple[Move, ...] = ()
    taken: Mapping[str, Taken] = field(default_factory=dict)
    held: Mapping[str, Reason] = field(default_factory=dict)


def settle(
    renamed: Mapping[str, str],
    imports: Mapping[str, str],
    declared: Collection[str],
    state: State,
    elsewhere: Collection[str] = (),
) -> Past:
    """`renamed`: address → the one it had; `imports`: address → workflow id. Changes nothing in `state`.

    `elsewhere`: what is declared too, but not in this run.
    """
    renamed = {**renamed_back(renamed, declared, elsewhere, state), **renamed}
    if not (renamed or imports):
        return Past(state)
    after = replace(
        state,
        bindings=dict(state.bindings),
        tombstones=dict(state.tombstones),
        former=dict(state.former),
    )
    moves: list[Move] = []
    held: dict[str, Reason] = {}
    for new, old in sorted(renamed.items()):
        held |= _held(new, old, state)
        if new not in held and old not in held and _moves(new, old, state):
            moves.append(Move(old, new, _id(old, state)))
            after.move(old, new)
    taken, refused = _imports(imports, declared, after)
    return Past(after, tuple(moves), taken, held | refused)


def renamed_back(
    renamed: Mapping[str, str], declared: Collection[str], elsewhere: Collection[str], state: State
) -> dict[str, str]:
    """Renames that were taken back: address → the one that has its binding, and is declared no more.

    Of several former addresses that are declared again, the newest has it.
    """
    found = {}
    for now, before in state.former.items():
        known = now in state.bindings or now in state.unresolved or now in state.tombstones
        if not known or now in declared or now in elsewhere or now in renamed.values():
            continue
        free = (a for a in reversed(before) if a in declared and a not in renamed and _is_free(a, state))
        back = next(free, None)
        if back:
            found[back] = now
    return found


def _is_free(address: str, state: State) -> bool:
    return not (address in state.bindings or address in state.unresolved or address in state.tombstones)


def _held(new: str, old: str, state: State) -> dict[str, Reason]:
    """Why neither of the two may be touched."""
    if old in state.unresolved and new not in state.bindings:
        settled = f"settle that first: {either(old)}"
        return {
            new: Reason(UNRESOLVED, f"its old address {old} has a create with an unknown outcome; {settled}")
        }
    if old not in state.bindings:
        return {}
    if new in state.unresolved:
        return {old: Reason(UNRESOLVED, f"its new address {new} has a create with an unknown outcome")}
    if new not in state.bindings:
        return {}
    text = (
        f"{new} was renamed from {old}, but both are bound: {old} to {state.bindings[old].workflow_id}, "
        f"{new} to {state.bindings[new].workflow_id}; "
        f"`{command('state rm ADDRESS')}` forgets the one that is wrong, "
        "or take `renamed_from` out"
    )
    return dict.fromkeys((new, old), Reason(CLASHING, text))


def _moves(new: str, old: str, state: State) -> bool:
    """What is only remembered moves where there is nothing yet, so that it is adopted and not made again."""
    if old in state.bindings:
        return True
    return old in state.tombstones and _is_free(new, state)


def _id(address: str, state: State) -> str:
    binding = state.bindings.get(address) or state.tombstones[address][-1]
    return binding.workflow_id


def _imports(
    imports: Mapping[str, str], declared: Collection[str], state: State
) -> tuple[dict[str, Taken], dict[str, Reason]]:
    bound = {b.workflow_id: address for address, b in state.bindings.items()}
    remembered = {b.workflow_id: (address, b) for address, old in state.tombstones.items() for b in old}
    taken, held = {}, {}
    for address, workflow_id in imports.items():
        was, binding = remembered.get(workflow_id, (address, Binding(workflow_id)))
        why = _refused(address, workflow_id, bound, was, declared, state)
        if why:
            held[address] = Reason(CLASHING, why)
        elif address not in state.bindings:
            taken[address] = Taken(binding, was if was != address else None)
    return taken, held


def _refused(
    address: str,
    workflow_id: str,
    bound: Mapping[str, str],
    was: str,
    declared: Collection[str],
    state: State,
) -> str | None:
    """An id that this address had before (it was imported, and replaced since) does no harm."""
    own = state.bindings.get(address)
    if own:
        before = (own, *state.tombstones.get(address, ()))
        if any(b.workflow_id == workflow_id for b in before):
            return None
        return (
            f"it is bound to {own.workflow_id}, but `import` names {workflow_id}; take `import` out, "
            f"or `{command('state rm {}', address)}` forgets that binding"
        )
    if workflow_id in bound:
        return (
            f"`import` names {workflow_id}, which is bound to {bound[workflow_id]} already; "
            f"if it was renamed, say `renamed_from: {bound[workflow_id]}` instead"
        )
    if was != address and was in declared and was not in state.bindings:
        return (
            f"`import` names {workflow_id}, which {was} remembers and would bind again; declare one of them"
        )
    return None
