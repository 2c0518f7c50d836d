"""What a change of thresholds would have done to recent events. It is a rate of flags, not of errors.

Nothing here is labelled: whether a flag was right nobody has said. Types first, the arithmetic below.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

Range = tuple[float, float]
"""Least and most."""


@dataclass(frozen=True, slots=True)
class Scored:
    """The first attempt of one event: ids, scores and flags, nothing of its content."""

    event_id: str
    at: str | None
    run_mode: str | None
    scores: Mapping[str, float | None]
    """Metric → score; None where it was named without one. A metric that is not there was not evaluated."""
    attempts: int = 1
    cost: float | None = None
    """The sum of `evaluation_total_cost` over its attempts, in the vendor's unit; None if none was told."""
    flagged: bool | None = None


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


@dataclass(frozen=True, slots=True)
class Replay:
    """One workflow whose thresholds change. `why_not` says why there is nothing else in it."""

    address: str
    workflow_id: str
    asked: int
    events: int = 0
    window: tuple[str, str] | None = None
    """The times of the oldest and the newest event, as the API says them."""
    run_modes: Mapping[str, int] = field(default_factory=dict)
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
    enough: bool = False
    """Whether there are as many events as a gate needs."""
    why_not: str | None = None
