"""What tune is asked, and what it found: values, and what they mean for whoever started it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from defendctl.exits import Exit

if TYPE_CHECKING:
    from defendctl.evidence.goals import Goal, Standing
    from defendctl.plan.direction import Direction
    from defendctl.replay.replay import MetricReplay, Range, Thresholds

Example = Mapping[str, float | None]
Status = Literal["proven", "estimate", "not_provable", "impossible"]
"""`estimate`: a value that nothing proves. `not_provable`: the examples are too few for it, or do not decide.
`impossible`: no threshold does it, whatever more examples would say."""


class LabelledExample(NamedTuple):
    scores: Example
    bad: bool
    """Whether it should be flagged."""


class Prices(NamedTuple):
    false_alarm: float
    miss: float

    def __str__(self) -> str:
        return f"{self.false_alarm:g}:{self.miss:g}"


@dataclass(frozen=True, slots=True)
class Aim:
    """One goal as it was asked for. The limits of rates are shares; `catch` and `cost` have their own."""

    max_flag_rate: float | None = None
    max_false_alarms: float | None = None
    min_recall: float | None = None
    catch: Literal["tests", "found", "both"] | None = None
    cost: Prices | None = None

    @property
    def needs_labels(self) -> bool:
        rates = (self.max_false_alarms, self.min_recall)
        return self.catch in ("found", "both") or any(one is not None for one in (*rates, self.cost))

    @property
    def rates(self) -> int:
        """How many of them promise something of a rate: they share the probability of being false."""
        return sum(one is not None for one in (self.max_flag_rate, self.max_false_alarms, self.min_recall))


@dataclass(frozen=True, slots=True)
class Tuning:
    """What is asked of the events of one workflow: `today` has all metrics that it guards."""

    address: str
    workflow_id: str
    metrics: tuple[str, ...]
    """Those whose thresholds may move."""
    today: Thresholds
    aim: Aim
    confidence: float = 0.95
    looks: int = 1
    recent_only: bool = False
    labelled_otherwise: bool = False
    """Whether there are labels of events that were not drawn by lot among all."""

    @property
    def delta(self) -> float:
        """The probability with which one promise may be false."""
        return (1 - self.confidence) / self.looks / max(1, self.aim.rates)


@dataclass(frozen=True, slots=True)
class Examples:
    """Examples of which somebody said what they should be, as metric → score."""

    known: tuple[Example, ...] = ()
    """Bad ones that must be caught, however they were found."""
    bad: tuple[Example, ...] = ()
    """Events drawn by lot among all that should be flagged."""
    good: tuple[Example, ...] = ()
    """Events drawn by lot among all that should pass."""
    by_lot: tuple[LabelledExample, ...] = ()
    """Both of these, the oldest first."""
    labels: int = 0
    labelled: frozenset[str] = frozenset()
    """The ids of all labelled events: from none of them may a path be learned that is judged by them."""
    gone: int = 0
    """Labelled events that the API no longer knows."""
    in_other_modes: int = 0
    """Labelled events of other run modes."""
    tests_digest: str | None = None


@dataclass(frozen=True, slots=True)
class JudgedGoal:
    """One goal, at today's thresholds."""

    goal: Goal
    today_is: Standing
    hits: tuple[int, int]
    bounds: tuple[float, float]
    """The lower and the upper bound of the rate of hits, each one-sided."""
    suggested: tuple[int, int] | None = None
    """Hits with what is suggested."""


@dataclass(frozen=True, slots=True)
class CostAt:
    """What thresholds make of the newer half: counts for certain, and with those that are unknown."""

    false_alarms: tuple[int, int]
    misses: tuple[int, int]
    an_event: Range
    """Seen there, the least and the most."""
    interval: Range
    """Of all events like them: both rates by Clopper and Pearson, at once."""


@dataclass(frozen=True, slots=True)
class JudgedCost:
    """What thresholds cost in the newer half of the labels; the older half has chosen."""

    prices: Prices
    chosen_among: int
    of: int
    today_is: Standing
    today: CostAt
    suggested: CostAt | None = None


@dataclass(frozen=True, slots=True)
class TunedMetric:
    metric: str
    today: float
    suggested: float | None
    range: tuple[float, float] | None
    """The lowest and the highest threshold that is proven for all goals, the other metrics as they are."""
    direction: Direction
    """From today's to what is suggested."""
    seen: MetricReplay
    """This metric alone, today and with what is suggested, by all events."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the answer rests on."""

    events: int
    unscored: int
    """Events that lack a score of a metric that may move."""
    window: tuple[str, str] | None
    run_mode: str | None
    drift_p: float
    inflation: float
    labels: int = 0
    tests_digest: str | None = None


@dataclass(frozen=True, slots=True)
class WrittenThreshold:
    """A threshold that a file says now."""

    metric: str
    value: float
    file: str
    line: int | None


@dataclass(frozen=True, slots=True)
class Tuned:
    asked: Tuning
    goals: tuple[JudgedGoal, ...]
    metrics: tuple[TunedMetric, ...]
    today_is: Standing
    status: Status
    evidence: Evidence
    cost: JudgedCost | None = None
    why: tuple[str, ...] = ()
    """What keeps it from more, in sentences without an end."""
    caveats: tuple[str, ...] = ()
    written: tuple[WrittenThreshold, ...] = field(default=())

    @property
    def suggests(self) -> bool:
        return any(one.suggested is not None for one in self.metrics)

    @property
    def loosens(self) -> bool:
        return any(one.direction == "loosens" for one in self.metrics)

    @property
    def exit_code(self) -> int:
        """0: today's value is proven for all goals. 2: it is not, and another one is. 5: everything else."""
        if self.status != "proven":
            return Exit.BLOCKED
        return Exit.OK if self.today_is == "proven" else Exit.FOUND
