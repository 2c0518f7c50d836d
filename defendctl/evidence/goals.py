"""What thresholds are asked to do, and what scored examples say of that: proven, broken or undecided.

A goal counts hits among examples: those that are flagged where few may be, those that pass where few may. An
example whose verdict is unknown counts as a hit, for a goal must hold whatever it is.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from defendctl.evidence.bounds import least_events, lower_limit, most_hits, upper_limit
from defendctl.replay.replay import verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from defendctl.replay.replay import Thresholds

Scores = dict[str, float | None]
"""Metric → score, of one example."""
Standing = Literal["proven", "broken", "undecided"]
GoalName = Literal["max_flag_rate", "max_false_alarms", "min_recall", "catch"]

_RISING: Final = ("max_flag_rate", "max_false_alarms")


@dataclass(frozen=True, slots=True)
class Goal:
    """`limit` is the greatest rate of hits; None: there may be none among these very examples, and nothing
    is said of any rate and no confidence is needed."""

    name: GoalName
    examples: Sequence[Mapping[str, float | None]]
    limit: float | None
    delta: float = 0.05
    inflation: float = 1.0
    """How many times the variance of independent examples they have; 1 or more."""

    @property
    def rising(self) -> bool:
        """Whether higher thresholds make more hits."""
        return self.name in _RISING

    @property
    def of(self) -> int:
        return len(self.examples)

    @property
    def effective(self) -> int:
        """So many independent examples say as much."""
        return int(self.of / self.inflation)

    @property
    def allowed(self) -> int | None:
        """The most hits that prove it; None: there are too few examples."""
        if self.limit is None:
            return 0 if self.of else None
        allowed = most_hits(self.effective, self.limit, self.delta)
        return None if allowed is None else int(allowed * self.inflation)

    @property
    def needed(self) -> int:
        """The fewest examples that could prove it."""
        if self.limit is None:
            return 1
        return math.ceil(least_events(self.limit, self.delta) * self.inflation)

    def hits(self, thresholds: Thresholds) -> tuple[int, int]:
        """Those that are certain, and with those that are unknown."""
        verdicts = [verdict(scores, thresholds) for scores in self.examples]
        sure = sum(one is self.rising for one in verdicts)
        return sure, sure + sum(one is None for one in verdicts)

    def standing(self, thresholds: Thresholds) -> Standing:
        """Of thresholds that were not chosen by these examples."""
        sure, most = self.hits(thresholds)
        if self.allowed is not None and most <= self.allowed:
            return "proven"
        return "broken" if self._least(sure) > (self.limit or 0.0) else "undecided"

    def bounds(self, thresholds: Thresholds) -> tuple[float, float]:
        """The lower and the upper bound of the rate of hits, each one-sided."""
        sure, most = self.hits(thresholds)
        worst = min(math.ceil(most / self.inflation), self.effective)
        return self._least(sure), upper_limit(worst, self.effective, self.delta)

    def _least(self, sure: int) -> float:
        if self.limit is None:
            return float(sure > 0)
        return lower_limit(min(int(sure / self.inflation), self.effective), self.effective, self.delta)

    def end(self, path: Sequence[Thresholds]) -> int | None:
        """Of a path of ever higher thresholds the last step that is proven, or the first where higher ones
        make fewer hits; None where none is. To choose it by the same examples costs nothing: rules A and B.
        """
        allowed = self.allowed
        if allowed is None:
            return None
        steps = range(len(path))
        if self.rising:
            found = bisect_right(steps, allowed, key=lambda at: self.hits(path[at])[1]) - 1
        else:
            found = bisect_left(steps, -allowed, key=lambda at: -self.hits(path[at])[1])
        return found if found in steps else None
