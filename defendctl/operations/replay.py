"""plan --replay: what the plan's thresholds would have done to recent events. Only reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from defendctl.diagnostics import ApiError
from defendctl.event import scored
from defendctl.manifest.lint import levelled
from defendctl.replay.lint import lint, wants_events
from defendctl.replay.proposals import GONE, NO_LIST, not_replayed, proposals, untold
from defendctl.replay.replay import Proposal, Replay, Sample, replay

if TYPE_CHECKING:
    from defendctl.api.detail import Recent
    from defendctl.diagnostics import Diagnostic
    from defendctl.operations.progress import Progress
    from defendctl.operations.workspace import Workspace
    from defendctl.plan.changes import Change, Plan

Read = Mapping[str, "Recent | ApiError | None"]


def replayed(
    workspace: Workspace,
    plan: Plan,
    shown: Sample,
    judged: Sample,
    parallelism: int,
    progress: Progress,
) -> Plan:
    """The same plan with a replay of each workflow whose guardrail changes, and what its events say against
    its settings: `shown` and `judged` are two looks at one reading. The digest stays.

    Raises KeyRefused; other failures of a read are told as `why_not`."""
    read = _read(workspace, plan, max(shown.last, judged.last), parallelism, progress)
    told = with_replays(plan, read, shown, judged)
    found = levelled(told.diagnostics[len(plan.diagnostics) :], workspace.project.lint)
    return replace(told, diagnostics=(*plan.diagnostics, *found))


def to_read(plan: Plan) -> dict[str, str]:
    """Address → the workflow id whose events have something to say."""
    ids = {asks.address: asks.workflow_id for asks in proposals(plan.changes)}
    return ids | {c.address: c.workflow_id for c in plan.changes if c.workflow_id and _worth_a_look(c)}


def with_replays(plan: Plan, read: Read, shown: Sample, judged: Sample) -> Plan:
    """`read` holds what was found for each address of `to_read`."""
    found = [d for change in plan.changes if _worth_a_look(change) for d in _lint(change, read, plan)]
    return replace(
        plan,
        replays=_replays(plan, read, shown),
        judged=_replays(plan, read, judged),
        diagnostics=(*plan.diagnostics, *found),
    )


def _replays(plan: Plan, read: Read, sample: Sample) -> tuple[Replay, ...]:
    done = [_replay(asks, read[asks.address], sample) for asks in proposals(plan.changes)]
    replays = [*done, *not_replayed(plan.changes, sample)]
    return tuple(sorted(replays, key=lambda each: each.address))


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


def _replay(asks: Proposal, found: Recent | ApiError | None, sample: Sample) -> Replay:
    if isinstance(found, ApiError):
        return untold(asks.address, asks.workflow_id, sample, found.message)
    if found is None or found.events is None:
        return untold(asks.address, asks.workflow_id, sample, NO_LIST if found else GONE)
    return replay(asks, [scored(event) for event in found.events], found.asked, sample)


def _lint(change: Change, read: Read, plan: Plan) -> list[Diagnostic]:
    found = read[change.address]
    if change.desired is None or found is None or isinstance(found, ApiError):
        return []
    return lint(change.address, change.desired, found.events or (), plan.places)
