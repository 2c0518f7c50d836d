"""Every number of one report, computed another way: from the raw events, by counting and by halving."""

from __future__ import annotations

import html as html_module
import re
from dataclasses import replace
from fractions import Fraction
from math import comb, fsum
from typing import Any

import pytest

from defendctl.render.html.page import plan
from defendctl.replay.labelled import labelled
from defendctl.replay.labels import LabelGroup
from defendctl.replay.replay import Proposal
from tests.render.html.given import AFTER, BEFORE, loosening, replayed, rows, traffic

EVENTS = traffic()
PAGE = plan(loosening(EVENTS))
TEXT = html_module.unescape(re.sub(r"<[^>]+>", "", PAGE.split("</style>")[1]))
TABLES = rows(PAGE)


def flagged(event: Any, thresholds: dict[str, float]) -> bool | None:
    """None: only a score that is not there could tell."""
    told = [event.scores[name] for name in thresholds]
    below = [
        s is not None and Fraction(s) < Fraction(thresholds[n]) for n, s in zip(thresholds, told, strict=True)
    ]
    return True if any(below) else None if None in told else False


def percent(rate: Any) -> str:
    return f"{float(100 * rate):.1f}"


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The rates p with (p - hits/of)² = z² p (1 - p) / of, found by halving."""
    z = 1.959963984540054

    def far(p: float) -> bool:
        return (p - hits / of) ** 2 > z * z * p * (1 - p) / of

    return halved(far, 0.0, hits / of), halved(lambda p: not far(p), hits / of, 1.0)


def halved(is_left: Any, low: float, high: float) -> float:
    """Where it stops to hold."""
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if is_left(middle) else (low, middle)
    return (low + high) / 2


def clopper_pearson(hits: int, of: int) -> tuple[float, float]:
    """Each tail 2.5 %, the binomial terms added up."""

    def at_most(k: int, p: float) -> float:
        return fsum(comb(of, j) * p**j * (1 - p) ** (of - j) for j in range(k + 1))

    low = halved(lambda p: 1 - at_most(hits - 1, p) < 0.025, 0.0, hits / of)
    return low, halved(lambda p: at_most(hits, p) > 0.025, hits / of, 1.0)


def row(first: str, cells: int) -> list[str]:
    found = [each for each in TABLES if each[0] == first and len(each) == cells]
    assert len(found) == 1, found
    return found[0]


def together(thresholds: dict[str, float]) -> tuple[int, int, int]:
    told = [flagged(event, thresholds) for event in EVENTS]
    return told.count(True), told.count(None), len(told)


@pytest.mark.parametrize(("thresholds", "column"), [(BEFORE, 1), (AFTER, 2)])
def test_the_joint_rate(thresholds: dict[str, float], column: int) -> None:
    hits, unknown, of = together(thresholds)
    assert unknown, "this sample has some"
    span = f"{percent(Fraction(hits, of))} to {percent(Fraction(hits + unknown, of))} %"
    assert row("flag rate", 3)[column] == f"{span} ({hits} of {of} for certain, {unknown} unknown)"
    assert row("support-bot", 5)[column + 2] == span


def test_the_joint_rate_where_all_is_known() -> None:
    events = [event for event in traffic(seed=5) if None not in event.scores.values()]
    cells = next(each for each in rows(plan(loosening(events))) if each[0] == "flag rate")
    for thresholds, cell in ((BEFORE, cells[1]), (AFTER, cells[2])):
        hits, of = sum(bool(flagged(event, thresholds)) for event in events), len(events)
        low, high = wilson(hits, of)
        share = f"{hits} of {of}; 95 %: {percent(low)} to {percent(high)} %"
        assert cell == f"{percent(Fraction(hits, of))} % ({share})"


@pytest.mark.parametrize("name", BEFORE)
def test_each_metric(name: str) -> None:
    told = [Fraction(s) for event in EVENTS if (s := event.scores[name]) is not None]
    old, new = Fraction(BEFORE[name]), Fraction(AFTER[name])
    fails = [sum(score < old for score in told), sum(score < new for score in told)]
    of, ties = len(told), sum(score == new for score in told)
    shown = [f"{BEFORE[name]:g}", f"{AFTER[name]:g}", *(f"{each} of {of}" for each in fails)]
    assert row(name, 7) == [name, *shown, str(ties), str(len(EVENTS) - of)]

    said = []
    for word, threshold, hits in (("today", BEFORE[name], fails[0]), ("proposed", AFTER[name], fails[1])):
        low, high = clopper_pearson(hits, of)
        rate = f"{percent(Fraction(hits, of))} % (95 %: {percent(low)} to {percent(high)} %)"
        said.append(f"{word} {threshold:g}: {hits} of {of} below, {rate}")
    assert "; ".join(said) in TEXT

    both = sum(score < min(old, new) for score in told)
    moved = sum(min(old, new) <= score < max(old, new) for score in told)
    alone = "the proposed threshold" if new > old else "today's threshold"
    legend = f"{both} flagged by both{moved} flagged by {alone} alone{of - both - moved} flagged by neither"
    assert legend in TEXT


def test_what_changes_sides() -> None:
    sides = [(event.event_id, flagged(event, BEFORE), flagged(event, AFTER)) for event in EVENTS]
    newly = [name for name, before, after in sides if (before, after) == (False, True)]
    freed = [name for name, before, after in sides if (before, after) == (True, False)]
    assert newly
    assert freed
    folded = re.findall(r"<summary>(\d+) events? ([a-z ]+)</summary><p>(.*?)</p>", PAGE)
    found = {what: (int(n), re.findall("evt_[0-9]+", ids)) for n, what, ids in folded}
    assert found == {"newly flagged": (len(newly), newly), "no longer flagged": (len(freed), freed)}


def test_the_window_and_what_an_event_takes() -> None:
    times = sorted(event.at or "" for event in EVENTS)
    modes = [event.run_mode for event in EVENTS]
    said = f"100 of the 100 events asked for, from {times[0]} to {times[-1]}; run modes: "
    assert f"{said}fast {modes.count('fast')}, precision {modes.count('precision')}." in TEXT
    then = [flagged(event, AFTER) for event in EVENTS]
    least = sum(2 if each else 1 for each in then) / len(then)
    most = sum(1 if each is False else 6 for each in then) / len(then)
    assert row("evaluations an event", 3)[1:] == ["1", f"{least:.4g} to {most:.4g}"]
    dearest = [0.002 * (1 if each is False else 6) for each in then]
    cheapest = 0.002
    assert row("cost an event", 3)[1:] == ["0.002", f"{cheapest:.4g} to {sum(dearest) / len(dearest):.4g}"]


def test_the_curve_and_the_band_of_the_picture() -> None:
    """Read off the path: at each of its steps the share below, and Clopper and Pearson's interval of it."""
    svg = next(each for each in PAGE.split("<svg")[1:] if "Scores of completeness" in each)
    top = float(re.findall(r">([\d.]+) %</text>", svg)[-1]) / 100
    line = re.findall(r"H([\d.]+)V(-?[\d.]+)", re.findall(r'class="line" d="([^"]*)"', svg)[0])
    band = re.findall(r"H([\d.]+)V(-?[\d.]+)", re.findall(r'class="band" d="([^"]*)"', svg)[0])
    told = sorted(s for event in EVENTS if (s := event.scores["completeness"]) is not None)
    distinct = sorted(set(told))
    assert len(line) == len(distinct)
    for (x, y), (_, upper), score in zip(line, band, distinct, strict=False):
        hits = sum(each <= score for each in told)
        assert float(x) == pytest.approx(44 + 424 * score, abs=0.06)
        assert float(y) == pytest.approx(270 - 104 * hits / len(told) / top, abs=0.06)
        assert float(upper) == pytest.approx(270 - 104 * clopper_pearson(hits, len(told))[1] / top, abs=0.06)


def with_labels() -> tuple[str, set[str], set[str]]:
    """The page with labels of every second event, and of one that is gone: which should be flagged, which
    pass. Those of `found` are a part of them."""
    seen = EVENTS[::2]
    bad = {
        one.event_id for one in seen if (one.scores["completeness"] or 0) < 0.7 or one.event_id.endswith("4")
    }
    good = {one.event_id for one in seen[2:]} - bad
    unsure = frozenset({seen[0].event_id, seen[1].event_id} - bad)
    groups = (
        LabelGroup("support-bot", "uniform", None, frozenset({*bad, "evt_gone"}), frozenset(good), unsure),
        LabelGroup("support-bot", "found", None, frozenset(sorted(bad)[:5]), frozenset(), frozenset()),
    )
    found = {one.event_id: one for one in EVENTS}
    asks = Proposal("support-bot", "wkfl_support-bot", BEFORE, AFTER, 6, same_cycle=True)
    now, then = labelled(groups, {**found, "evt_gone": None}, asks)
    review = loosening(EVENTS)
    one = replace(replayed(EVENTS), labelled_before=now, labelled_after=then)
    return plan(replace(review, replays=(one, *review.replays[1:]))), bad, good


def test_what_labels_say() -> None:
    """Caught, false alarms and right flags: counted one by one, with the interval that halving finds."""
    page, bad, good = with_labels()
    expected: dict[str, list[str]] = {"caught": [], "false alarms": [], "flags that are right": []}
    for thresholds in (BEFORE, AFTER):
        told = {event.event_id: flagged(event, thresholds) for event in EVENTS}
        caught = [bool(told[at]) for at in bad if told[at] is not None]
        alarms = [bool(told[at]) for at in good if told[at] is not None]
        assert len(alarms) < len(good), "one has no score that could tell"
        of_flags = (sum(caught), sum(caught) + sum(alarms))
        parts = ((sum(caught), len(caught)), (sum(alarms), len(alarms)), of_flags)
        for name, (hits, of) in zip(expected, parts, strict=True):
            assert of >= 10
            low, high = (f"{100 * each:.0f}" for each in wilson(hits, of))
            share = f"{float(100 * Fraction(hits, of)):.0f}"
            expected[name].append(f"{share} % ({hits} of {of}, 95 %: {low} to {high} %)")
    table = [each for each in rows(page) if each[0] in expected]
    assert table[:3] == [[name, *cells] for name, cells in expected.items()]
    known = sorted(bad)[:5]
    counts = [
        sum(bool(flagged(e, thresholds)) for e in EVENTS if e.event_id in known)
        for thresholds in (BEFORE, AFTER)
    ]
    assert table[3] == ["caught", *(f"{n} of 5" for n in counts)]
    assert "1 missing (404)" in page
