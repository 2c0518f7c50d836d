"""What a change of thresholds would have done to recent events. It is a rate of flags, not of errors.

Nothing here is labelled: whether a flag was right nobody has said. Types first, the arithmetic below.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from defendctl.event import moment
from defendctl.replay.distribution import Distribution, distribution

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from defendctl.event import Scored
    from defendctl.replay.labels import Labelled
    from defendctl.replay.sample import Sample


Range = tuple[float, float]
"""Least and most."""
Thresholds = dict[str, float]
"""Metric → threshold, of a custom workflow."""

_Z: Final = 1.959963984540054
"""The 97.5 % point of the normal distribution."""


@dataclass(frozen=True, slots=True)
class MetricReplay:
    """One metric of one workflow. A threshold of None: the metric is not there on that side."""

    metric: str
    before: float | None
    after: float | None
    scored: int
    unscored: int
    fails_before: int
    fails_after: int
    ties: int
    """Events whose score is exactly the threshold of the proposal; they pass."""
    distribution: Distribution = field(default_factory=Distribution)


@dataclass(frozen=True, slots=True)
class Together:
    """Events that fail at least one metric, of those where that is known."""

    known: int
    unknown: int
    """No score for a metric that would decide; never counted as passing."""
    fails: int
    interval: Range
    """Wilson's, 95 %, of fails / known."""

    @property
    def rate(self) -> float | None:
        return self.fails / self.known if self.known else None

    @property
    def bounds(self) -> Range | None:
        """The rate over all events, if none, or if each of the unknown ones fails."""
        events = self.known + self.unknown
        return (self.fails / events, (self.fails + self.unknown) / events) if events else None


@dataclass(frozen=True, slots=True)
class Replay:
    """One workflow whose thresholds change. `why_not` says why there is nothing else in it."""

    address: str
    workflow_id: str | None
    """None for a workflow that does not exist yet."""
    asked: int
    """How many events were asked for in the end: fewer than were wanted where the API refused so many, or the
    answer was too large."""
    wanted: int = 0
    events: int = 0
    not_evaluated: int = 0
    """Those of them whose evaluation broke off, goes on, or is not told: they are unknown."""
    window: tuple[str, str] | None = None
    """The times of the oldest and the newest event, as the API says them."""
    run_modes: Mapping[str, int] = field(default_factory=dict)
    """Events by run mode, the most frequent first; `unknown` where none was told."""
    metrics: tuple[MetricReplay, ...] = ()
    before: Together | None = None
    after: Together | None = None
    newly_flagged: tuple[str, ...] = ()
    no_longer_flagged: tuple[str, ...] = ()
    evaluations_before: Range | None = None
    """Evaluations an event, today and under the proposal."""
    evaluations_after: Range | None = None
    cost_before: Range | None = None
    cost_after: Range | None = None
    labelled_before: tuple[Labelled, ...] = ()
    """What labels say of the flags of each side, where they were asked for."""
    labelled_after: tuple[Labelled, ...] = ()
    needed: int = 0
    """How many events a gate needs."""
    why_not: str | None = None

    @property
    def enough(self) -> bool:
        return self.why_not is None and self.events >= self.needed


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is asked of the events of one workflow: its thresholds today and under the plan."""

    address: str
    workflow_id: str
    before: Thresholds
    after: Thresholds
    most: int
    """Evaluations that an event may take under the plan: one, and as many as it may be improved."""
    same_cycle: bool
    """Whether the plan leaves alone what is done about a failure, and how often."""


def replay(asks: Proposal, events: Sequence[Scored], asked: int, sample: Sample) -> Replay:
    """The newest events of the sample under both sides; `events` are the newest `asked`, the newest first.

    No event is no failure: the numbers are zeros."""
    events = events[: sample.last]
    sides = [(verdict(e.scores, asks.before), verdict(e.scores, asks.after)) for e in events]
    load = _load(asks, [e for e in events if e.attempts])
    ids = [e.event_id for e in events]
    times = sorted((e.at for e in events if e.at), key=moment)
    modes = Counter(e.run_mode or "unknown" for e in events)
    return Replay(
        address=asks.address,
        workflow_id=asks.workflow_id,
        asked=min(asked, sample.last),
        wanted=sample.last,
        events=len(events),
        not_evaluated=sum(not e.evaluated for e in events),
        window=(times[0], times[-1]) if times else None,
        run_modes=dict(sorted(modes.items(), key=lambda mode: (-mode[1], mode[0]))),
        metrics=tuple(
            metric_replay(m, events, asks.before.get(m), asks.after.get(m))
            for m in sorted({*asks.before, *asks.after})
        ),
        before=_together([now for now, _ in sides]),
        after=_together([then for _, then in sides]),
        newly_flagged=tuple(ids[at] for at, side in enumerate(sides) if side == (False, True)),
        no_longer_flagged=tuple(ids[at] for at, side in enumerate(sides) if side == (True, False)),
        evaluations_before=load.evaluations_before,
        evaluations_after=load.evaluations_after,
        cost_before=load.cost_before,
        cost_after=load.cost_after,
        needed=sample.min_events,
    )


def fails(score: float, threshold: float) -> bool:
    """Below fails, equal passes (docs/api.md 4). A verdict has no threshold."""
    return not score if isinstance(score, bool) else score < threshold


def failed(scores: Mapping[str, float | None], thresholds: Thresholds) -> set[str]:
    """The metrics that are known to fail."""
    return {m for m, least in thresholds.items() if (s := scores.get(m)) is not None and fails(s, least)}


def unscored(scores: Mapping[str, float | None], thresholds: Iterable[str]) -> bool:
    return any(scores.get(metric) is None for metric in thresholds)


def verdict(scores: Mapping[str, float | None], thresholds: Thresholds) -> bool | None:
    """Whether it fails at least one metric; None where only a metric without a score could tell."""
    if failed(scores, thresholds):
        return True
    return None if unscored(scores, thresholds) else False


def wilson(hits: int, of: int) -> Range:
    """The score interval, 95 % (E. B. Wilson, 1927): sound for few events and for rates near 0 and 1."""
    if not of:
        return 0.0, 1.0
    rate, spread = hits / of, _Z * _Z / of
    middle = (rate + spread / 2) / (1 + spread)
    half = _Z / (1 + spread) * math.sqrt(rate * (1 - rate) / of + spread / (4 * of))
    least = 0.0 if hits == 0 else middle - half
    return least, 1.0 if hits == of else middle + half


def _together(verdicts: Sequence[bool | None]) -> Together:
    known = [each for each in verdicts if each is not None]
    return Together(len(known), len(verdicts) - len(known), sum(known), wilson(sum(known), len(known)))


def metric_replay(
    name: str, events: Sequence[Scored], before: float | None, after: float | None
) -> MetricReplay:
    """One metric alone under two thresholds; None: there is none on that side."""
    scores = [score for e in events if (score := e.scores.get(name)) is not None]
    return MetricReplay(
        metric=name,
        before=before,
        after=after,
        scored=len(scores),
        unscored=len(events) - len(scores),
        fails_before=_failing(scores, before),
        fails_after=_failing(scores, after),
        ties=sum(not isinstance(score, bool) and score == after for score in scores),
        distribution=distribution(scores, (before, after)),
    )


def _failing(scores: Iterable[float], threshold: float | None) -> int:
    return 0 if threshold is None else sum(fails(score, threshold) for score in scores)


class _Load(NamedTuple):
    evaluations_before: Range | None
    evaluations_after: Range | None
    cost_before: Range | None
    cost_after: Range | None


def _load(asks: Proposal, events: Sequence[Scored]) -> _Load:
    """Evaluations an event and what they cost, today and under the plan, as means over the events.

    Today is what these events took. Under the plan an event that passes takes one evaluation. One that fails
    takes at least one more and at most as many as it may be improved, for nobody knows what a repair would
    have scored; one that could pass or fail, from one to that. Only where it fails the same metrics at the
    same thresholds, and the plan leaves the cycle alone, it takes what it took: later evaluations score only
    what failed (docs/api.md 4).

    The first evaluation costs what it did. A further one costs at least what the cheapest further one of its
    run mode did (nothing where none was seen), and at most what the dearest evaluation of that mode did.
    Where a metric comes or goes there is no cost, for no price list is known (docs/api.md 4). What an
    improvement itself costs is told nowhere, and in none of this.
    """
    counts = [_evaluations(asks, e) for e in events]
    paid = [(e, count) for e, count in zip(events, counts, strict=True) if e.costs]
    prices = _prices([e for e, _ in paid])
    same_metrics = asks.before.keys() == asks.after.keys()
    return _Load(
        _mean([(e.attempts, e.attempts) for e in events]),
        _mean(counts),
        _mean([(sum(e.costs), sum(e.costs)) for e, _ in paid]),
        _mean([_cost(e.costs, count, prices[e.run_mode]) for e, count in paid]) if same_metrics else None,
    )


def _prices(events: Sequence[Scored]) -> dict[str | None, Range]:
    """Run mode → the cheapest further evaluation, the dearest evaluation."""
    prices = {}
    for mode in {e.run_mode for e in events}:
        seen = [e.costs for e in events if e.run_mode == mode]
        further = [cost for costs in seen for cost in costs[1:]]
        prices[mode] = min(further, default=0.0), max(cost for costs in seen for cost in costs)
    return prices


def _evaluations(asks: Proposal, event: Scored) -> tuple[int, int]:
    """The least and the most that one event takes under the plan."""
    then = verdict(event.scores, asks.after)
    if then is False or asks.most == 1:
        return 1, 1
    if then is None:
        return 1, asks.most
    if 2 <= event.attempts <= asks.most and _unmoved(asks, event):
        return event.attempts, event.attempts
    return 2, asks.most


def _unmoved(asks: Proposal, event: Scored) -> bool:
    """Whether what follows the first evaluation is the same on both sides."""
    failing = failed(event.scores, asks.after)
    return (
        asks.same_cycle
        and failing == failed(event.scores, asks.before)
        and all(asks.before[metric] == asks.after[metric] for metric in failing)
        and not unscored(event.scores, asks.after)
    )


def _cost(costs: Sequence[float], count: tuple[int, int], prices: Range) -> Range:
    if count == (len(costs), len(costs)):
        return sum(costs), sum(costs)
    least, most = count
    return costs[0] + (least - 1) * prices[0], costs[0] + (most - 1) * prices[1]


def _mean(ranges: Sequence[Range]) -> Range | None:
    if not ranges:
        return None
    least, most = zip(*ranges, strict=True)
    return math.fsum(least) / len(ranges), math.fsum(most) / len(ranges)
