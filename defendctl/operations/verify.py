"""verify: whether what is declared is what judges events. Only reads, unless a canary event is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from defendctl.api.outcome import Accepted, Refused, Unknown
from defendctl.api.submission import body
from defendctl.diagnostics import ApiError, DefendctlError, Interrupted, KeyRefused, suggest
from defendctl.event import Submission
from defendctl.inspection.proof import Proof, prove
from defendctl.operations.events import NOT_REPEATED, bound, check_same, paying, speaking

if TYPE_CHECKING:
    from defendctl.api.client import DefendApi
    from defendctl.event import Event
    from defendctl.operations.workspace import Workspace


CANARY_EVENT: Final = Submission(
    user_prompt="Which settings judge this event?",
    model_output="This event was submitted by `defendctl verify --canary`.",
    model_used="none",
    nametag="defendctl-verify",
)


def verify(workspace: Workspace, address: str, canary: float | None = None) -> Proof:
    """With `canary` one event is submitted, and followed for so many seconds.

    Raises DefendctlError for an address that is not declared, or not bound.
    """
    desired = workspace.desired(None)
    if address not in desired.workflows:
        near = suggest(address, desired.workflows)
        raise DefendctlError(f"{address!r} is not declared, so there is nothing to verify.{near}")
    workflow_id = bound(workspace, address)
    with workspace.api() as api:
        live = api.read(workflow_id)
        if live is None:
            raise ApiError(f"{address}: the API answers 404 for its workflow {workflow_id}")
        check_same(address, workflow_id, live)
        if canary is None:
            event = _newest(api, workflow_id)
        else:
            event = _submitted(workspace, api, address, workflow_id, canary)
    if isinstance(event, str):
        return Proof(address, workflow_id, "not_yet", event, changed_at=live.changed_at)
    return prove(address, workflow_id, desired.workflows[address], event, live.changed_at)


def _submitted(
    workspace: Workspace, api: DefendApi, address: str, workflow_id: str, seconds: float
) -> Event | str | None:
    """Once; a string says why there is no event to look at."""
    from defendctl.engine.submit import submit

    dialect, _ = speaking(workspace, api, {address: workflow_id})
    with paying(f"the canary event for {address}") as before_send:
        outcome = submit(api, workflow_id, body(CANARY_EVENT, dialect), before_send)
    match outcome:
        case Accepted(event_id):
            return _followed(api, address, workflow_id, event_id, seconds)
        case Refused(401 | 403, why):
            raise KeyRefused(why)
        case Unknown(why):
            return f"{why}; {NOT_REPEATED}"
    return f"the canary event was not submitted: {outcome.why}"


def _followed(api: DefendApi, address: str, workflow_id: str, event_id: str, seconds: float) -> Event | str:
    from defendctl.engine.submit import follow

    try:
        found = follow(api, workflow_id, event_id, seconds)
    except KeyboardInterrupt:
        told = f"interrupted: the canary event {event_id} for {address} was submitted, and is paid for"
        raise Interrupted(told) from None
    return f"the API answers 404 for the event {event_id} that it accepted" if found is None else found


def _newest(api: DefendApi, workflow_id: str) -> Event | str | None:
    """With its settings, which only its own answer holds; a string says why there can be none."""
    found = api.recent(workflow_id, 1, content=False)
    if found is None or found.events is None:
        return "this generation of the API lists no events"
    if not found.events:
        return None
    return api.event(workflow_id, found.events[0].event_id, content=False)
