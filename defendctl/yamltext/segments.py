"""A mapping in a block → its keys with the lines that belong to each.

To a key belong the comments right above it, the rest of its last line, and comments after it that stand
deeper than it does. Blank lines between keys belong to none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from defendctl.yamltext.splice import indent, is_blank, is_comment, line_end, line_start, next_line

if TYPE_CHECKING:
    from defendctl.yamltext.marks import Mark


@dataclass(frozen=True, slots=True)
class Segment:
    """`text[start:end]`: whole lines, but for the last line break."""

    key: Mark
    value: Mark
    start: int
    end: int


def segments(text: str, mapping: Mark, floor: int, *, keep_top: bool = False) -> list[Segment] | None:
    """One for each key; None where a key does not begin its line, as after `?`.

    Nothing before `floor` belongs to the first key; with `keep_top` no comment above it does.
    """
    if any(indent(text, key.start) is None for key, _ in mapping.pairs):
        return None
    found: list[Segment] = []
    for key, value in mapping.pairs:
        start = line_start(text, key.start)
        if found or not keep_top:
            start = _with_comments(text, start, found[-1].end if found else floor)
        found.append(Segment(key, value, start, _end(text, key, value)))
    return found


def _with_comments(text: str, start: int, floor: int) -> int:
    """Upwards, as long as there are comments and nothing else."""
    while start > floor:
        above = line_start(text, start - 1 - (text[start - 2 : start] == "\r\n"))
        if above <= floor or not is_comment(text[above:start]):
            return start
        start = above
    return start


def _end(text: str, key: Mark, value: Mark) -> int:
    """Downwards, as long as there are comments that stand deeper; blank lines between those too."""
    column = key.start - line_start(text, key.start)
    end = line_end(text, max(key.end, value.end))
    at = next_line(text, end)
    while at < len(text):
        line = text[at : line_end(text, at)]
        deeper = is_comment(line) and len(line) - len(line.lstrip(" \t")) > column
        if deeper:
            end = at + len(line)
        elif not is_blank(line):
            break
        at = next_line(text, at)
    return end
