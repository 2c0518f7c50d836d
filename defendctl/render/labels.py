"""Labels: a sample of events as a label file, and what labels say of the flags of both sides, in words that
text and Markdown share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from defendctl.render.inert import inert
from defendctl.replay.labels import LABELS
from defendctl.yamltext.spell import scalar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from defendctl.replay.labels import Hits, LabelBlock, Labelled
    from defendctl.replay.replay import Replay

Row = tuple[str, str, str]
"""What it is, today, and under the plan."""

DRAWN: Final = {
    "uniform": "drawn by lot",
    "flagged": "drawn by lot from the flagged ones",
    "found": "known cases",
}


TALLIES: Final[tuple[tuple[Literal["caught", "false_alarms", "right"], str], ...]] = (
    ("caught", "caught"),
    ("false_alarms", "false alarms"),
    ("right", "flags that are right"),
)
UNTOLD: Final = frozenset({("flagged", "caught"), ("flagged", "false_alarms"), ("found", "right")})
"""A draw from the flagged ones says nothing of those that were not; found cases say nothing of others."""


def labelled_rows(one: Replay) -> Iterator[tuple[str, list[Row]]]:
    """One for each way of drawing: what it is about, and its rows."""
    for now, then in zip(one.labelled_before, one.labelled_after, strict=True):
        yield _heading(now, then), list(_rows(now, then))


def _heading(now: Labelled, then: Labelled) -> str:
    unknown = max(now.unknown, then.unknown)
    return heading(now.drawn, now.metric, now.unsure, now.missing, now.unread, unknown)


def heading(drawn: str, metric: str | None, unsure: int, missing: int, unread: int, unknown: int) -> str:
    """Of one group of labels: how it was drawn, and what of it is not counted."""
    of = f" of {inert(metric)}" if metric else ""
    left = (
        (unsure, "unsure"),
        (missing, "missing (404)"),
        (unread, "not read, so there are no rates"),
        (unknown, "without a score that could tell"),
    )
    told = "".join(f", {n} {what}" for n, what in left if n)
    return f"labels{of}, {DRAWN.get(drawn, inert(drawn))}{told}"


def _rows(now: Labelled, then: Labelled) -> Iterable[Row]:
    for key, name in TALLIES:
        if (now.drawn, key) not in UNTOLD:
            yield name, _hits(getattr(now, key)), _hits(getattr(then, key))


def _hits(one: Hits) -> str:
    return hits(one.hits, one.of, one.interval)


def hits(count: int, of: int, interval: Sequence[float] | None) -> str:
    """`85 % (11 of 13, 95 %: 58 to 96 %)`, or the count alone where there is no rate."""
    if not of:
        return "none"
    if interval is None:
        return f"{count} of {of}"
    least, most = interval
    return f"{100 * count / of:.0f} % ({count} of {of}, 95 %: {100 * least:.0f} to {100 * most:.0f} %)"


def label_file(block: LabelBlock, remark: str) -> str:
    """One document with one block; an id that is no plain word is quoted. `remark` is a line of our own."""
    return "\n".join([f"# {remark}", "version: 1", "labels:", *_block(block)]) + "\n"


def _block(block: LabelBlock) -> Iterator[str]:
    yield f"  - workflow: {scalar(block.address)}"
    yield f"    drawn: {block.drawn}"
    if block.window:
        of = block.window
        yield f"    window: {{from: {of.since}, to: {of.until}, events: {of.events}}}"
    for label in LABELS:
        ids = getattr(block, label)
        yield f"    {label}:" if ids else f"    {label}: []"
        yield from (f"      - {scalar(event_id)}" for event_id in ids)
