"""Text as HTML that a browser shows and never obeys. Every text from outside goes through `safe`."""

from __future__ import annotations

from html import escape
from itertools import count
from typing import TYPE_CHECKING, Final

from defendctl.render.inert import inert
from defendctl.render.page.blocks import Foreign, Link, Mark

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

    def new(self) -> str:
        return f"n{next(self._numbers)}"

    def of(self, section: str) -> str:
        """Of a section that links may lead to."""
        return self._sections.setdefault(section, self.new())


def sentence(words: Words, names: Names, there: Iterable[str] = ()) -> str:
    """`there`: the sections of the page, for a link to another one leads nowhere."""
    told = []
    for piece in words:
        match piece:
            case Foreign(text):
                told.append(name(text))
            case Mark(word, tone):
                told.append(f'<span class="mark {tone}">{safe(word)}</span>')
            case Link(text, to):
                link = f'<a href="#{names.of(to)}">{name(text.text)}</a>'
                told.append(link if to in there else name(text.text))
            case str():
                told.append(safe(piece))
    return "".join(told)
