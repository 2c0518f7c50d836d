"""plan --replay: what the plan's thresholds would have done to recent events. Only reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from defendctl.diagnostics import ApiError
from defendctl.event import scored
from defendctl.manifest.lint import levelled
from defendctl.replay.labelled import labelled
from defendctl.replay.labels import Labelled, draw_order, label_groups
from defendctl.replay.lint import lint, wants_events
from defendctl.replay.proposals import GONE, NO_LIST, not_replayed, proposals, untold
from defendctl.replay.replay import Proposal, Replay, replay
from defendctl.review import Replayed

if TYPE_CHECKING:
    from defendctl.api.detail import Recent
    from defendctl.diagnostics import Diagnostic, Span
    from defendctl.event import Event, Scored
    from defendctl.operations.progress import Progress
    from defendctl.operations.workspace import Workspace
    from defendctl.plan.changes import Change, Plan
    from defendctl.replay.labels import LabelBlock
    from defendctl.replay.sample import Sample

Read = Mapping[str, "Recent | ApiError | None"]
Places = Mapping[tuple[str, str], "Span"]


@dataclass(frozen=True, slots=True)
class Asks:
    """What is shown, what rules are judged on, and the labels that are asked about the flags."""

    shown: Sample
    judged: Sample
    labels: tuple[LabelBlock, ...] = ()
    most: int = 0
    """Labelled events that are read by id of each workflow, besides the last ones."""


def replay_plan(
    workspace: Workspace,
    plan: Plan,
    places: Places,
    asks: Asks,
    parallelism: int,
    progress: Progress,
) -> Replayed:
    """A replay of each workflow whose guardrail changes.

    Raises KeyRefused; other failures of a read are told as `why_not`.
    """
    shown, judged = asks.shown, asks.judged
    read = _read(workspace, plan, max(shown.last, judged.last), parallelism, progress)
    told = replay_read(plan, read, places, shown, judged)
    if asks.labels:
        told = _with_labels(workspace, plan, told, read, asks, parallelism, progress)
    return replace(told, diagnostics=tuple(levelled(told.diagnostics, workspace.project.lint)))


def to_read(plan: Plan) -> dict[str, str]:
    """Address → the workflow id whose events have something to say."""
    ids = {asks.address: asks.workflow_id for asks in proposals(plan.changes)}
    return ids | {c.address: c.workflow_id for c in plan.changes if c.workflow_id and _worth_a_look(c)}


def replay_read(plan: Plan, read: Read, places: Places, shown: Sample, judged: Sample) -> Replayed:
    """`read` holds what was found for each address of `to_read`."""
    found = [d for change in plan.changes if _worth_a_look(change) for d in _lint(change, read, places)]
    return Replayed(_replays(plan, read, shown), _replays(plan, read, judged), tuple(found))


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


def _with_labels(
    workspace: Workspace,
    plan: Plan,
    told: Replayed,
    read: Read,
    asks: Asks,
    parallelism: int,
    progress: Progress,
) -> Replayed:
    """The same replays, each with what the labels of its workflow say."""
    done = {one.address for one in told.shown if one.why_not is None}
    proposed = {one.address: one for one in proposals(plan.changes) if one.address in done}
    groups = {address: label_groups(asks.labels, address) for address in proposed}
    found = {address: _listed(read[address]) for address in proposed}
    besides: dict[str, str] = {}
    for address, ask in proposed.items():
        ids = {event_id for group in groups[address] for event_id in group.ids} - found[address].keys()
        besides |= dict.fromkeys(draw_order("", ids)[: asks.most], ask.workflow_id)
    for event_id, event in _read_besides(workspace, besides, parallelism, progress).items():
        for address, ask in proposed.items():
            if ask.workflow_id == besides[event_id]:
                found[address][event_id] = scored(event) if event else None
    sides = {address: labelled(groups[address], found[address], ask) for address, ask in proposed.items()}
    return replace(told, shown=_labelled(told.shown, sides), judged=_labelled(told.judged, sides))


def _listed(found: Recent | ApiError | None) -> dict[str, Scored | None]:
    events = found.events or () if found and not isinstance(found, ApiError) else ()
    return {event.event_id: scored(event) for event in events}


def _read_besides(
    workspace: Workspace, ids: Mapping[str, str], parallelism: int, progress: Progress
) -> dict[str, Event | None]:
    """What could be read of these events, by their ids; None for a 404."""
    if not ids:
        return {}
    from defendctl.engine.refresh import read_each_event

    with workspace.api() as api:
        progress.start("Reading labelled events", len(ids))
        answers = read_each_event(api, ids, parallelism, progress.step)
    return {event_id: one for event_id, one in answers.items() if not isinstance(one, ApiError)}


Sides = tuple[tuple[Labelled, ...], tuple[Labelled, ...]]


def _labelled(replays: Iterable[Replay], sides: Mapping[str, Sides]) -> tuple[Replay, ...]:
    return tuple(
        replace(one, labelled_before=sides[one.address][0], labelled_after=sides[one.address][1])
        if one.address in sides
        else one
        for one in replays
    )


def _lint(change: Change, read: Read, places: Places) -> list[Diagnostic]:
    found = read[change.address]
    if change.desired is None or found is None or isinstance(found, ApiError):
        return []
    return lint(change.address, change.desired, found.events or (), places)
