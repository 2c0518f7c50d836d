"""One metric as SVG: two panels over one axis. Bars of the scores, split by what the two thresholds say of
them; below, the rate of flags by threshold.

Nothing is told by colour alone: what changes sides is hatched, and today's threshold is dashed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from defendctl.render.html.markup import safe
from defendctl.render.page.chart import CLASSES, COLUMNS
from defendctl.render.page.figures import CLASS_NAMES, described

if TYPE_CHECKING:
    from collections.abc import Iterator

    from defendctl.render.html.markup import Names
    from defendctl.render.page.chart import Chart, Column, Step

_WIDTH: Final = 480
_HEIGHT: Final = 306
_LEFT: Final = 44
_RIGHT: Final = 468
_BARS: Final = (38, 138)
"""Top and bottom of the bars, and of the rates."""
_RATES: Final = (166, 270)
_ROOM: Final = 110
"""A label of a threshold is no wider."""
_SCALES: Final = (0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
"""What the axis of rates may end with."""


def picture(chart: Chart, names: Names) -> str:
    """An `svg` element with a title and a description."""
    title, told, clip = names.new(), names.new(), names.new()
    hatches = {kind: names.new() for kind in ("after", "before")}
    steps, top = chart.steps, _scale(chart)
    return "".join(
        [
            f'<svg class="plot" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
            f'aria-labelledby="{title}" aria-describedby="{told}">',
            f'<title id="{title}">Scores of {safe(chart.metric)}, and its flag rate by threshold</title>',
            f'<desc id="{told}">{safe(described(chart))}</desc>',
            f'<defs><clipPath id="{clip}">{_rectangle(_LEFT, _RATES[0], _RIGHT, _RATES[1])}</clipPath>',
            *(_hatch(kind, name) for kind, name in hatches.items()),
            "</defs>",
            *_frame(max(c.total for c in chart.columns), top),
            *(part for column in chart.columns for part in _bar(column, chart, hatches)),
            f'<g clip-path="url(#{clip})">',
            f'<path class="band" d="{_band(steps, top)}"/>',
            f'<path class="line" d="{_line(steps, chart, top)}"/>',
            "</g>",
            *_thresholds(chart, top),
            "</svg>",
        ]
    )


def swatch(kind: str, names: Names) -> str:
    """For the legend: the same colour and hatch as the bars have."""
    if kind in ("after", "before"):
        name = names.new()
        hatch = f"<defs>{_hatch(kind, name)}</defs>"
        return (
            f'<svg viewBox="0 0 14 14" aria-hidden="true">{hatch}'
            f'<rect x="1" y="1" width="12" height="12" class="edge-{kind}" fill="url(#{name})"/></svg>'
        )
    return (
        '<svg viewBox="0 0 14 14" aria-hidden="true">'
        f'<rect x="1" y="1" width="12" height="12" class="{kind}"/></svg>'
    )


def _hatch(kind: str, name: str) -> str:
    turned = {"after": 45, "before": -45}[kind]
    return (
        f'<pattern id="{name}" width="6" height="6" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate({turned})"><rect class="ground" width="6" height="6"/>'
        f'<path class="hatch-{kind}" d="M1.5 0V6"/></pattern>'
    )


def _x(score: float) -> float:
    return _LEFT + min(1.0, max(0.0, score)) * (_RIGHT - _LEFT)


def _y(share: float, panel: tuple[int, int]) -> float:
    """What is above the scale leaves the panel, and is clipped there."""
    top, bottom = panel
    return bottom - share * (bottom - top)


def _scale(chart: Chart) -> float:
    """What the rate at both thresholds fits under, with its band."""
    marked = [t for t in (chart.before, chart.after) if t is not None]
    seen = {chart.below(t) for t in marked}
    highest = max((step.high for step in chart.steps if step.hits in seen), default=1.0)
    return next((scale for scale in _SCALES if scale >= highest * 1.05), 1.0)


def _frame(most: int, top: float) -> Iterator[str]:
    """Axes, their ticks and what they say."""
    for share in (0.0, 0.5, 1.0):
        at = _y(share, _RATES)
        yield f'<path class="grid" d="M{_LEFT} {_n(at)}H{_RIGHT}"/>'
        yield _text(_LEFT - 6, at + 4, f"{100 * top * share:g} %", "end")
    yield f'<path class="grid" d="M{_LEFT} {_BARS[0]}H{_RIGHT}"/>'
    yield _text(_LEFT - 6, _BARS[0] + 4, str(most), "end")
    yield _text(_LEFT - 6, _BARS[1] + 4, "0", "end")
    yield _text(_LEFT, _BARS[0] - 7, "events, by score", "start")
    yield _text(_LEFT, _RATES[0] - 7, "flagged, by threshold", "start")
    for panel in (_BARS, _RATES):
        yield f'<path class="axis" d="M{_LEFT} {panel[1]}H{_RIGHT}"/>'
    for tick in (0, 0.2, 0.4, 0.6, 0.8, 1):
        yield f'<path class="axis" d="M{_n(_x(tick))} {_RATES[1]}v4"/>'
        yield _text(_x(tick), _RATES[1] + 17, f"{tick:g}", "middle")
    yield _text((_LEFT + _RIGHT) / 2, _HEIGHT - 3, "score, and threshold", "middle")


def _bar(column: Column, chart: Chart, hatches: dict[str, str]) -> Iterator[str]:
    """Its parts upon one another, each with what it is: a browser tells that of what is pointed at."""
    most = max(each.total for each in chart.columns)
    left, right = _x(column.at / COLUMNS) + 0.5, _x((column.at + 1) / COLUMNS) - 0.5
    done = 0
    for kind in CLASSES:
        count = column.counts[kind]
        if not count:
            continue
        low, high = _y(done / most, _BARS), _y((done + count) / most, _BARS)
        done += count
        paint = f'fill="url(#{hatches[kind]})" class="edge-{kind}"' if kind in hatches else f'class="{kind}"'
        yield (
            f'<rect x="{_n(left)}" y="{_n(high)}" width="{_n(right - left)}" height="{_n(low - high)}"'
            f" {paint}>"
            f"<title>{column.at / COLUMNS:.2f} to {(column.at + 1) / COLUMNS:.2f}: "
            f"{count} {CLASS_NAMES[kind]}</title></rect>"
        )


def _line(steps: tuple[Step, ...], chart: Chart, top: float) -> str:
    """Level from score to score, and straight up at each: a threshold on a score does not flag it yet."""
    path = [f"M{_LEFT} {_rate(steps[0].hits / chart.scored, top)}"]
    path += [f"H{_n(_x(s.beyond))}V{_rate(s.hits / chart.scored, top)}" for s in steps[1:]]
    return "".join(path) + f"H{_RIGHT}"


def _band(steps: tuple[Step, ...], top: float) -> str:
    upper = [f"M{_LEFT} {_rate(steps[0].high, top)}"]
    upper += [f"H{_n(_x(step.beyond))}V{_rate(step.high, top)}" for step in steps[1:]]
    lower = [f"H{_RIGHT}V{_rate(steps[-1].low, top)}"]
    for step, before in zip(reversed(steps[1:]), reversed(steps[:-1]), strict=True):
        lower.append(f"H{_n(_x(step.beyond))}V{_rate(before.low, top)}")
    return "".join([*upper, *lower, f"H{_LEFT}Z"])


def _rate(rate: float, top: float) -> str:
    return _n(_y(rate / top, _RATES))


def _thresholds(chart: Chart, top: float) -> Iterator[str]:
    """Today's dashed, with an open dot; the proposed one solid, with a full one."""
    told = [("today", chart.before, "dot", 12), ("proposed", chart.after, "dot full", 28)]
    there = [(word, at, dot, row) for word, at, dot, row in told if at is not None]
    lowest = min(at for _, at, _, _ in there)
    for word, at, dot, row in there:
        x = _x(at)
        yield f'<path class="{word}" d="M{_n(x)} {row - 10}V{_RATES[1]}"/>'
        rate = _rate(chart.below(at) / chart.scored, top)
        yield f'<circle class="{dot}" cx="{_n(x)}" cy="{rate}" r="4"/>'
        yield _label(f"{word} {at:g}", x, row, to_left=at == lowest and len(there) > 1)


def _label(text: str, x: float, row: int, *, to_left: bool) -> str:
    """Away from the other threshold, where there is room."""
    left = (to_left and x - _ROOM > 0) or x + _ROOM > _WIDTH
    return _text(x - 6 if left else x + 6, row, text, "end" if left else "start", "said")


def _text(x: float, y: float, text: str, anchor: str, kind: str = "") -> str:
    kind = f' class="{kind}"' if kind else ""
    return f'<text{kind} x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}">{safe(text)}</text>'


def _rectangle(left: int, top: int, right: int, bottom: int) -> str:
    return f'<rect x="{left}" y="{top - 1}" width="{right - left}" height="{bottom - top + 2}"/>'


def _n(number: float) -> str:
    """Tenths are fine enough, and the same everywhere."""
    assert math.isfinite(number)
    return f"{number:.1f}".removesuffix(".0")
