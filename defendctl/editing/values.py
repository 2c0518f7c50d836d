"""One value in place of another, or on a line of its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from defendctl.editing.fmt import BODY, rank
from defendctl.yamltext.items import NoPlace
from defendctl.yamltext.segments import segments
from defendctl.yamltext.spell import scalar
from defendctl.yamltext.splice import Splice, line_break, line_end, line_start

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from defendctl.yamltext.marks import Mark
    from defendctl.yamltext.segments import Segment


_ANCHOR = re.compile(r"&[^\s,\[\]{}]+[ \t]*")
_HEADER = re.compile(r"[|>][-+0-9]*")
_INDENTED = re.compile(r"^[ \t]*(?=[^ \t\r\n])", re.MULTILINE)


def quotes(body: Mark) -> str:
    """The style of new text here: where every key has double quotes, it is JSON and stays so."""
    return '"' if body.pairs and all(key.style == '"' for key, _ in body.pairs) else ""


def replaced(text: str, value: Mark, new: Any, style: str) -> Splice:
    """An anchor stays, an alias gives way; `style` is for text that had no quotes. Raises NoPlace."""
    start = value.start
    if value.anchor:
        anchor = _ANCHOR.match(text, start)
        start = anchor.end() if anchor else start
    block = value.kind == "scalar" and value.style in ("|", ">")
    spelt = _block(text, value, start, new) if block else spelling(new, value.style or style)
    return Splice(start, value.end, spelt if start < value.end else " " + spelt)


def spelling(new: Any, style: str) -> str:
    """Raises NoPlace for what YAML cannot say. A mapping or a list is spelt in brackets."""
    if isinstance(new, dict):
        pairs = (f"{spelling(key, style)}: {spelling(value, style)}" for key, value in new.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(new, list):
        return "[" + ", ".join(spelling(one, style) for one in new) + "]"
    try:
        return scalar(new, style)
    except ValueError as error:
        raise NoPlace("YAML has no way to write it") from error


def _block(text: str, value: Mark, start: int, new: Any) -> str:
    """Text in lines stays so where it can, and a comment behind the `|` in any case."""
    head = text[start : line_end(text, start)]
    about = _HEADER.sub("", head, count=1)
    indented = _INDENTED.search(text, line_end(text, start), value.end)
    lines = new.removesuffix("\n").split("\n") if isinstance(new, str) else [""]
    fits = lines[0].strip() and all(line.isprintable() for line in lines) and lines[-1].strip()
    if not (indented and fits) or lines[0].startswith(" "):
        return spelling(new, "") + about
    chomp = "" if new.endswith("\n") else "-"
    written = (indented[0] + line if line else "" for line in lines)
    return line_break(text).join(["|" + chomp + about, *written])


def inserted(text: str, key: Mark, body: Mark, new: Mapping[str, Any]) -> list[Splice]:
    """Each as a line in the body of an address, where the documentation would have it. Raises NoPlace."""
    style = quotes(body)
    ordered = sorted(new.items(), key=lambda pair: rank(pair[0], BODY))
    lines = [(name, f"{spelling(name, style)}: {spelling(value, style)}") for name, value in ordered]
    if body.flow:
        return _in_brackets(text, body, lines)
    found = segments(text, body, key.end)
    if found is None:
        raise NoPlace("its neighbours are not on lines of their own")
    return [_as_line(text, body, found, name, line) for name, line in lines]


def _as_line(text: str, body: Mark, found: Sequence[Segment], name: str, line: str) -> Splice:
    first = body.pairs[0][0].start
    prefix = text[line_start(text, first) : first]
    before = [one for one in found if rank(one.key.text, BODY) < rank(name, BODY) or one.key.text == "<<"]
    if not before:
        return Splice(found[0].start, found[0].start, prefix + line + line_break(text))
    at = max(before, key=lambda one: (rank(one.key.text, BODY) % len(BODY), one.end)).end
    return Splice(at, at, line_break(text) + prefix + line)


def _in_brackets(text: str, body: Mark, lines: Sequence[tuple[str, str]]) -> list[Splice]:
    if not body.pairs:
        at = text.index("{", body.start) + 1
        return [Splice(at, at, ", ".join(line for _, line in lines))]
    found = []
    for name, line in lines:
        before = [value for key, value in body.pairs if rank(key.text, BODY) < rank(name, BODY)]
        first = body.pairs[0][0].start
        at = before[-1].end if before else first
        found.append(Splice(at, at, f", {line}" if before else f"{line}, "))
    return found
