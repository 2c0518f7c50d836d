"""Labels: a sample of events as a label file, and what labels say of the flags of both sides, in words that
text and Markdown share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from defendctl.render.inert import inert
from defendctl.replay.labels import LABELS
from defendctl.yamltext.spell import scalar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from defendctl.replay.labels import Hits, LabelBlock, Labelled
    from defendctl.replay.replay import Replay

Row = tuple[str, str, str]
"""What it is, today, and under the plan."""

_DRAWN: Final = {
    "uniform": "drawn by lot",
    "flagged": "drawn by lot from the flagged ones",
    "found": "known cases",
}


def labelled_rows(one: Replay) -> Iterator[tuple[str, list[Row]]]:
    """One for each way of drawing: what it is about, and its rows."""
    for now, then in zip(one.labelled_before, one.labelled_after, strict=True):
        yield _heading(now, then), list(_rows(now, then))


def _heading(now: Labelled, then: Labelled) -> str:
    of = f" of {inert(now.metric)}" if now.metric else ""
    left = (
        (now.unsure, "unsure"),
        (now.missing, "missing (404)"),
        (now.unread, "not read, so there are no rates"),
        (max(now.unknown, then.unknown), "without a score that could tell"),
    )
    told = "".join(f", {n} {what}" for n, what in left if n)
    return f"labels{of}, {_DRAWN[now.drawn]}{told}"


def _rows(now: Labelled, then: Labelled) -> Iterable[Row]:
    """A draw from the flagged ones says nothing of those that were not."""
    if now.drawn != "flagged":
        yield "caught", hits(now.caught), hits(then.caught)
        yield "false alarms", hits(now.false_alarms), hits(then.false_alarms)
    if now.drawn != "found":
        yield "flags that are right", hits(now.right), hits(then.right)


def hits(one: Hits) -> str:
    """`85 % (11 of 13, 95 %: 58 to 96 %)`, or the count alone where there is no rate."""
    if not one.of:
        return "none"
    told = f"{one.hits} of {one.of}"
    if one.interval is None:
        return told
    least, most = one.interval
    return f"{100 * one.hits / one.of:.0f} % ({told}, 95 %: {100 * least:.0f} to {100 * most:.0f} %)"


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
