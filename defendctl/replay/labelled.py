"""Whether flags were right, as far as labels say: what a side catches of the labelled events.

A rate is given only where the way in which the events were drawn allows one, and of ten events at least.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from defendctl.replay.labels import Hits, Labelled
from defendctl.replay.replay import verdict, wilson

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from defendctl.event import Scored
    from defendctl.replay.labels import LabelGroup
    from defendctl.replay.replay import Proposal, Thresholds

LEAST: Final = 10
"""Events that a rate is given of; of fewer the interval is wider than fifty points."""


def labelled(
    groups: Iterable[LabelGroup], found: Mapping[str, Scored | None], asks: Proposal
) -> tuple[tuple[Labelled, ...], tuple[Labelled, ...]]:
    """Each group today and under the plan. `found`: event id → its scores, or None for a 404; an id that is
    not there could not be read, or was not."""
    groups = tuple(groups)
    stricter = any(least > asks.before.get(m, 0.0) for m, least in asks.after.items())
    now = tuple(_labelled(group, found, asks.before, whole=True) for group in groups)
    then = tuple(_labelled(group, found, asks.after, whole=not stricter) for group in groups)
    return now, then


def _labelled(
    group: LabelGroup, found: Mapping[str, Scored | None], thresholds: Thresholds, *, whole: bool
) -> Labelled:
    """`whole`: whether this side flags nothing that today does not, so that events drawn from those flagged
    today stand for all that it flags."""
    bars = thresholds if group.metric is None else _only(group.metric, thresholds)
    bad = _verdicts(group.should_be_flagged, found, bars)
    good = _verdicts(group.should_pass, found, bars)
    unread = len(group.ids - found.keys())
    uniform = group.drawn == "uniform" and not unread
    drawn = uniform or (group.drawn == "flagged" and whole and not unread)
    caught, alarms = bad.count(True), good.count(True)
    return Labelled(
        drawn=group.drawn,
        metric=group.metric,
        caught=_hits(caught, len(bad) - bad.count(None), rated=uniform),
        false_alarms=_hits(alarms, len(good) - good.count(None), rated=uniform),
        right=_hits(caught, caught + alarms, rated=drawn),
        unknown=bad.count(None) + good.count(None),
        unsure=len(group.unsure),
        missing=sum(event_id in found and found[event_id] is None for event_id in group.ids),
        unread=unread,
    )


def _only(metric: str, thresholds: Thresholds) -> Thresholds:
    return {metric: thresholds[metric]} if metric in thresholds else {}


def _verdicts(
    ids: Collection[str], found: Mapping[str, Scored | None], bars: Thresholds
) -> Sequence[bool | None]:
    return [verdict(event.scores, bars) for event_id in ids if (event := found.get(event_id)) is not None]


def _hits(hits: int, of: int, *, rated: bool) -> Hits:
    return Hits(hits, of, wilson(hits, of) if rated and of >= LEAST else None)
