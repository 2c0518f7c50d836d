"""A document that fits into so many bytes: what is riskiest is told in full as long as there is room."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence


COMMENT: Final = 65_536
"""What GitHub takes as a comment, in characters."""
SUMMARY: Final = 1 << 20
"""What GitHub takes as the summary of one step, in bytes."""
_NOTE: Final = "and {} more, for which there is no room here: `--report json:FILE` has them all.\n"
_ROOM: Final = len(_NOTE) + 10
_FENCE: Final = re.compile(r"(`{3,})[^`]*")
_FOLD: Final = "</details>"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that is told, from its whole form to the least one; an empty one may be left out."""

    forms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """Items under one heading. `folded` ones wait for a click."""

    title: str
    items: tuple[Item, ...]
    folded: bool = False

    @property
    def opening(self) -> str:
        if self.folded:
            return f"<details><summary>{self.title}</summary>\n"
        return f"### {self.title}\n"

    @property
    def closing(self) -> str:
        return "</details>\n" if self.folded else ""


def fit(head: str, sections: Sequence[Section], foot: str, limit: int) -> str:
    """Sections stand in the order of their risk. First each item has its least form, and from the end
    those go for which there is no room; then one section after the other is told as fully as it can be."""
    told = [[item.forms[-1] for item in section.items] for section in sections]
    room = limit - _size(head) - _size(foot) - sum(map(_frame, sections))
    room = _shed(told, room - sum(_size(form) for forms in told for form in forms))
    for section, forms in zip(sections, told, strict=True):
        room = _grow(section, forms, room)
    parts = [part for pair in zip(sections, told, strict=True) for part in _parts(*pair)]
    return "\n".join(part for part in [head, *parts, foot] if part)


def shorten(text: str, longest: int, note: str) -> str:
    """All of it, or as many whole lines as fit into so many bytes with the note after them.

    What the cut leaves open is closed, for an open block of code holds whatever comes next, and no line is
    cut: half of a code span is none, and what it held would be obeyed.
    """
    if len(text.encode()) <= longest:
        return text
    kept: list[str] = []
    ends: tuple[str, ...] = ()
    room = longest - len(note.encode())
    for line in text.split("\n"):
        open_then = _still_open(line, ends)
        room -= len(line.encode()) + 1
        if room < sum(len(end) + 1 for end in open_then):
            break
        kept.append(line)
        ends = open_then
    return "\n".join([*kept, *reversed(ends), ""]) + note


def _still_open(line: str, ends: tuple[str, ...]) -> tuple[str, ...]:
    """What closes the blocks that are open after this line, the innermost last."""
    if ends and line == ends[-1]:
        return ends[:-1]
    if ends and ends[-1] != _FOLD:
        return ends
    found = _FENCE.fullmatch(line)
    return (*ends, found[1]) if found else (*ends, _FOLD) if line.startswith("<details>") else ends


def _shed(told: list[list[str]], room: int) -> int:
    for forms in reversed(told):
        for index in reversed(range(len(forms))):
            if room < 0:
                room += _size(forms[index])
                forms[index] = ""
    return room


def _grow(section: Section, forms: list[str], room: int) -> int:
    """All of them a little, before one of them more."""
    for level in range(2, 1 + max(len(item.forms) for item in section.items)):
        for index, item in enumerate(section.items):
            wanted = item.forms[-level] if level <= len(item.forms) else forms[index]
            more = _size(wanted) - _size(forms[index])
            if more <= room:
                room -= more
                forms[index] = wanted
    return room


def _parts(section: Section, told: Sequence[str]) -> list[str]:
    missing = told.count("")
    note = _NOTE.format(missing) if missing else ""
    return [section.opening, *told, note, section.closing]


def _frame(section: Section) -> int:
    return _size(section.opening) + _size(section.closing) + _ROOM


def _size(text: str) -> int:
    """In bytes, which are never fewer than characters; with the line that parts it from the next."""
    return len(text.encode()) + 1 if text else 0
