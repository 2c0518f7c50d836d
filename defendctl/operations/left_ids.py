"""Ids that runs had to leave and that no open create explains: workflows that are live and bound nowhere.

So comes about who was given up (`state resolve --not-created`) and answered all the same: the run that had
asked for it lost its lock meanwhile, and could only leave what it was told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.command import command
from defendctl.diagnostics import Diagnostic, Unresolved
from defendctl.review import LEFT_ID

if TYPE_CHECKING:
    from collections.abc import Mapping

    from defendctl.model import State
    from defendctl.state.store import Store


def left_ids(store: Store, state: State) -> Mapping[str, str]:
    """Operation → workflow id. In a file's folder such ids belong to creates that were settled, as a rule,
    and only doctor tells of them."""
    if not store.is_elsewhere:
        return {}
    strays = store.strays({intent.op for intent in state.unresolved.values()})
    known = state.known_ids()
    found = {each.op: each.workflow_id for each in strays if each.workflow_id}
    return {op: workflow_id for op, workflow_id in found.items() if workflow_id not in known}


def told(workflow_id: str) -> str:
    return (
        f"{workflow_id} was created by a run that could not record it: it is live, and bound to nothing; "
        f"`{command('state resolve ADDRESS --id {}', workflow_id)}` remembers it at the address it is of, "
        f"`{command('state rm {}', workflow_id)}` forgets it"
    )


def of_left_ids(store: Store, state: State) -> list[Diagnostic]:
    return [Diagnostic("warning", LEFT_ID, told(one)) for one in left_ids(store, state).values()]


def op_of(store: Store, state: State, workflow_id: str) -> str | None:
    """The operation that left this id, if one did."""
    return next((op for op, left in left_ids(store, state).items() if left == workflow_id), None)


def refuse_left(store: Store, state: State) -> None:
    """Raises Unresolved where there is one."""
    for workflow_id in left_ids(store, state).values():
        raise Unresolved(told(workflow_id))
