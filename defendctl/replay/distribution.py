"""How the scores of one metric are spread: what any picture, curve and tie of it follows from. Pure.

Distinct scores as long as there are few of them, else bins of a hundredth. The thresholds are edges of bins
too, so that what falls below one of them can be counted from the bins as well as from the scores.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DISTINCT: Final = 200
"""So many scores are told one by one."""
BINS: Final = 100


@dataclass(frozen=True, slots=True)
class Distribution:
    scores: tuple[float, ...] = ()
    """Rising; of bins the lower edge, which belongs to the bin. A bin ends where the next edge may be: at the
    next hundredth, or at a threshold."""
    counts: tuple[int, ...] = ()
    passing: int = 0
    """Verdicts, which have no score and no threshold."""
    failing: int = 0
    bin_width: float | None = None
    """None: these are the scores themselves."""

    @property
    def total(self) -> int:
        return sum(self.counts) + self.passing + self.failing

    def below(self, threshold: float | None) -> int:
        """Events that fail it: exact at every threshold of distinct scores, and at those that bins were made
        for. No threshold fails nobody, and a verdict that fails does so at every one."""
        if threshold is None:
            return 0
        told = zip(self.scores, self.counts, strict=True)
        return self.failing + sum(count for score, count in told if score < threshold)


def distribution(scores: Iterable[float | bool], thresholds: Iterable[float | None]) -> Distribution:
    """Scores may be verdicts (bool). Nothing is left out: `total` is their number."""
    told = list(scores)
    numbers = [float(score) for score in told if not isinstance(score, bool)]
    failing = sum(score is False for score in told)
    rest = len(told) - len(numbers) - failing, failing
    counts = Counter(numbers)
    if len(counts) <= DISTINCT:
        return Distribution(*_sorted(counts), *rest)
    edges = _edges(numbers, [each for each in thresholds if each is not None])
    binned = Counter(edges[bisect_right(edges, score) - 1] for score in numbers)
    return Distribution(*_sorted(binned), *rest, bin_width=1 / BINS)


def _edges(numbers: Sequence[float], thresholds: Sequence[float]) -> list[float]:
    """What lies outside of 0 to 1 has a bin at each end."""
    return sorted({min(0.0, *numbers), *(k / BINS for k in range(BINS + 1)), *thresholds})


def _sorted(counts: Counter[float]) -> tuple[tuple[float, ...], tuple[int, ...]]:
    return tuple(sorted(counts)), tuple(counts[score] for score in sorted(counts))
