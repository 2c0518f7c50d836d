"""A value with its place, and a document of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from defendctl.diagnostics import Span

KeyPath = tuple[str | int, ...]
"""From the root of a document to a value: keys and indices."""

Place = int
"""Line and column in one number, for there are as many as keys and values; above them the number of the file,
0 for the document's own."""
LINE = 1 << 24  # more columns than a file has bytes
FILE = LINE << 24  # more lines too

_NONE: dict[Any, Any] = {}  # never written to; scalars are many, so they share it


class Node:
    """A value with its place. What is in a collection is shared with every alias of it."""

    __slots__ = ("alias", "data", "items", "keys", "place", "plain", "size", "text")

    def __init__(self, data: Any, place: Place, text: str | None = None, plain: bool = False) -> None:
        self.data = data
        self.place = place
        self.text = text  # of a scalar
        self.plain = plain  # a scalar without quotes
        self.items: dict[Any, Node] = _NONE  # key or index → value
        self.keys: dict[str, Place] = _NONE
        self.size = 1  # nodes in it, counted through aliases
        self.alias = False

    @classmethod
    def collection(cls, data: Any, place: Place) -> Node:
        node = cls(data, place)
        node.items, node.keys = {}, {}
        return node

    def at(self, place: Place) -> Node:
        """An alias of this that stands at `place`."""
        node = Node(self.data, place, self.text)
        node.items, node.keys, node.size, node.alias = self.items, self.keys, self.size, True
        return node


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document: `data` is plain Python with string keys."""

    file: str
    data: Any
    root: Node
    others: tuple[str, ...] = ()
    """The files whose values were laid over it: the first is number 1 in a place."""

    def span(self, path: tuple[str | int, ...], key: bool = False) -> Span:
        """Where the value at `path` (or its key) stands; failing that, the nearest value around it."""
        node, place = self.root, self.root.place
        for step in path:
            if step not in node.items:
                return span_of(self.file, node.place, self.others)
            parent, node = node, node.items[step]
            place = parent.keys.get(str(step), node.place) if key else node.place
        return span_of(self.file, place, self.others)


def span_of(file: str, place: Place, others: tuple[str, ...] = ()) -> Span:
    if place >= FILE:
        number, place = divmod(place, FILE)
        file = others[number - 1]
    return Span(file, *divmod(place, LINE))
