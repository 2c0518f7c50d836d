"""What a label file may hold: ids and words of ours, and no other key, so that no content slips in."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from defendctl.replay.labels import LONGEST_BY
from defendctl.schema.fields import NOT_BLANK, Count, Item, Model, Text, Version


class LabelFile(Model):
    """One document; each block is checked by itself in `label_files`."""

    version: Version
    labels: list[Any]


class LabelWindow(Model):
    """What was drawn from. That these are times is checked in `label_files`."""

    from_: Text = Field(alias="from")
    to: Text
    events: Count


class LabelEntry(Model):
    """One block; that its ids are ids is checked in `label_files`."""

    workflow: Text
    drawn: Literal["uniform", "flagged", "found"]
    window: LabelWindow = LabelWindow.model_construct()
    by: Annotated[str, Field(pattern=NOT_BLANK, max_length=LONGEST_BY)] = ""
    metric: Text = ""
    should_be_flagged: list[Item] = []
    should_pass: list[Item] = []
    unsure: list[Item] = []
