"""An event in canonical words: what was submitted, and what became of it. Values, no I/O.

What an event says (prompts, outputs, rationales) is in `content` and in a Submission alone; all else is ids,
times, scores, flags and costs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from defendctl.exits import Exit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from defendctl.model import Fields

Status = Literal["completed", "failed", "in_progress", "unknown"]
"""`failed`: an evaluation broke off. `unknown`: a word that nobody has documented."""
Improvement = Literal["improved", "failed", "not_required", "required"]
"""`required`: it failed, and nothing was done about it (yet)."""

DEFAULT_RUN_MODE: Final = "precision"
"""The only one that every generation knows."""


@dataclass(frozen=True, slots=True)
class Score:
    """What one metric made of an output; None where it gave no score, a bool where it gave a verdict."""

    score: float | bool | None
    threshold: float | None = None
    """The number it was held against, where the event tells one."""
    carried: bool = False
    """Taken over from an earlier evaluation of the same event."""

    @property
    def flagged(self) -> bool | None:
        """Below the threshold fails, equal passes (docs/api.md 4). None where that cannot be told."""
        if isinstance(self.score, bool):
            return not self.score
        if self.score is None or self.threshold is None:
            return None
        return self.score < self.threshold


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One evaluation: of the output that was submitted, or of what an attempt made of it."""

    scores: Mapping[str, Score]
    cost: float | None = None
    """In the vendor's unit, which is not stated; taken for US dollars."""
    at: str | None = None
    broken: bool = False
    """It ended without a result; what it scored until then counts for nothing, and is not in `scores`."""
    running: bool = False
    """It has not ended, and its scores are not told either."""
    content: Mapping[str, Any] | None = None
    """What it says, where that was asked for."""

    @property
    def flagged(self) -> bool | None:
        """Whether any metric failed; None where none is known to, and one is unknown."""
        told = [score.flagged for score in self.scores.values()]
        if True in told:
            return True
        return False if told and None not in told else None


@dataclass(frozen=True, slots=True)
class Event:
    event_id: str
    status: Status
    filtered: bool | None = None
    """Whether the latest evaluation failed at least one metric, in the API's own word."""
    improvement: Improvement | None = None
    attempts: int | None = None
    """Improvement attempts that were made; None where that is not told."""
    evaluations: tuple[Evaluation, ...] = ()
    """The initial one first."""
    at: str | None = None
    run_mode: str | None = None
    settings: Fields = field(default_factory=dict)
    """The fields of the workflow that judged it, as far as the event records them."""
    capabilities: frozenset[str] = frozenset()
    """Those it was judged with that no manifest can speak of."""
    context: bool | None = None
    """Whether its input carries context; None where no input was told."""
    ground_truth: bool | None = None
    content: Mapping[str, Any] | None = None
    billing_id: str | None = None
    """What the vendor's bill calls it, where that is told."""

    @property
    def ended(self) -> bool:
        return self.status in ("completed", "failed")

    @property
    def cost(self) -> float | None:
        """Of all evaluations; None if none was told."""
        told = [one.cost for one in self.evaluations if one.cost is not None]
        return math.fsum(told) if told else None

    @property
    def flagged(self) -> bool | None:
        """Whether the submitted output failed. An attempt is only made of one that did (docs/api.md 4)."""
        if self.attempts:
            return True
        latest = self.filtered if self.attempts == 0 else None
        if not self.evaluations:
            return latest
        told = self.evaluations[0].flagged
        return None if latest is not None and latest != told else told


@dataclass(frozen=True, slots=True)
class Scored:
    """The first attempt of one event: ids, scores and flags, nothing of its content."""

    event_id: str
    at: str | None
    run_mode: str | None
    scores: Mapping[str, float | None]
    """Metric → score; None where it was named without one. A metric that is not there was not evaluated.
    A score that is a bool is a verdict: true passes, false fails."""
    attempts: int = 1
    """Evaluations it took, the first among them; 0 where that is not known (yet)."""
    cost: float | None = None
    """The sum of `evaluation_total_cost` over its attempts, in the vendor's unit; None if none was told."""
    costs: tuple[float, ...] = ()
    """What each evaluation cost, the first one first; empty unless every one of them was told."""
    context: bool | None = None
    """Whether its input carries context; None where no input was told."""
    ground_truth: bool | None = None
    evaluated: bool = True
    """Whether the first evaluation came to an end; else nothing is known of its scores."""


def scored(event: Event) -> Scored:
    """What a replay needs of it."""
    first = event.evaluations[0] if event.evaluations else Evaluation({}, running=True)
    costs = [one.cost for one in event.evaluations if one.cost is not None]
    attempts = 0 if event.attempts is None else 1 + event.attempts
    return Scored(
        event_id=event.event_id,
        at=event.at,
        run_mode=event.run_mode,
        scores={metric: score.score for metric, score in first.scores.items()},
        attempts=attempts,
        cost=event.cost,
        costs=tuple(costs) if attempts and len(costs) == len(event.evaluations) else (),
        context=event.context,
        ground_truth=event.ground_truth,
        evaluated=not (first.broken or first.running),
    )


def moment(at: str) -> str:
    """What sorts times in UTC, with or without a fraction of a second."""
    return at.removesuffix("Z").removesuffix("+00:00")


def not_before(at: str | None, begin: str | None) -> bool:
    """Whether a time is in a window that begins then, or at no time; one that is not told is in none."""
    return begin is None or (at is not None and moment(at) >= moment(begin))


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a conversation, as context."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Submission:
    """What is sent for evaluation. None: left out."""

    model_output: str
    model_used: str
    run_mode: str = DEFAULT_RUN_MODE
    user_prompt: str | None = None
    system_prompt: str | None = None
    context: tuple[str | Turn, ...] = ()
    ground_truth: str | None = None
    nametag: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """The last events of one address, the newest first."""

    address: str
    workflow_id: str
    asked: int
    """How many were asked for in the end: fewer than were wanted where the API gives fewer at once."""
    events: tuple[Event, ...]
    wanted: int = 0
    read: int | None = None
    """Among how many of the last events these were looked for; None: they are the last ones."""


@dataclass(frozen=True, slots=True)
class ShownEvent:
    address: str
    workflow_id: str
    event: Event


@dataclass(frozen=True, slots=True)
class SentEvent:
    """What became of a submission. `unknown`: it may be evaluated and paid for."""

    address: str
    workflow_id: str
    outcome: Literal["accepted", "refused", "not_sent", "unknown"]
    event_id: str | None = None
    why: str | None = None
    exit_code: int = Exit.OK
