"""plan --replay: what the plan's thresholds would have done to recent events. Only reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from defendctl.diagnostics import ApiError
from defendctl.event import scored
from defendctl.manifest.lint import levelled
from defendctl.plan.replay import MIN_EVENTS, Proposal, Replay
from defendctl.plan.replay import replay as replay_one
from defendctl.plan.replay_lint import lint, wants_events
from defendctl.plan.replayable import GONE, NO_LIST, not_replayed, proposals

if TYPE_CHECKING:
    from defendctl.api.detail import Recent
    from defendctl.diagnostics import Diagnostic
    from defendctl.operations.plan import Progress
    from defendctl.operations.workspace import Workspace
    from defendctl.plan.changes import Change, Plan

LAST: Final = 50
Read = Mapping[str, "Recent | ApiError | None"]


def replayed(
    workspace: Workspace,
    plan: Plan,
    last: int,
    parallelism: int,
    progress: Progress,
    min_events: int = MIN_EVENTS,
) -> Plan:
    """The same plan with a replay of each workflow whose guardrail changes, and what its events say against
    its settings. The digest stays. Raises KeyRefused; other failures of a read are told as `why_not`."""
    read = _read(workspace, plan, last, parallelism, progress)
    told = with_replays(plan, read, last, min_events)
    found = levelled(told.diagnostics[len(plan.diagnostics) :], workspace.project.lint)
    return replace(told, diagnostics=(*plan.diagnostics, *found))


def to_read(plan: Plan) -> dict[str, str]:
    """Address → the workflow id whose events have something to say."""
    ids = {asks.address: asks.workflow_id for asks in proposals(plan.changes)}
    return ids | {c.address: c.workflow_id for c in plan.changes if c.workflow_id and _worth_a_look(c)}


def with_replays(plan: Plan, read: Read, last: int, min_events: int = MIN_EVENTS) -> Plan:
    """`read` holds what was found for each address of `to_read`."""
    done = [_replay(asks, read[asks.address], last, min_events) for asks in proposals(plan.changes)]
    replays = sorted([*done, *not_replayed(plan.changes, last)], key=lambda each: each.address)
    found = [d for change in plan.changes if _worth_a_look(change) for d in _lint(change, read, plan)]
    return replace(plan, replays=tuple(replays), diagnostics=(*plan.diagnostics, *found))


def _worth_a_look(change: Change) -> bool:
    live = change.action in ("update", "adopt", "replace") and change.observed is not None
    return live and change.desired is not None and wants_events(change.desired)


def _read(workspace: Workspace, plan: Plan, last: int, parallelism: int, progress: Progress) -> Read:
    ids = to_read(plan)
    if not plan.refreshed:
        return dict.fromkeys(ids, ApiError("nothing is read with --no-refresh"))
    if not ids:
        return {}
    from defendctl.engine.refresh import read_events

    with workspace.api() as api:
        progress.start("Reading events", len(ids))
        return read_events(api, ids, last, parallelism, progress.step)


def _replay(asks: Proposal, found: Recent | ApiError | None, last: int, min_events: int) -> Replay:
    if isinstance(found, ApiError):
        return Replay(asks.address, asks.workflow_id, last, why_not=found.message)
    if found is None or found.events is None:
        why = NO_LIST if found else GONE
        return Replay(asks.address, asks.workflow_id, last, why_not=why)
    return replay_one(asks, [scored(event) for event in found.events], found.asked, min_events)


def _lint(change: Change, read: Read, plan: Plan) -> list[Diagnostic]:
    found = read[change.address]
    if change.desired is None or found is None or isinstance(found, ApiError):
        return []
    return lint(change.address, change.desired, found.events or (), plan.places)
