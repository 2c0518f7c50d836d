"""A sample of events as a label file, to be filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.replay.labels import LABELS
from defendctl.yamltext.spell import scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from defendctl.replay.labels import LabelBlock


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
