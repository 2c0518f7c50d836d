"""Which workflows of a plan can be replayed, and why the others cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from defendctl.model import is_metric
from defendctl.plan.changes import IMPOSSIBLE, MISSING, Adopt, Block, Create, Replace, Retire, Same, Update
from defendctl.plan.diff import same
from defendctl.replay.replay import Proposal, Replay

if TYPE_CHECKING:
    from collections.abc import Iterable

    from defendctl.model import Binding, Fields, Observed
    from defendctl.plan.changes import Change
    from defendctl.replay.replay import Thresholds
    from defendctl.replay.sample import Sample


GONE: Final = "the API answers 404 for it"
NO_LIST: Final = "this generation of the API lists no events"

_CREATED: Final = "it is created by this plan: there are no events yet"
_RETIRED: Final = "it is retired, and stays live as it is"
_AUTOMATIC: Final = "its thresholds are automatic {}: they adapt, and their numbers are not known"
_UNKNOWN: Final = "its current thresholds are not known"
_NO_NUMBER: Final = "its current thresholds are not all numbers"


def proposals(changes: Iterable[Change]) -> tuple[Proposal, ...]:
    """Of each workflow whose thresholds change, and that can be replayed."""
    return tuple(asks for c in changes if isinstance(asks := proposal(c), Proposal))


def not_replayed(changes: Iterable[Change], sample: Sample) -> tuple[Replay, ...]:
    """One for each workflow whose guardrail changes and that cannot be replayed."""
    asks = ((c, proposal(c)) for c in changes)
    return tuple(untold(c.address, c.workflow_id, sample, a) for c, a in asks if isinstance(a, str))


def untold(address: str, workflow_id: str | None, sample: Sample, why_not: str) -> Replay:
    """One without numbers."""
    last = sample.last
    return Replay(address, workflow_id, last, last, needed=sample.min_events, why_not=why_not)


def proposal(change: Change) -> Proposal | str | None:
    """A string says why it cannot be replayed; None: there is nothing to ask, for no threshold changes."""
    match change:
        case Create():
            return _CREATED
        case Retire():
            return _RETIRED
        case Same():
            return None
        case Block():
            unmoved = change.reason.kind == IMPOSSIBLE and not _thresholds_change(change)
            return None if unmoved else _blocked(change.reason.kind)
        case _:
            return _between(change) if _thresholds_change(change) else None


def standing(change: Change) -> Proposal | str | None:
    """What is asked of a workflow whose thresholds do not move: its rate today, on both sides. None where
    `proposal` has something to say already."""
    if proposal(change) is not None:
        return None
    match change:
        case Adopt() | Update() | Replace() | Same() | Block() if change.observed:
            return _between(change)
        case _:
            return GONE


def _blocked(kind: str) -> str:
    return GONE if kind == MISSING else f"it is blocked ({kind}), so nothing changes"


def _thresholds_change(change: Change) -> bool:
    return any(f.path == "type" or is_metric(f.path) for f in change.fields)


def _between(change: Adopt | Update | Replace | Same | Block) -> Proposal | str:
    if change.observed is None or change.workflow_id is None:
        return GONE
    if change.binding is None or change.desired is None:
        return _UNKNOWN
    before, desired = _today(change.observed, change.binding), change.desired
    if "type" not in before or "metrics" not in before:
        return _UNKNOWN
    automatic = [
        when
        for when, kind in (("today", before["type"]), ("under this plan", desired.type))
        if kind != "custom"
    ]
    if automatic:
        return _AUTOMATIC.format(" and ".join(automatic))
    if not all(isinstance(value, float) for value in before["metrics"].values()):
        return _NO_NUMBER
    after = {metric: float(value) for metric, value in desired.metrics.items()}
    return Proposal(
        address=change.address,
        workflow_id=change.workflow_id,
        before={
            m: after[m] if same(value, after.get(m)) else value for m, value in before["metrics"].items()
        },
        after=after,
        most=1 if desired.improvement_action == "none" else 1 + desired.max_retries,
        same_cycle=not {f.path for f in change.fields} & {"improvement_action", "max_retries"},
    )


def _today(observed: Observed, binding: Binding) -> Fields:
    """What is live as it was read, or as it was last applied where it cannot be read."""
    applied = {n: v for n, v in binding.applied.items() if n not in binding.unconfirmed}
    return applied | observed.fields


def thresholds_today(observed: Observed | None, binding: Binding) -> Thresholds | str:
    """What one workflow guards with, or why that is not to be told."""
    if observed is None:
        return GONE
    today = _today(observed, binding)
    if "type" not in today or "metrics" not in today:
        return _UNKNOWN
    if today["type"] != "custom":
        return _AUTOMATIC.format("today")
    numbers = all(isinstance(value, float) for value in today["metrics"].values())
    return dict(today["metrics"]) if numbers else _NO_NUMBER
