"""What labels say of flags: a law against a count done the slow way, and where no rate may be given."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defendctl.event import Scored
from defendctl.replay.labelled import labelled
from defendctl.replay.labels import LABELS, Hits, LabelBlock, Labelled, label_groups
from defendctl.replay.replay import Proposal, wilson

IDS = [f"evt_{n}" for n in range(30)]
BARS = st.fixed_dictionaries({"m": st.sampled_from([0.0, 0.3, 0.5, 1.0])})
SCORE = st.sampled_from([None, 0.0, 0.3, 0.4, 0.5, 1.0, True, False])


def one(
    block: LabelBlock, found: dict[str, Scored | None], before: Any, after: Any
) -> tuple[Labelled, Labelled]:
    (now,), (then,) = labelled(label_groups([block], "a"), found, Proposal("a", "w", before, after, 1, True))
    return now, then


def event(event_id: str, score: float | None) -> Scored:
    return Scored(event_id, None, None, {"m": score})


def block(drawn: Any, bad: list[str], good: list[str], **more: Any) -> LabelBlock:
    return LabelBlock("a", drawn, tuple(bad), tuple(good), **more)


@given(st.data(), BARS, BARS, st.sampled_from(["uniform", "flagged", "found"]))
def test_it_counts_as_one_would_by_hand(data: st.DataObject, before: Any, after: Any, drawn: str) -> None:
    labels = {i: data.draw(st.sampled_from([*LABELS, None])) for i in IDS}
    scores = {i: data.draw(SCORE) for i in IDS}
    found = {i: data.draw(st.sampled_from([event(i, scores[i]), None])) for i in IDS}
    lists: Any = {label: tuple(i for i in IDS if labels[i] == label) for label in LABELS}
    sides = one(LabelBlock("a", drawn, **lists), found, before, after) if any(lists.values()) else ()  # type: ignore[arg-type]
    for side, bar in zip(sides, (before["m"], after["m"]), strict=False):
        tally: Counter[tuple[Any, Any]] = Counter()
        for i in IDS:
            score = scores[i] if found[i] else "gone"
            flagged = (
                score if score in ("gone", None) else (not score if isinstance(score, bool) else score < bar)
            )
            tally[labels[i], flagged] += 1
        bad, good = "should_be_flagged", "should_pass"
        assert (side.caught.hits, side.caught.of) == (tally[bad, True], tally[bad, True] + tally[bad, False])
        assert (side.false_alarms.hits, side.false_alarms.of) == (
            tally[good, True],
            tally[good, True] + tally[good, False],
        )
        assert (side.right.hits, side.right.of) == (tally[bad, True], tally[bad, True] + tally[good, True])
        assert side.unknown == tally[bad, None] + tally[good, None]
        assert side.missing == sum(tally[label, "gone"] for label in LABELS)
        assert side.unsure == len(lists["unsure"])
        assert side.unread == 0


SCORES = {**{i: event(i, 0.2) for i in IDS[:15]}, **{i: event(i, 0.9) for i in IDS[15:]}}
TODAY = {"m": 0.5}


@pytest.mark.parametrize(
    ("drawn", "after", "rated_now", "rated_then"),
    [
        ("uniform", 0.9, {"caught", "false_alarms", "right"}, {"caught", "false_alarms", "right"}),
        ("flagged", 0.4, {"right"}, {"right"}),
        ("flagged", 0.95, {"right"}, set()),
        ("found", 0.4, set(), set()),
    ],
    ids=["by lot", "flagged, looser", "flagged, stricter: others are flagged too", "found"],
)
def test_a_rate_is_given_only_where_the_draw_allows_one(
    drawn: str, after: float, rated_now: set[str], rated_then: set[str]
) -> None:
    now, then = one(block(drawn, IDS[:12], IDS[12:]), {**SCORES}, TODAY, {"m": after})
    for side, rated in ((now, rated_now), (then, rated_then)):
        names = ("caught", "false_alarms", "right")
        assert {name for name in names if getattr(side, name).interval} == rated
        for name in rated:
            told: Hits = getattr(side, name)
            assert told.interval == wilson(told.hits, told.of)


def test_of_fewer_than_ten_there_is_no_rate() -> None:
    for count in (9, 10):
        now, _ = one(block("uniform", IDS[:count], []), {**SCORES}, TODAY, TODAY)
        assert (now.caught.interval is not None) == (count == 10)


def test_events_that_were_not_read_leave_no_rate() -> None:
    found = {i: SCORES[i] for i in IDS[:-1]}
    now, _ = one(block("uniform", IDS[:12], IDS[12:]), {**found}, TODAY, TODAY)
    assert now.unread == 1
    assert now.caught.interval is None


def test_a_label_of_a_metric_is_held_against_that_metric() -> None:
    found: dict[str, Scored | None] = {"e": Scored("e", None, None, {"m": 0.9, "other": 0.1})}
    whole, _ = one(block("found", ["e"], []), found, {"m": 0.5, "other": 0.5}, TODAY)
    alone, _ = one(block("found", ["e"], [], metric="m"), found, {"m": 0.5, "other": 0.5}, TODAY)
    gone, _ = one(block("found", ["e"], [], metric="none"), found, TODAY, TODAY)
    assert (whole.caught.hits, alone.caught.hits, gone.caught) == (1, 0, Hits(0, 1))
