"""events: looking at what was judged, and submitting what shall be. Content only where it is asked for."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING

from defendctl.api.dialects import DIALECTS
from defendctl.api.outcome import Accepted, Refused, Unknown
from defendctl.api.submission import body, unfit
from defendctl.command import command
from defendctl.diagnostics import (
    ApiError,
    DefendctlError,
    Diagnostic,
    Interrupted,
    Invalid,
    KeyRefused,
    Usage,
    suggest,
)
from defendctl.engine.generation import generation
from defendctl.event import Listed, SentEvent, ShownEvent
from defendctl.exits import Exit
from defendctl.manifest.submissions import read_submission
from defendctl.model import usable_id
from defendctl.operations.beside import read_beside, warn_beside
from defendctl.operations.event_filter import EventFilter, chosen
from defendctl.operations.workspace import warn_unresolved
from defendctl.plan.identity import another_id, import_command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from defendctl.api.client import DefendApi
    from defendctl.api.dialects.dialect import Dialect
    from defendctl.api.outcome import Submitted
    from defendctl.event import Event
    from defendctl.model import Observed, State
    from defendctl.operations.workspace import Workspace

MOST_READ = 100
"""Events among which some are looked for."""
NOT_REPEATED = "it is not sent again: it may have been submitted, and would be paid for twice"


def listed(
    workspace: Workspace, address: str, limit: int, content: bool, asks: EventFilter | None = None
) -> Listed:
    """The last events, or those of the last `MOST_READ` that are wanted. Nothing of what an event says is in
    them unless `content`. Raises DefendctlError; one for a generation that lists no events too."""
    asks = asks or EventFilter()
    number = limit if asks.everything else MOST_READ
    workflow_id = bound(workspace, address)
    with workspace.api() as api:
        found = api.recent(workflow_id, number, content or asks.nametag is not None)
    if found is None:
        raise gone(address, workflow_id)
    if found.events is None:
        raise DefendctlError(
            f"{address}: this generation of the API lists no events",
            f"`{command('events show {} EVENT_ID', address)}` reads one whose id is known",
        )
    if asks.everything:
        return Listed(address, workflow_id, found.asked, found.events, limit)
    kept = tuple(islice(chosen(found.events, asks, content), limit))
    return Listed(address, workflow_id, found.asked, kept, number, read=len(found.events))


def shown(workspace: Workspace, address: str, event_id: str, content: bool) -> ShownEvent:
    workflow_id = bound(workspace, address)
    _check_event_id(event_id)
    with workspace.api() as api:
        event = api.event(workflow_id, event_id, content)
    return ShownEvent(address, workflow_id, _found(event, address, event_id))


def watched(
    workspace: Workspace,
    address: str,
    event_id: str,
    seconds: float,
    content: bool,
    on_poll: Callable[[Event], None],
) -> ShownEvent:
    """The event when it has ended, or as it is after so many seconds."""
    from defendctl.engine.submit import follow

    workflow_id = bound(workspace, address)
    _check_event_id(event_id)
    with workspace.api() as api:
        event = follow(api, workflow_id, event_id, seconds, content, on_poll)
    return ShownEvent(address, workflow_id, _found(event, address, event_id))


def submitted(workspace: Workspace, address: str, file: Path) -> SentEvent:
    """One event, once. Raises DefendctlError before anything is sent, and Interrupted."""
    from defendctl.engine.submit import submit

    given, spans = read_submission(file, workspace.cwd)
    workflow_id = bound(workspace, address)
    with workspace.api() as api:
        dialect, _ = speaking(workspace, api, {address: workflow_id})
        wrong = [
            Diagnostic(
                "error", "not-in-generation", f"{said[0].upper()}{said[1:]}.", spans.get(key, spans[""])
            )
            for key, said in unfit(given, dialect)
        ]
        if wrong:
            raise Invalid(wrong)
        with paying(f"the event for {address}") as before_send:
            outcome = submit(api, workflow_id, body(given, dialect), before_send)
    return _sent(address, workflow_id, outcome)


def bound(workspace: Workspace, address: str) -> str:
    """The workflow id of an address. Raises DefendctlError where there is none."""
    return bound_in(workspace, address).bindings[address].workflow_id


def bound_in(workspace: Workspace, address: str) -> State:
    """The state, in which an address is bound. Raises DefendctlError where it is not."""
    beside = read_beside(workspace)
    state = beside.snapshot.state
    workspace.check_host(state)
    if address in state.bindings:
        return state
    warn_beside(workspace, beside)
    warn_unresolved(workspace, {address} & state.unresolved.keys() - beside.under_way)
    near = suggest(address, sorted(state.bindings))
    raise DefendctlError(
        f"{address!r} is not bound to a workflow, so it has no events.{near}",
        f"`{command('state list')}` names what is bound; `{command('apply')}` creates what is declared",
    )


def speaking(
    workspace: Workspace, api: DefendApi, ids: dict[str, str]
) -> tuple[Dialect, dict[str, Observed]]:
    """The generation to submit in, by a read of the workflows; each must be there and take events."""
    from defendctl.engine.refresh import refresh

    found: dict[str, Observed] = {}
    for address, live in refresh(api, ids, 10).items():
        if live is None:
            raise gone(address, ids[address])
        check_same(address, ids[address], live)
        if live.status == "inactive":
            raise DefendctlError(
                f"{address} is inactive, so it takes no events",
                "only the console can make it active again",
            )
        found[address] = live
    recorded = workspace.read_state().state.generation
    return DIALECTS[generation(workspace.project.generation, api.evidence, recorded)], found


def check_same(address: str, workflow_id: str, live: Observed) -> None:
    """Raises ApiError for an answer that is another workflow's: nothing of it counts for this one."""
    if live.workflow_id != workflow_id:
        hint = import_command(address, live.workflow_id, bound=True)
        raise ApiError(f"{address}: {another_id(workflow_id, live.workflow_id)}", hint)


@contextmanager
def paying(what: str) -> Iterator[Callable[[], None]]:
    """Says what an interrupted submission means: nothing before it has left."""
    sent = False

    def before_send() -> None:
        nonlocal sent
        sent = True

    try:
        yield before_send
    except KeyboardInterrupt:
        raise Interrupted(
            f"interrupted: {what} {'may have been' if sent else 'was not'} submitted"
            + ("; if it was, it is paid for" if sent else "")
        ) from None


def _sent(address: str, workflow_id: str, outcome: Submitted) -> SentEvent:
    match outcome:
        case Accepted(event_id):
            return SentEvent(address, workflow_id, "accepted", event_id)
        case Refused(status, why):
            code = KeyRefused.exit_code if status in (401, 403) else ApiError.exit_code
            return SentEvent(address, workflow_id, "refused", why=why, exit_code=code)
        case Unknown(why):
            return SentEvent(
                address, workflow_id, "unknown", why=f"{why}; {NOT_REPEATED}", exit_code=Exit.FAILED
            )
    return SentEvent(address, workflow_id, "not_sent", why=outcome.why, exit_code=Exit.FAILED)


def _check_event_id(event_id: str) -> None:
    if not usable_id(event_id):
        raise Usage("EVENT_ID is not an id: 1 to 256 characters without blanks or control characters")


def _found(event: Event | None, address: str, event_id: str) -> Event:
    if event is None:
        raise ApiError(f"{address} has no event {event_id}: the API answers 404")
    return event


def gone(address: str, workflow_id: str) -> ApiError:
    return ApiError(f"{address}: the API answers 404 for its workflow {workflow_id}")
