"""A YAML file → documents that know where each key and value stands.

Own composition over libyaml's events, with a stack instead of recursion: libyaml's composer crashes on deep
nesting, reads YAML 1.1, keeps the last of two equal keys in silence and expands aliases without bounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from defendctl.process import uncollected
from defendctl.yamltext import source
from defendctl.yamltext.node import LINE, Document, Node, Place, span_of
from defendctl.yamltext.quote import kind_of
from defendctl.yamltext.report import Report, Stop
from defendctl.yamltext.scalars import LONGEST_NUMBER, plain
from defendctl.yamltext.surrogates import events
from defendctl.yamltext.syntax import refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from defendctl.diagnostics import Diagnostic, Span


MAX_DEPTH = 100
MAX_EXPANSION = 100_000
MAX_WEIGHT = 420_000
"""Keys and values count one, collections and documents more: what they cost in memory. Ten thousand
workflows with every field fit; 8 MiB of `[],[],[],…` would take two gigabytes."""
_WEIGHTS = {
    yaml.ScalarEvent: 1,
    yaml.AliasEvent: 1,
    yaml.MappingStartEvent: 3,
    yaml.SequenceStartEvent: 3,
    yaml.DocumentStartEvent: 3,
}


def load(path: Path, shown: str) -> tuple[list[Document], list[Diagnostic]]:
    """The documents of a file and what is wrong with its YAML; never raises for what a file may hold.

    A file that cannot be read to its end gives no documents. Empty documents are left out.
    """
    report = Report(shown)
    documents: list[Document] = []
    with report.stopping(), uncollected():
        documents = _compose(source.read(path, shown), report)
    return documents, report.diagnostics


def loads(text: str, shown: str) -> tuple[list[Document], list[Diagnostic]]:
    """The same of a text without byte order mark, which is not read from anywhere."""
    report = Report(shown)
    documents: list[Document] = []
    with report.stopping(), uncollected():
        documents = _compose(text, report)
    return documents, report.diagnostics


def _compose(text: str, report: Report) -> list[Document]:
    composer = _Composer(report)
    for event in _events(text, composer):
        composer.feed(event)
    return composer.documents


def _events(text: str, composer: _Composer) -> Iterator[yaml.Event]:
    try:
        yield from events(text)
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise refusal(error, text, composer.span(composer.last)) from error


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come yet; for a mapping also the key that waits for its value."""

    node: Node
    anchor: str | None
    key: Node | None = None
    merged: Node | None = None


class _Composer:
    def __init__(self, report: Report) -> None:
        self.documents: list[Document] = []
        self.last: Place = LINE + 1
        self._report = report
        self._stack: list[_Open] = []
        self._anchors: dict[str, Node | None] = {}  # None while the anchored collection is open
        self._expanded = 0
        self._weight = 0
        self._handlers: dict[type, Callable[[Any], None]] = {
            yaml.DocumentStartEvent: lambda event: self._anchors.clear(),
            yaml.ScalarEvent: self._scalar,
            yaml.AliasEvent: self._alias,
            yaml.MappingStartEvent: lambda event: self._start(event, {}),
            yaml.SequenceStartEvent: lambda event: self._start(event, []),
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
        }

    def span(self, place: Place) -> Span:
        return span_of(self._report.file, place)

    def feed(self, event: Any) -> None:
        mark = event.start_mark
        self.last = (mark.line + 1) * LINE + mark.column + 1
        self._weight += _WEIGHTS.get(type(event), 0)
        if self._weight > MAX_WEIGHT:
            message = "This file holds more keys and values than are read from one file; split it."
            raise Stop("too-many-values", message, self.span(self.last))
        handler = self._handlers.get(type(event))
        if handler:
            handler(event)

    def _error(self, code: str, message: str, place: Place) -> None:
        self._report.error(code, message, self.span(place))

    def _scalar(self, event: Any) -> None:
        self._refuse_tag(event.tag)
        is_plain = not event.style and event.tag is None
        node = Node(event.value, self.last, text=event.value, plain=is_plain)
        if is_plain and (event.anchor or not self._expects_key()):
            node.data = self._value(event.value)
            if self._stack and not (event.anchor or isinstance(node.data, str)):
                node.text = None  # no key will be made of it
        if event.anchor:
            self._anchors[event.anchor] = node
        self._add(node)

    def _value(self, text: str) -> Any:
        try:
            return plain(text)
        except ValueError:
            message = (
                f"This number has more than {LONGEST_NUMBER} characters; put it in quotes if it is text."
            )
            self._error("yaml-number", message, self.last)
            return None

    def _alias(self, event: Any) -> None:
        target = self._target(event.anchor)
        self._expand(target.size)
        self._add(target.at(self.last))

    def _target(self, name: str) -> Node:
        target = self._anchors.get(name)
        if target is not None:
            return target
        if name in self._anchors:
            self._error("yaml-recursive-alias", "This alias is inside its own anchor.", self.last)
        else:
            message = "There is no anchor of this name before this alias."
            self._error("yaml-undefined-alias", message, self.last)
        return Node({}, self.last, text="")  # fits as key, value and under `<<`: one error is enough

    def _expand(self, size: int) -> None:
        """Counted before anything is copied, so an alias bomb never goes off."""
        self._expanded += size
        if self._expanded > MAX_EXPANSION:
            message = f"The aliases of this file expand to more than {MAX_EXPANSION:,} values."
            raise Stop("yaml-alias-bomb", message, self.span(self.last))

    def _start(self, event: Any, data: Any) -> None:
        if len(self._stack) >= MAX_DEPTH:
            message = f"This is nested more than {MAX_DEPTH} levels deep."
            raise Stop("yaml-too-deep", message, self.span(self.last))
        self._refuse_tag(event.tag)
        if event.anchor:
            self._anchors[event.anchor] = None
        self._stack.append(_Open(Node.collection(data, self.last), event.anchor))

    def _end(self, event: Any) -> None:
        closed = self._stack.pop()
        if closed.merged:
            self._merge(closed.node, closed.merged)
        if closed.anchor:
            self._anchors[closed.anchor] = closed.node
        self._add(closed.node)

    def _refuse_tag(self, tag: str | None) -> None:
        if tag is not None:
            self._error("yaml-tag", "Tags (`!…`) are not supported; write the value without one.", self.last)

    def _expects_key(self) -> bool:
        return (
            bool(self._stack) and self._stack[-1].key is None and isinstance(self._stack[-1].node.data, dict)
        )

    def _add(self, node: Node) -> None:
        if not self._stack:
            self._finish(node)
            return
        parent = self._stack[-1]
        parent.node.size += node.size
        if isinstance(parent.node.data, list):
            parent.node.items[len(parent.node.data)] = node
            parent.node.data.append(node.data)
        elif parent.key is None:
            parent.key = node
        else:
            key, parent.key = parent.key, None
            self._pair(parent, key, node)

    def _pair(self, parent: _Open, key: Node, value: Node) -> None:
        name = key.text
        if name is None:
            self._error("yaml-key", f"A key must be text, found {kind_of(key.data)}.", key.place)
        elif name in parent.node.keys:
            first = parent.node.keys[name] // LINE
            message = f"This key is repeated; the first is on line {first}."
            self._error("duplicate-key", message, key.place)
        else:
            parent.node.keys[name] = key.place
            if name == "<<" and key.plain:
                parent.merged = value
            else:
                parent.node.items[name] = value
                parent.node.data[name] = value.data

    def _merge(self, target: Node, value: Node) -> None:
        """`<<`: the keys of a mapping, or of each in a list, that `target` does not have itself."""
        target.keys.pop("<<")
        for other in value.items.values() if isinstance(value.data, list) else (value,):
            if not isinstance(other.data, dict):
                message = f"`<<` takes a mapping or a list of mappings, found {kind_of(other.data)}."
                self._error("yaml-merge", message, other.place)
                continue
            if not (other.alias or value.alias):  # those were counted as aliases
                self._expand(len(other.items))
            for name, item in other.items.items():
                if name not in target.items:
                    target.items[name], target.keys[name] = item, other.keys[name]
                    target.data[name] = item.data

    def _finish(self, root: Node) -> None:
        empty = root.plain and root.text == ""
        if not empty:
            self.documents.append(Document(self._report.file, root.data, root))
