"""Whether events look as independent and alike as the bounds take them to be. A help, and no proof of it.

Two things break that most often: the judge (or the traffic) moves within the window, and events that are
alike come in bursts.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

MOVED: Final = 0.01
"""A p-value below it is an alarm: false in 1.2 % of cases at most."""
INFLATED: Final = 1.3
"""More than so many times the variance of independent events counts as bursts. Of six samples of independent
events one looks so; a stricter rule would miss half of the bursts of ten at 100 events."""

_TERMS: Final = 100
_FEWEST_BLOCKS: Final = 5
_SHARE: Final = 0.1


def drift_p(older: Sequence[float], newer: Sequence[float]) -> float:
    """The p-value of Kolmogorov and Smirnov's test of two samples, in M. A. Stephens's approximation; 1
    where one of them is empty. Ties make it larger than it is.
    """
    if not older or not newer:
        return 1.0
    first, second = sorted(older), sorted(newer)
    gap = max(
        abs(bisect_right(first, at) / len(first) - bisect_right(second, at) / len(second))
        for at in {*first, *second}
    )
    size = math.sqrt(len(first) * len(second) / (len(first) + len(second)))
    scaled = (size + 0.12 + 0.11 / size) * gap
    terms = (2 * (-1) ** (k - 1) * math.exp(-2 * (k * scaled) ** 2) for k in range(1, _TERMS))
    return min(1.0, math.fsum(terms)) if scaled > _SHARE else 1.0


def lowest_tenth(scores: Sequence[float]) -> list[bool]:
    limit = sorted(scores)[int(_SHARE * len(scores))] if scores else 0.0
    return [score < limit for score in scores]


def inflation(flags: Sequence[bool]) -> float:
    """How many times the variance of independent flags these have, in the order of time: over √n blocks of
    it. 1 for what tells nothing, and for fewer than 25.
    """
    blocks = math.isqrt(len(flags))
    if blocks < _FEWEST_BLOCKS:
        return 1.0
    rate = sum(flags) / len(flags)
    if not 0 < rate < 1:
        return 1.0
    cuts = [len(flags) * at // blocks for at in range(blocks + 1)]
    parts = [flags[start:end] for start, end in pairwise(cuts)]
    spread = math.fsum((sum(part) - len(part) * rate) ** 2 / len(part) for part in parts)
    return spread / (rate * (1 - rate) * (blocks - 1))
