"""The parts of a report. Words of ours are `str`; whatever else stands in them is marked, and each format
makes it harmless in its own way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from defendctl.render.inert import value

if TYPE_CHECKING:
    from defendctl.render.page.chart import Chart


@dataclass(frozen=True, slots=True)
class Foreign:
    """Text from outside: names, values, ids, what others wrote."""

    text: str


@dataclass(frozen=True, slots=True)
class Badge:
    """One of our own words that weighs something: a direction, a verdict."""

    word: str
    tone: str
    """One of TONES."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """To the section of this name on the same page, where that is there."""

    text: Foreign
    to: str


TONES: Final = ("bad", "unsure", "good", "plain")
Piece = str | Foreign | Badge | Anchor
Words = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    words: Words


@dataclass(frozen=True, slots=True)
class Points:
    items: tuple[Words, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Terms and what they are."""

    rows: tuple[tuple[str, Words], ...]


@dataclass(frozen=True, slots=True)
class Table:
    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[Words, ...], ...]


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Text from outside that has lines."""

    text: str


@dataclass(frozen=True, slots=True)
class Ids:
    """What is long, and folded where that can be."""

    what: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """The scores of one metric, and how often each threshold would flag."""

    chart: Chart


@dataclass(frozen=True, slots=True)
class Part:
    title: Words
    blocks: tuple[Block, ...]
    name: str = ""
    """What a Anchor may lead to."""
    card: bool = False
    """Of one workflow."""


Block = Paragraph | Points | Facts | Table | Verbatim | Ids | Picture | Part


@dataclass(frozen=True, slots=True)
class Page:
    kind: str
    title: str
    headline: Words
    blocks: tuple[Block, ...]


_TONES: Final = {
    "loosens": "bad",
    "indeterminate": "unsure",
    "lateral": "plain",
    "tightens": "good",
    "none": "plain",
}


def shown(data: Any) -> Foreign:
    """A field's value."""
    return Foreign(value(data))


def way(direction: str) -> Badge:
    return Badge(direction, _TONES.get(direction, "plain"))


def joined(parts: tuple[Words, ...], between: str) -> Words:
    """All of them in one sentence."""
    told: list[Piece] = []
    for part in parts:
        told += [between, *part] if told else part
    return tuple(told)
