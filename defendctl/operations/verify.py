"""verify: whether what is declared is what judges events. Only reads; nothing is submitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.diagnostics import ApiError, DefendctlError, suggest
from defendctl.operations.events import bound
from defendctl.plan.proof import Proof, prove

if TYPE_CHECKING:
    from defendctl.api.client import DefendApi
    from defendctl.event import Event
    from defendctl.operations.workspace import Workspace


def verify(workspace: Workspace, address: str) -> Proof:
    """Raises DefendctlError for an address that is not declared, or not bound."""
    desired = workspace.desired(None)
    if address not in desired.workflows:
        near = suggest(address, desired.workflows)
        raise DefendctlError(f"{address!r} is not declared, so there is nothing to verify.{near}")
    workflow_id = bound(workspace, address)
    with workspace.api() as api:
        live = api.read(workflow_id)
        if live is None:
            raise ApiError(f"{address}: the API answers 404 for its workflow {workflow_id}")
        event = _newest(api, workflow_id)
    if isinstance(event, str):
        return Proof(address, workflow_id, "not_yet", event, changed_at=live.changed_at)
    return prove(address, workflow_id, desired.workflows[address], event, live.changed_at)


def _newest(api: DefendApi, workflow_id: str) -> Event | str | None:
    """With its settings, which only its own answer holds; a string says why there can be none."""
    found = api.recent(workflow_id, 1, content=False)
    if found is None or found.events is None:
        return "this generation of the API lists no events"
    if not found.events:
        return None
    return api.event(workflow_id, found.events[0].event_id, content=False)
