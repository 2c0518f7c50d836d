"""Text as HTML that a browser shows and never obeys. Every text from outside goes through `safe`."""

from __future__ import annotations

from html import escape
from itertools import count
from typing import TYPE_CHECKING, Final

from defendctl.render.inert import inert
from defendctl.render.page.blocks import Anchor, Badge, Foreign

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from defendctl.render.page.blocks import Words

LONGEST: Final = 300
"""Characters of one text in a sentence or a cell; the JSON has it whole."""


def safe(text: str) -> str:
    """Escaped, also for an attribute; control, bidirectional and separator characters and surrogates as
    `\\\\u202e`."""
    return escape(inert(text))


def name(text: str) -> str:
    """In code, whose direction is its own, and of a length that a page bears."""
    shown = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    return f"<code>{safe(shown)}</code>"


class Names:
    """Ids of one page, each once, and made of nothing but a letter and a number."""

    def __init__(self) -> None:
        self._numbers: Iterator[int] = count(1)
        self._sections: dict[str, str] = {}
        self._placed: set[str] = set()

    def new(self) -> str:
        return f"n{next(self._numbers)}"

    def begin(self, sections: Iterable[str]) -> None:
        """Another document on the same page: its sections are its own."""
        self._sections = {section: self.new() for section in sections}
        self._placed = set()

    def of(self, section: str) -> str | None:
        """Where a link to it leads; None if there is no such section."""
        return self._sections.get(section)

    def place(self, section: str) -> str | None:
        """For the section itself; the first one of a name has it."""
        if section in self._placed:
            return None
        self._placed.add(section)
        return self._sections.get(section)


def sentence(words: Words, names: Names) -> str:
    told = []
    for piece in words:
        match piece:
            case Foreign(text):
                told.append(name(text))
            case Badge(word, tone):
                told.append(f'<span class="mark {tone}">{safe(word)}</span>')
            case Anchor(text, to):
                place = names.of(to)
                told.append(f'<a href="#{place}">{name(text.text)}</a>' if place else name(text.text))
            case str():
                told.append(safe(piece))
    return "".join(told)
