"""What goes into a list or a mapping and what comes out of it, each on its own line where it has one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from defendctl.yamltext.splice import (
    Splice,
    has_comment,
    indent,
    is_blank,
    is_comment,
    line_break,
    line_end,
    line_start,
    next_line,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from defendctl.yamltext.marks import Mark


_DASH = re.compile(r"[ \t]*-[ \t]+")


class NoPlace(Exception):
    """The layout has no line of its own for it; carries why."""


Extent = tuple[int, int]


def extents(node: Mark) -> list[Extent]:
    """From where to where each item or pair goes."""
    if node.kind == "map":
        return [(key.start, max(key.end, value.end)) for key, value in node.pairs]
    return [(item.start, item.end) for item in node.items]


def changed_items(text: str, node: Mark, removed: Collection[int], added: Sequence[str]) -> Iterator[Splice]:
    """`removed` are indexes, `added` spelt items or pairs. Raises NoPlace.

    A block must keep something, for there is no empty one.
    """
    entries = extents(node)
    if node.flow:
        yield from _flow(text, node, entries, removed, added)
        return
    prefixes = [_prefix(text, node, start) for start, _ in entries]
    for index in sorted(removed):
        yield _line(text, *entries[index])
    if added:
        yield _after(text, entries[-1], [prefixes[-1] + one for one in added])


def _prefix(text: str, node: Mark, start: int) -> str:
    before = text[line_start(text, start) : start]
    if (before.strip(" \t") == "") if node.kind == "map" else _DASH.fullmatch(before):
        return before
    raise NoPlace("its neighbours are not on lines of their own")


def _line(text: str, start: int, end: int) -> Splice:
    """The whole lines of an entry; at the end of the text with the line break before them."""
    first, after = line_start(text, start), next_line(text, end)
    if after == line_end(text, end):
        first -= 1 + (text[first - 2 : first] == "\r\n")
    return Splice(first, after, "")


def _after(text: str, entry: Extent, lines: list[str]) -> Splice:
    """Below the last entry."""
    new, at = line_break(text), next_line(text, entry[1])
    if at == line_end(text, entry[1]):  # the text ends here, without a line break
        return Splice(at, at, "".join(new + line for line in lines))
    return Splice(at, at, "".join(line + new for line in lines))


def _flow(
    text: str, node: Mark, entries: list[Extent], removed: Collection[int], added: Sequence[str]
) -> Iterator[Splice]:
    kept = [i for i in range(len(entries)) if i not in removed]
    if not kept:
        inner = text.index("{" if node.kind == "map" else "[", node.start) + 1
        first, last = (entries[0][0], entries[-1][1]) if entries else (inner, inner)
        if has_comment(text[inner : node.end]):
            raise NoPlace("there are comments between the lines that would be removed")
        yield Splice(first, last, ", ".join(added))
        return
    tail = [i for i in sorted(removed) if i > kept[-1]]
    for index in sorted(set(removed) - set(tail)):
        yield _cut(text, entries, index)
    if tail:
        yield from _cut_tail(text, node, entries, kept[-1], tail)
    if added:
        at = entries[kept[-1]][1]
        yield Splice(at, at, "".join(", " + one for one in added))


def _cut_tail(
    text: str, node: Mark, entries: list[Extent], last_kept: int, tail: list[int]
) -> Iterator[Splice]:
    """The comma before the first of them goes too, but where a comment stands behind it."""
    begin, end = entries[last_kept][1], entries[-1][1]
    if not has_comment(text[begin:end]) and "," not in text[end : node.end]:
        yield Splice(begin, end, "")
    else:
        yield from (_cut(text, entries, index) for index in tail)


def _cut(text: str, entries: list[Extent], index: int) -> Splice:
    """One entry with the comma after it; its whole line where nothing else stands there."""
    start, end = entries[index]
    comma = re.compile(r"[ \t]*,[ \t]*|").match(text, end)
    assert comma
    end = comma.end()
    rest = text[end : line_end(text, end)]
    if indent(text, start) is not None and (is_blank(rest) or is_comment(rest)):
        return Splice(line_start(text, start), next_line(text, end), "")
    if not comma[0]:
        raise NoPlace("its neighbours cannot be told apart")
    return Splice(start, end, "")
