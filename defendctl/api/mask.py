"""What must not be quoted is taken out of a text: the key, and what a request sent. Pure.

Letters and digits alone are compared, in small letters, so that other quotes or spaces hide nothing. Of
something long a part is enough to be hidden; something short must stand there as a whole word.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HIDDEN: Final = "[…]"
KEY_PART: Final = 6
TEXT_PART: Final = 16
"""Letters and digits of a text that tell more than chance. Fewer would hide half of any English sentence."""
_SHORTEST_NUMBER: Final = 3
_LINK: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")


def mask(text: str, key: str, sent: Iterable[str]) -> str:
    """The text without the key, the texts that were sent, or a longer part of them; and without any link."""
    text = _LINK.sub(HIDDEN, text)
    letters = [(place, c.lower()[0]) for place, c in enumerate(text) if c.isalnum()]
    hidden: set[int] = set()
    for secret, part in ((key, KEY_PART), *((one, TEXT_PART) for one in sent)):
        for first, last in _found(letters, _letters(secret), part, text):
            hidden.update(range(first, last + 1))
    return "".join(_with_gaps(text, hidden))


def texts(value: Any) -> Iterator[str]:
    """What a body holds: its texts, and its numbers unless they are so short that they say nothing."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts(item)
    elif not isinstance(value, bool | None) and len(json.dumps(value)) >= _SHORTEST_NUMBER:
        yield json.dumps(value)


def _letters(text: str) -> str:
    return "".join(c.lower()[0] for c in text if c.isalnum())


def _found(letters: list[tuple[int, str]], secret: str, part: int, text: str) -> Iterator[tuple[int, int]]:
    """First and last place in the text of each part of the secret that stands there."""
    flat, size = "".join(c for _, c in letters), min(len(secret), part)
    for start in range(len(flat) - size + 1) if size else ():
        if flat[start : start + size] in secret:
            first, last = letters[start][0], letters[start + size - 1][0]
            if size == part or _is_whole(text, first, last):
                yield first, last


def _is_whole(text: str, first: int, last: int) -> bool:
    before, after = text[first - 1 : first], text[last + 1 : last + 2]
    return not before.isalnum() and not after.isalnum()


def _with_gaps(text: str, hidden: set[int]) -> Iterator[str]:
    for place, c in enumerate(text):
        if place not in hidden:
            yield c
        elif place - 1 not in hidden:
            yield HIDDEN
