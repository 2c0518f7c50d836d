"""A document that fits into so many bytes: what is riskiest is told in full as long as there is room."""

from __future__ import annotations

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
