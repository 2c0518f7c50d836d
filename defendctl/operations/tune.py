"""tune: which threshold does what is asked, by the scores of recent events. Writes only where told."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from defendctl.diagnostics import DefendctlError, Usage, suggest
from defendctl.event import not_before, scored
from defendctl.evidence.reasons import aim_of_cost, percent, promise
from defendctl.evidence.tune import in_time
from defendctl.evidence.tune import tune as judge
from defendctl.evidence.tuning import Aim, Examples, Tuning, WrittenThreshold
from defendctl.model import metric_path
from defendctl.operations.drift_write import write_back
from defendctl.operations.events import bound_in, gone
from defendctl.operations.labelled import read_labelled
from defendctl.operations.labels import labels_of
from defendctl.operations.live import read_live
from defendctl.operations.tested import read_cases
from defendctl.plan.diff import same
from defendctl.plan.direction import LOOSENS, direction
from defendctl.plan.drift import Drifted, FieldEdit
from defendctl.render.inert import inert
from defendctl.render.plural import count
from defendctl.replay.labels import label_groups
from defendctl.replay.proposals import NO_LIST, thresholds_today

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from defendctl.event import Scored
    from defendctl.evidence.tuning import Tuned
    from defendctl.manifest.desired import Desired
    from defendctl.operations.progress import Progress
    from defendctl.operations.workspace import Workspace
    from defendctl.replay.labels import LabelGroup
    from defendctl.replay.replay import Thresholds


@dataclass(frozen=True, slots=True)
class Asked:
    """As it was asked on the command line."""

    address: str
    metrics: tuple[str, ...]
    aim: Aim
    confidence: float = 0.95
    looks: int = 1
    run_mode: str | None = None
    since: str | None = None
    """A time in ISO 8601, UTC."""
    last: int = 100
    tests: tuple[Path, ...] = ()
    recent_only: bool = False
    groups: tuple[LabelGroup, ...] = ()
    """The labels of the address, where a goal needs them."""
    most_labels: int = 500
    """How many labelled events are read one by one, beside those that are listed."""


def tune(workspace: Workspace, asked: Asked, progress: Progress) -> Tuned:
    """Raises DefendctlError; Usage for what the events do not fit."""
    state = bound_in(workspace, asked.address)
    binding = state.bindings[asked.address]
    ids = {asked.address: binding.workflow_id}
    with workspace.api() as api:
        reading = read_live(workspace, ids, state, 1, progress, api)
        today = thresholds_today(reading.live[asked.address], binding)
        if isinstance(today, str):
            raise DefendctlError(f"{asked.address} cannot be tuned: {today}")
        found = api.recent(binding.workflow_id, asked.last, content=False)
        if found is None:
            raise gone(asked.address, binding.workflow_id)
        if found.events is None:
            raise DefendctlError(f"{asked.address} cannot be tuned: {NO_LIST}")
        listed = [scored(event) for event in found.events]
        events = _chosen(asked, listed)
        _check_metrics(asked, today, events)
        labelled = Examples()
        if asked.groups:
            labelled = read_labelled(
                api,
                binding.workflow_id,
                asked.groups,
                listed,
                _mode(asked, events),
                _begin(asked, events),
                asked.most_labels,
            )
            _warn_of_left_out(workspace, asked.address, labelled)
    tuning = Tuning(
        address=asked.address,
        workflow_id=binding.workflow_id,
        metrics=asked.metrics,
        today=today,
        aim=asked.aim,
        confidence=asked.confidence,
        looks=asked.looks,
        recent_only=asked.recent_only,
        labelled_otherwise=any(group.drawn != "uniform" for group in asked.groups),
    )
    return judge(tuning, events, _cases(workspace, asked, events, labelled))


def with_labels(workspace: Workspace, desired: Desired, asked: Asked) -> Asked:
    """With the labels of its address. Raises Invalid for label files that are not valid."""
    return replace(asked, groups=label_groups(labels_of(workspace, desired).blocks, asked.address))


def _chosen(asked: Asked, events: Sequence[Scored]) -> list[Scored]:
    """Those of the window, of one run mode. Raises Usage for several, whose scores are not comparable."""
    kept = [one for one in events if not_before(one.at, asked.since)]
    if asked.run_mode:
        return [one for one in kept if one.run_mode == asked.run_mode]
    modes = Counter(one.run_mode or "unknown" for one in kept)
    if len(modes) > 1:
        counts = ", ".join(f"{inert(mode)} {count}" for mode, count in modes.most_common())
        raise Usage(
            f"the events of {asked.address} ran in several run modes ({counts}), whose scores are not "
            "comparable: choose one with --run-mode"
        )
    return kept


def _mode(asked: Asked, events: Sequence[Scored]) -> str | None:
    """That of the cases and labels that count. Raises Usage where neither an event nor anybody tells it."""
    if not events and not asked.run_mode:
        raise Usage(
            f"there are no events of {asked.address} that would tell in which run mode cases and labels "
            "count: choose it with --run-mode"
        )
    return asked.run_mode or events[0].run_mode


def _warn_of_left_out(workspace: Workspace, address: str, labelled: Examples) -> None:
    """A promise about known cases is none about those that nobody could look at."""
    told = [f"the API no longer knows {labelled.gone}"] if labelled.gone else []
    told += [f"{labelled.in_other_modes} ran in another run mode"] if labelled.in_other_modes else []
    if told:
        left = labelled.gone + labelled.in_other_modes
        some = count(left, "labelled event")
        workspace.settings.warn(f"{address}: {some} left out: {' and '.join(told)}")


def _begin(asked: Asked, events: Sequence[Scored]) -> str | None:
    """From when on events that were drawn and labelled count: as those that are listed."""
    return in_time(events)[len(events) // 2].at if asked.recent_only and events else asked.since


def _check_metrics(asked: Asked, today: Thresholds, events: Sequence[Scored]) -> None:
    for metric in asked.metrics:
        if metric not in today:
            near = suggest(metric, today) or f" It guards {', '.join(today)}."
            raise Usage(f"--metric {metric!r}: {asked.address} does not guard it.{near}")
        if any(isinstance(one.scores.get(metric), bool) for one in events):
            raise DefendctlError(
                f"{metric} of {asked.address} gives verdicts and no scores: it has no threshold to tune"
            )


def _cases(workspace: Workspace, asked: Asked, events: Sequence[Scored], labelled: Examples) -> Examples:
    """Those of labels, and those of tests with them."""
    if asked.aim.catch not in ("tests", "both"):
        return labelled
    mode, environment = _mode(asked, events), workspace.project.environment
    tested = read_cases(asked.tests, asked.address, workspace.host(), environment, mode)
    return replace(labelled, known=(*tested.known, *labelled.known), tests_digest=tested.tests_digest)


@dataclass(frozen=True, slots=True)
class Writing:
    """What of a suggestion may be written."""

    allow_loosening: bool = False
    accept_estimate: bool = False


def check_declared(desired: Desired, asked: Asked) -> None:
    """Raises DefendctlError where there is no threshold in the manifests that could be written."""
    workflow = desired.workflows.get(asked.address)
    if workflow is None:
        near = suggest(asked.address, desired.workflows)
        raise DefendctlError(
            f"{asked.address!r} is declared in no manifest, so nothing can be written.{near}"
        )
    missing = [metric for metric in asked.metrics if metric not in workflow.metrics]
    if workflow.type != "custom" or missing:
        said = f"no threshold of {', '.join(missing)}" if missing else "no thresholds, for it is automatic"
        raise DefendctlError(f"the manifest of {asked.address} has {said}, so none can be written")


def write_tuned(
    workspace: Workspace, desired: Desired, found: Tuned, may: Writing
) -> tuple[Tuned, list[Drifted]]:
    """What is suggested goes into the manifests: all of it, or none. Raises DefendctlError.

    The second is what could not be written, and why."""
    declared = desired.workflows[found.asked.address].metrics
    wanted = {one.metric: one.suggested for one in found.metrics if one.suggested is not None}
    edits = [
        _edit(metric, float(declared[metric]), value)
        for metric, value in wanted.items()
        if not same(declared[metric], value)
    ]
    if not edits:
        return found, []
    _check_allowed(found, edits, may)
    entry = Drifted(found.asked.address, found.asked.workflow_id, LOOSENS, "active", tuple(edits))
    [done] = write_back(workspace, (), desired, [entry], remark=_remark(workspace, found))
    written = tuple(
        WrittenThreshold(edit.path.removeprefix("metrics."), edit.now, span.file, span.line)
        for edit in edits
        if (span := done.fates[edit.path].span)
    )
    return replace(found, written=written), [done] if done.remaining else []


def _edit(metric: str, declared: float, suggested: float) -> FieldEdit:
    path = metric_path(metric)
    return FieldEdit(path, declared, suggested, declared, "drift", direction(path, declared, suggested))


def _check_allowed(found: Tuned, edits: Sequence[FieldEdit], may: Writing) -> None:
    loosened = [edit.path for edit in edits if edit.direction == LOOSENS]
    if found.status == "estimate" and not may.accept_estimate:
        raise DefendctlError(
            "nothing was written: the suggestion is an estimate, and proven by nothing",
            "--accept-estimate writes it all the same",
        )
    if loosened and not may.allow_loosening:
        raise DefendctlError(
            f"nothing was written: {', '.join(loosened)} would loosen what the manifest says",
            "--allow-loosening writes it; the policy judges it in the next plan, as any other change",
        )


def _remark(workspace: Workspace, found: Tuned) -> str:
    """Our own words and numbers alone."""
    told = [promise(one.goal) for one in found.goals]
    told += [percent(found.asked.confidence)] if found.asked.aim.rates else []
    told += [aim_of_cost(found.cost.prices)] if found.cost else []
    told[-1] += " (estimate)" if found.status == "estimate" else ""
    sizes = [one.goal.of for one in found.goals] + ([found.cost.of] if found.cost else [])
    told.append(f"n={' and '.join(map(str, dict.fromkeys(sizes)))}")
    return f"# tune {workspace.settings.today.isoformat()}: {', '.join(told)}"
