"""YAML text → where each key and value begins and ends in it.

Only for text that the loader has read without an error: depth and aliases are not bounded here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import yaml

from defendctl.yamltext.surrogates import events

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_BREAKS = re.compile(r"(?:\r\n|\r|\n)(?:[ \t]*(?:\r\n|\r|\n))*\Z")
_BREAK = re.compile(r"(?:\r\n|\r|\n)\Z")


@dataclass(slots=True)
class Mark:
    """A key or a value at `text[start:end]`, its anchor with it and the line break after it not."""

    kind: Literal["scalar", "alias", "map", "list"]
    start: int
    end: int
    text: str = ""
    """What a scalar says, or the name of an alias."""
    style: str = ""
    """Of a scalar: a quote, `|` or `>`."""
    anchor: str | None = None
    flow: bool = False
    pairs: Sequence[tuple[Mark, Mark]] = ()
    items: Sequence[Mark] = ()
    tied: bool = False
    """Whether it must not change places: it holds an anchor, an alias or text that keeps its blank lines."""
    anchors: bool = False
    """Whether it holds an anchor."""

    def pair(self, key: str) -> tuple[Mark, Mark] | None:
        return next((pair for pair in self.pairs if pair[0].text == key), None)

    def get(self, key: str) -> Mark | None:
        pair = self.pair(key)
        return pair[1] if pair else None


def compose(text: str) -> list[Mark]:
    """The root of each document that is not empty, in their order."""
    roots: list[Mark] = []
    stack: list[tuple[Mark, list[Mark]]] = []
    for event in events(text):
        match event:
            case yaml.ScalarEvent() | yaml.AliasEvent():
                mark = _leaf(event, text)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                stack.append((_opened(event), []))
                continue
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                mark = _closed(*stack.pop(), event)
            case _:
                continue
        (stack[-1][1] if stack else roots).append(mark)
    return [root for root in roots if not (root.kind == "scalar" and root.start == root.end)]


def leaves(mark: Mark) -> Iterator[Mark]:
    """Every scalar and alias in it, as they stand in the text."""
    if mark.kind in ("scalar", "alias"):
        yield mark
    for one in (one for pair in mark.pairs for one in pair) if mark.kind == "map" else mark.items:
        yield from leaves(one)


def _opened(event: Any) -> Mark:
    kind: Literal["map", "list"] = "map" if isinstance(event, yaml.MappingStartEvent) else "list"
    start = event.start_mark.index
    return Mark(kind, start, start, anchor=event.anchor, flow=event.flow_style)


def _closed(mark: Mark, children: list[Mark], event: Any) -> Mark:
    """libyaml ends a block where the next token begins; ours ends with its last value."""
    mark.end = event.end_mark.index if mark.flow else children[-1].end
    mark.anchors = mark.anchor is not None or any(child.anchors for child in children)
    mark.tied = mark.anchors or any(child.tied for child in children)
    if mark.kind == "map":
        mark.pairs = list(zip(children[::2], children[1::2], strict=True))
    else:
        mark.items = children
    return mark


def _leaf(event: Any, text: str) -> Mark:
    start, end = event.start_mark.index, event.end_mark.index
    if isinstance(event, yaml.AliasEvent):
        return Mark("alias", start, end, str(event.anchor), tied=True)
    style, anchored = event.style or "", event.anchor is not None
    is_block = style in ("|", ">")
    keeps = is_block and "+" in text[start:end].splitlines()[0].partition("#")[0]
    if is_block:  # blank lines after it are not its own, unless `+` says so
        end = start + len((_BREAK if keeps else _BREAKS).sub("", text[start:end]))
    tied = anchored or keeps
    return Mark("scalar", start, end, event.value, style, event.anchor, tied=tied, anchors=anchored)
