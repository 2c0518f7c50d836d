"""The numbers of one picture, from the JSON of one metric: bars, steps and band. Nothing is drawn here."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from defendctl.evidence.bounds import clopper_pearson

if TYPE_CHECKING:
    from defendctl.render.json.contract import MetricReplayDocument

COLUMNS: Final = 50
"""Bars of 0.02; edges of bins in the JSON are edges of them too."""
CLASSES: Final = ("both", "after", "before", "neither")
"""Flagged by: both thresholds, the proposed one alone, today's alone, none."""
_NUDGE: Final = 1e-9
"""So that 0.58 does not fall into the column before its own."""


@dataclass(frozen=True, slots=True)
class Column:
    """One bar, from `at / COLUMNS` on; events by class."""

    at: int
    counts: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Step:
    """From a score on, up to the next one: so many of the events lie below a threshold higher than it, and
    what that says of the rate (Clopper and Pearson, 95 %): of one threshold, chosen before looking."""

    beyond: float
    hits: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Chart:
    metric: str
    before: float | None
    after: float | None
    scored: int
    unscored: int
    fails_before: int
    fails_after: int
    ties: int
    verdicts: tuple[int, int]
    """Passing, failing: they have no place on the axis."""
    scores: tuple[float, ...]
    """Rising; or lower edges of bins."""
    counts: tuple[int, ...]

    @property
    def columns(self) -> tuple[Column, ...]:
        found: dict[int, dict[str, int]] = {}
        for score, count in zip(self.scores, self.counts, strict=True):
            counts = found.setdefault(column(score), dict.fromkeys(CLASSES, 0))
            counts[side(score, self.before, self.after)] += count
        return tuple(Column(at, found[at]) for at in sorted(found))

    @property
    def steps(self) -> tuple[Step, ...]:
        """The first one is of the thresholds that no score lies below."""
        hits = accumulate(self.counts, initial=self.verdicts[1])
        told = zip((-math.inf, *self.scores), hits, strict=True)
        return tuple(Step(beyond, below, *_band(below, self.scored)) for beyond, below in told)

    @property
    def moves(self) -> bool:
        return self.before != self.after

    def band(self, hits: int) -> tuple[float, float]:
        """Of a rate at one threshold."""
        return _band(hits, self.scored)

    def below(self, threshold: float) -> int:
        told = zip(self.scores, self.counts, strict=True)
        return self.verdicts[1] + sum(count for score, count in told if score < threshold)


def chart(metric: MetricReplayDocument) -> Chart | None:
    """None where there is nothing to draw: no score, or a document of before 1.1."""
    told = metric.get("distribution")
    if told is None or not told["scores"]:
        return None
    verdicts = told["verdicts"]["true"], told["verdicts"]["false"]
    return Chart(
        metric=metric["metric"],
        before=metric["before"],
        after=metric["after"],
        scored=metric["scored"],
        unscored=metric["unscored"],
        fails_before=metric["fails_before"],
        fails_after=metric["fails_after"],
        ties=metric["ties"],
        verdicts=verdicts,
        scores=tuple(told["scores"]),
        counts=tuple(told["counts"]),
    )


def side(score: float, before: float | None, after: float | None) -> str:
    """Which of CLASSES a score is in. Below fails, equal passes; without a threshold nothing does."""
    now, then = before is not None and score < before, after is not None and score < after
    if now and then:
        return "both"
    return "after" if then else "before" if now else "neither"


def column(score: float) -> int:
    """The scores outside of 0 to 1 stand at its ends; 1 stands in the last column."""
    return min(COLUMNS - 1, max(0, math.floor(score * COLUMNS + _NUDGE)))


@lru_cache(maxsize=4096)
def _band(hits: int, of: int) -> tuple[float, float]:
    return clopper_pearson(hits, of)
