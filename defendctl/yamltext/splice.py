"""Text with some parts of it replaced; everything else stays as it is, byte for byte."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from defendctl.yamltext.marks import leaves

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from defendctl.yamltext.marks import Mark


_BREAK = re.compile(r"\r\n|\r|\n")
_COMMENT = re.compile(r"#[^\r\n]*")
_BLANK = " \t"


@dataclass(frozen=True, slots=True)
class Splice:
    """`text[start:end]` gives way to `new`."""

    start: int
    end: int
    new: str


def spliced(text: str, splices: Iterable[Splice]) -> str:
    """They must not overlap; of several at one place the first comes first."""
    parts, at = [], 0
    for splice in sorted(splices, key=lambda one: (one.start, one.end)):
        parts += [text[at : splice.start], splice.new]
        at = splice.end
    return "".join([*parts, text[at:]])


def line_start(text: str, at: int) -> int:
    return max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1


def line_end(text: str, at: int) -> int:
    """Before the line break."""
    found = _BREAK.search(text, at)
    return found.start() if found else len(text)


def next_line(text: str, at: int) -> int:
    """After the line break, or the end of the text."""
    found = _BREAK.search(text, at)
    return found.end() if found else len(text)


def line_break(text: str) -> str:
    """As the text has them."""
    found = _BREAK.search(text)
    return found[0] if found else "\n"


def line_number(text: str, at: int) -> int:
    return sum(1 for _ in _BREAK.finditer(text, 0, at)) + 1


def indent(text: str, at: int) -> str | None:
    """What stands before `at` in its line, if that is blank."""
    before = text[line_start(text, at) : at]
    return before if not before.strip(_BLANK) else None


def is_blank(line: str) -> bool:
    return not line.strip(_BLANK + "\r\n")


def is_comment(line: str) -> bool:
    return line.lstrip(_BLANK).startswith("#")


def has_comment(gap: str) -> bool:
    """Of text between keys and values, where nothing else holds a `#`."""
    return "#" in gap


def comments(text: str, roots: Sequence[Mark]) -> list[str]:
    """Every comment, in order, without the blanks after it; `roots` are those of the text (`compose`)."""
    return [found[0].rstrip() for gap in _gaps(text, roots) for found in _COMMENT.finditer(gap)]


def _gaps(text: str, roots: Sequence[Mark]) -> Iterator[str]:
    """What stands between the scalars: of a block scalar its first line does too."""
    at = 0
    for leaf in (leaf for root in roots for leaf in leaves(root)):
        yield text[at : leaf.start]
        if leaf.style in ("|", ">"):
            yield text[leaf.start : line_end(text, leaf.start)]
        at = leaf.end
    yield text[at:]
