"""The tables in docs/tune.md: what so many events can prove, and how often a gate lets too much pass."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from defendctl.evidence.bounds import at_most
from defendctl.policy.flag_rate import judge_flag_rate
from defendctl.policy.rules import FlagRate
from defendctl.replay.replay import Replay, Together, wilson

PAGE = (Path(__file__).parents[2] / "docs" / "tune.md").read_text()
SHARES = (0.5, 0.8, 1.0, 1.25)


def cells(pattern: str) -> list[list[str]]:
    """The rows of a table that begin so."""
    rows = [line for line in PAGE.splitlines() if re.match(pattern, line)]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


NEEDED = cells(r"\| \d+ % \| \d+ events")
POWER = cells(r"\| \d+% \|")


def passes(flagged: int, events: int, limit: float | FlagRate) -> bool:
    after = Together(events, 0, flagged, wilson(flagged, events))
    seen = Replay("a", "w", events, events, events=events, after=after, needed=20)
    return not list(judge_flag_rate(seen, limit))


def chance(events: int, rate: float, limit: float | FlagRate) -> float:
    """How probably the gate passes: by asking the gate of each number of flags."""
    each = range(events + 1)
    return sum(
        at_most(k, events, rate) - at_most(k - 1, events, rate) for k in each if passes(k, events, limit)
    )


@pytest.mark.parametrize("row", NEEDED, ids=" ".join)
def test_the_fewest_events(row: list[str]) -> None:
    limit = float(row[0].split()[0]) / 100
    for cell, confidence in zip(row[1:], (0.95, 0.99), strict=True):
        events = int(cell.split()[0])
        exact = FlagRate(limit, confidence)
        assert exact.needs == events
        assert passes(0, events, exact)
        assert not passes(0, events - 1, exact)
        assert not passes(1, events, exact)


@pytest.mark.parametrize("row", POWER, ids=" ".join)
def test_how_often_a_rate_passes(row: list[str]) -> None:
    limit, events, allowed = float(row[0].strip("%")) / 100, int(row[1]), int(row[2])
    exact = FlagRate(limit, 0.95)
    assert exact.allows(events) == allowed
    said = [f"{chance(events, limit * share, exact):.1%}" for share in SHARES]
    assert [*said, f"{chance(events, limit * 1.25, limit):.1%}"] == row[3:]
    assert chance(events, limit, exact) <= 0.05


def test_both_tables_are_there() -> None:
    assert (len(NEEDED), len(POWER)) == (4, 12)
