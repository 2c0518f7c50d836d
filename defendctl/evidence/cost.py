"""What thresholds cost by labels: chosen by the older half of them, judged by the newer one. Pure.

A cost may rise and fall with a threshold, so the rules of `bounds` promise nothing of the cheapest: it is an
estimate. What the newer half can prove is that today's thresholds cost more than one that the older
half has chosen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from defendctl.evidence.bounds import lower_limit, upper_limit
from defendctl.evidence.tuning import CostAt
from defendctl.replay.replay import verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from defendctl.evidence.tuning import LabelledExample, Prices
    from defendctl.replay.replay import Thresholds

FEWEST: Final = 10
"""So many of each kind must be in each half: of fewer no rate is told anywhere."""
_CENTS: Final = 9
"""Means are equal to so many decimals."""


@dataclass(frozen=True, slots=True)
class Costs:
    prices: Prices
    older: Sequence[LabelledExample]
    newer: Sequence[LabelledExample]
    delta: float

    @property
    def fewest(self) -> tuple[int, int]:
        """Of the half that has fewer: those that should be flagged, and those that should pass."""
        halves = [sum(one.bad for one in half) for half in (self.older, self.newer)]
        good = [len(half) - bad for half, bad in zip((self.older, self.newer), halves, strict=True)]
        return min(halves), min(good)

    @property
    def enough(self) -> bool:
        return min(self.fewest) >= FEWEST

    def cheapest(self, among: Iterable[Thresholds], today: Thresholds) -> Thresholds | None:
        """By the older half; what is unknown counts as wrong. Of those that cost the same the nearest to
        today's."""

        def rank(at: Thresholds) -> tuple[float, float]:
            return round(self._worst(at), _CENTS), sum(abs(at[metric] - today[metric]) for metric in today)

        return min(among, key=rank, default=None) if self.enough else None

    def at(self, thresholds: Thresholds) -> CostAt:
        alarms, misses = wrong(self.newer, thresholds)
        of, tail = len(self.newer), self.delta / 4
        return CostAt(
            alarms,
            misses,
            (self._mean(alarms[0], misses[0], of), self._mean(alarms[1], misses[1], of)),
            (
                self._price(lower_limit(alarms[0], of, tail), lower_limit(misses[0], of, tail)),
                self._price(upper_limit(alarms[1], of, tail), upper_limit(misses[1], of, tail)),
            ),
        )

    def proves_looser(self, today: Thresholds, then: Thresholds) -> bool:
        """Whether looser thresholds cost less for certain, as far as the confidence goes. Of the newer
        events that pass then and did not, each good one saves a false alarm and each bad one costs a miss:
        it is the exact bound of the share of bad ones among them.
        """
        changed = [one for one in self.newer if verdict(one.scores, today) and not verdict(one.scores, then)]
        lost = sum(one.bad for one in changed)
        even = self.prices.false_alarm / (self.prices.false_alarm + self.prices.miss)
        return upper_limit(lost, len(changed), self.delta) < even if changed else False

    def _worst(self, thresholds: Thresholds) -> float:
        alarms, misses = wrong(self.older, thresholds)
        return self._mean(alarms[1], misses[1], len(self.older))

    def _mean(self, alarms: int, misses: int, of: int) -> float:
        return self._price(alarms, misses) / of if of else 0.0

    def _price(self, alarms: float, misses: float) -> float:
        return self.prices.false_alarm * alarms + self.prices.miss * misses


def wrong(
    examples: Iterable[LabelledExample], thresholds: Thresholds
) -> tuple[tuple[int, int], tuple[int, int]]:
    """False alarms and misses, each for certain and at most."""
    counts = {(bad, told): 0 for bad in (False, True) for told in (False, True, None)}
    for one in examples:
        counts[one.bad, verdict(one.scores, thresholds)] += 1
    alarms, misses = counts[False, True], counts[True, False]
    return (alarms, alarms + counts[False, None]), (misses, misses + counts[True, None])
