"""What is drawn is what the JSON says, and the JSON is what the events say: another way, number by number."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defendctl.event import Scored
from defendctl.render.html.markup import Names
from defendctl.render.html.picture import picture
from defendctl.render.html.style import STYLE
from defendctl.render.json.plan import plan as plan_document
from defendctl.render.page.chart import CLASSES, COLUMNS, Chart, chart, side
from defendctl.render.page.figures import histogram
from tests.cases import built
from tests.render.html.given import parsed, replayed

if TYPE_CHECKING:
    from collections.abc import Sequence

TOP, BOTTOM = 166, 270
LEFT, RIGHT = 44, 468
Score = float | bool | None
grid = st.integers(0, 100).map(lambda k: k / 100)
thresholds = grid | st.floats(0, 1)
scores = st.lists(grid | st.floats(0, 1) | st.booleans() | st.none(), min_size=1, max_size=80)
"""Of one metric; a bool is a verdict, None no score."""


def drawn(told: Sequence[Score], before: float, after: float, name: str = "m") -> tuple[Any, Chart | None]:
    """What the plan's JSON says of that metric, and the chart of it."""
    events = [Scored(f"evt_{at}", None, "fast", {name: score}) for at, score in enumerate(told)]
    review = built.a_plan(replays=(replayed(events, {name: before}, {name: after}),))
    metric = json.loads(json.dumps(plan_document(review)))["replay"][0]["metrics"][0]
    return metric, chart(metric)


@given(scores, thresholds, thresholds, st.booleans())
@settings(max_examples=150, deadline=None)
def test_bars_add_up_and_the_curve_is_the_counts(
    told: list[Score], before: float, after: float, many: bool
) -> None:
    """Also where there are so many scores that the JSON has bins."""
    told = [*told, *(n / 997 for n in range(300))] if many else told
    metric, shown = drawn(told, before, after)
    if shown is None:
        assert not any(type(score) is float for score in told)
        return
    count = {kind: sum(each.counts[kind] for each in shown.columns) for kind in CLASSES}
    passing, failing = shown.verdicts
    assert sum(count.values()) + passing + failing == metric["scored"]
    assert count["both"] + count["before"] + failing == metric["fails_before"]
    assert count["both"] + count["after"] + failing == metric["fails_after"]
    assert shown.below(before) == metric["fails_before"]
    assert shown.below(after) == metric["fails_after"]
    for threshold, fails in ((before, metric["fails_before"]), (after, metric["fails_after"])):
        assert [step for step in shown.steps if step.beyond < threshold][-1].hits == fails


@given(scores, grid, grid)
@settings(max_examples=60, deadline=None)
def test_the_bars_and_dots_of_the_svg_are_those_counts(
    told: list[Score], before: float, after: float
) -> None:
    metric, shown = drawn(told, before, after)
    if shown is None or before == after:
        return
    svg = picture(shown, Names())
    titles = re.findall(r"<title>([\d.]+) to ([\d.]+): (\d+) ([^<]*)</title>", svg)
    assert sum(int(count) for _, _, count, _ in titles) == sum(metric["distribution"]["counts"])
    for low, high, _, _ in titles:
        assert round(float(high) - float(low), 9) == 1 / COLUMNS
    circles = re.findall(r'<circle class="(dot[^"]*)" cx="([\d.]+)" cy="([-\d.]+)"', svg)
    assert [kind for kind, _, _ in circles] == ["dot", "dot full"]
    scale = float(re.findall(r">([\d.]+) %</text>", svg)[-1]) / 100
    sides = ((before, metric["fails_before"]), (after, metric["fails_after"]))
    for (_, x, y), (threshold, fails) in zip(circles, sides, strict=True):
        assert float(x) == pytest.approx(LEFT + threshold * (RIGHT - LEFT), abs=0.06)
        rate = fails / metric["scored"]
        assert float(y) == pytest.approx(BOTTOM - rate / scale * (BOTTOM - TOP), abs=0.06)
        assert rate <= scale, "both dots are inside of the panel"


@pytest.mark.parametrize(
    ("score", "before", "after", "expected"),
    [
        (0.5, 0.6, 0.7, "both"),
        (0.6, 0.6, 0.7, "after"),
        (0.7, 0.6, 0.7, "neither"),
        (0.6, 0.7, 0.6, "before"),
        (0.1, None, 0.6, "after"),
        (0.1, 0.6, None, "before"),
        (0.1, None, None, "neither"),
    ],
)
def test_equal_passes(score: float, before: float | None, after: float | None, expected: str) -> None:
    assert side(score, before, after) == expected


def test_a_threshold_inside_of_a_bar_parts_it() -> None:
    """0.65 lies within the bar from 0.64 to 0.66; what of it is below is flagged, and the rest is not."""
    _, shown = drawn([0.64, 0.645, 0.65, 0.655], 0.1, 0.65)
    assert shown
    assert [(each.at, each.counts["after"], each.counts["neither"]) for each in shown.columns] == [(32, 2, 2)]


def test_nothing_to_draw() -> None:
    """Verdicts have no axis, and a document of before 1.1 no distribution."""
    metric, shown = drawn([True, False], 0.1, 0.2)
    assert shown is None
    del metric["distribution"]
    assert chart(metric) is None


def test_colour_is_never_alone() -> None:
    """What changes sides is hatched, and today's threshold is dashed."""
    _, shown = drawn([0.1, 0.5, 0.7], 0.4, 0.6)
    assert shown
    svg = picture(shown, Names())
    found = parsed(f"<svg>{svg}</svg>")
    assert re.search(r'fill="url\(#n\d+\)" class="edge-after"', svg)
    assert "role" in {name for _, name, _ in found.attributes}
    assert ".today{stroke-dasharray" in STYLE


@pytest.mark.parametrize("at", [0, 1], ids=["light", "dark"])
def test_contrast(at: int) -> None:
    """WCAG 2.2: text 4.5, marks 3; what axe cannot compute over SVG."""
    palette = dict(re.findall(r"--([a-z-]+):(#[0-9a-f]{6})", STYLE.split("prefers-color-scheme")[at]))
    for text in ("text", "soft", "link"):
        for back in ("page", "card", "code"):
            assert contrast(palette[text], palette[back]) >= 5, (text, back)
    for tone in ("bad", "unsure", "good"):
        assert contrast(palette[tone], palette[f"{tone}-back"]) >= 4.5, tone
    for mark in ("both", "after", "before", "neither", "text"):
        assert contrast(palette[mark], palette["card"]) >= 3, mark


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    ("told", "before", "after", "expected"),
    [
        ([0.0, 0.049, 0.05, 0.999, 1.0], 0.5, 0.5, "█▄        |         █"),
        ([0.58, 0.61, 0.61, 0.74, 0.9], 0.6, 0.75, "           ▄|█ ▄|   ▄ "),
        ([], 0.0, 1.0, "|                    |"),
    ],
)
def test_histogram(told: list[float], before: float, after: float, expected: str) -> None:
    assert histogram(told, [1] * len(told), before, after) == expected
