"""state list, mv, rm and unlock: looking at what is remembered, and mending it. None touches the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.command import either
from defendctl.diagnostics import DefendctlError, Unresolved, Usage, suggest
from defendctl.model import ADDRESS, ADDRESS_RULE
from defendctl.operations.beside import read_beside, warn_beside
from defendctl.operations.by_label import chosen_by_labels, only
from defendctl.operations.left_ids import left_ids, op_of, told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from defendctl.model import State
    from defendctl.operations.workspace import Workspace
    from defendctl.state.owner import Owner


def state_list(workspace: Workspace, selector: Sequence[str] = ()) -> tuple[State, list[str]]:
    """Named after the environment that it is read in, also before anything is recorded; and a sentence for
    each workflow that a run could not record."""
    beside = read_beside(workspace)
    warn_beside(workspace, beside)
    state = beside.snapshot.state
    state.environment = workspace.project.environment
    left = [] if workspace.settings.offline else [*map(told, left_ids(workspace.store, state).values())]
    chosen = only(state, chosen_by_labels(workspace.desired(None), selector)) if selector else state
    return chosen, left


def move(workspace: Workspace, old: str, new: str) -> str:
    """Binding and tombstones of `old` become those of `new`. Returns the id that moved."""
    if not ADDRESS.fullmatch(new):
        raise Usage(f"{new!r} is not an address: {ADDRESS_RULE}")
    workspace.require_sound()
    with workspace.store.session(workspace.settings.warn) as session:
        state = session.state
        _settled(state, old, new)
        if old not in state.managed:
            raise DefendctlError(f"{old} is not bound.{suggest(old, sorted(state.managed))}")
        if new in state.bindings:
            raise DefendctlError(f"{new} is bound to {state.bindings[new].workflow_id} already")
        session.edit(lambda state: state.move(old, new))
        return state.bindings[new].workflow_id


def remove(workspace: Workspace, address: str) -> list[str]:
    """Forget an address. Returns every id that was bound or remembered there, the newest last.

    An id that a run had to leave, and that nobody binds, is forgotten by itself.
    """
    workspace.require_sound()
    with workspace.store.session(workspace.settings.warn) as session:
        state = session.state
        _settled(state, address)
        known = {*state.bindings, *state.tombstones}
        left = op_of(workspace.store, state, address) if address not in known else None
        if left:
            session.forget(left)
            return [address]
        if address not in known:
            raise DefendctlError(f"the state does not know {address}.{suggest(address, sorted(known))}")
        ids = [b.workflow_id for b in state.tombstones.get(address, ())]
        ids += [state.bindings[address].workflow_id] if address in state.bindings else []
        session.edit(lambda state: _remove(state, address))
        return ids


def unlock(workspace: Workspace, lock_id: str) -> Owner:
    workspace.require_sound()
    return workspace.store.backend.unlock(lock_id)


def _settled(state: State, *addresses: str) -> None:
    for address in addresses:
        if address in state.unresolved:
            raise Unresolved(
                f"{address} has a create with an unknown outcome",
                f"first {either(address)}",
            )


def _remove(state: State, address: str) -> None:
    for section in (state.bindings, state.tombstones, state.former):
        section.pop(address, None)
