"""Numbers of a replay in words, and the scores of one metric in one line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from defendctl.render.json.contract import TogetherDocument
    from defendctl.render.page.chart import Chart

CLASS_NAMES: Final = {
    "both": "flagged by both",
    "after": "flagged by the proposed threshold alone",
    "before": "flagged by today's threshold alone",
    "neither": "flagged by neither",
}
_LEVELS: Final = "▁▂▃▄▅▆▇█"
_COLUMNS: Final = 20
_NUDGE: Final = 1e-9


def histogram(
    scores: Sequence[float], counts: Sequence[int], before: float | None, after: float | None
) -> str:
    """`▁▁ ▁▁▁▁|▂▅▃|█▇▇▅▃`: 20 columns of 0.05, the highest one full. A bar stands for each threshold, at the
    edge of a column that is nearest to it."""
    heights = [0] * _COLUMNS
    for score, count in zip(scores, counts, strict=True):
        heights[min(_COLUMNS - 1, max(0, math.floor(score * _COLUMNS + _NUDGE)))] += count
    most = max(heights)
    edges = {round(min(1.0, max(0.0, t)) * _COLUMNS) for t in (before, after) if t is not None}
    parts = [("|" if at in edges else "") + _level(height, most) for at, height in enumerate(heights)]
    return "".join(parts) + ("|" if _COLUMNS in edges else "")


def _level(height: int, most: int) -> str:
    return _LEVELS[math.ceil(height * len(_LEVELS) / most) - 1] if height else " "


def described(chart: Chart) -> str:
    """The picture in words, for those who do not see it."""
    told = [f"{chart.scored} scored events from {min(chart.scores):g} to {max(chart.scores):g}."]
    if chart.before is not None:
        told.append(f"Today's threshold {chart.before:g} flags {chart.fails_before}.")
    if chart.after is not None:
        told.append(f"The proposed threshold {chart.after:g} flags {chart.fails_after}.")
    return " ".join(told)


def percent(rate: float) -> str:
    return f"{100 * rate:.1f} %"


def between(low: float, high: float) -> str:
    return percent(low) if low == high else f"{100 * low:.1f} to {percent(high)}"


def rate(side: TogetherDocument | None) -> str:
    """Of all events: a range where some are unknown, for the known ones alone are mostly those that fail."""
    return between(*side["bounds"]) if side and side["bounds"] else "unknown"


def share(side: TogetherDocument | None) -> str:
    """What the rate is a share of, and Wilson's interval where nothing is unknown."""
    if side is None or side["bounds"] is None:
        return "no event"
    if side["unknown"]:
        events = side["known"] + side["unknown"]
        return f"{side['fails']} of {events} for certain, {side['unknown']} unknown"
    return f"{side['fails']} of {side['known']}; 95 %: {between(*side['interval'])}"


def number(of: Sequence[float] | None) -> str:
    """A mean, or its least and most."""
    if of is None:
        return "unknown"
    low, high = of
    return f"{low:.4g}" if low == high else f"{low:.4g} to {high:.4g}"
