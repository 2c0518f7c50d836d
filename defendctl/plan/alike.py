"""Texts that look the same: in another normal form, with other white space, or alike for long. Pure.

A server may trim a text, compose its characters (NFC) or write its line ends anew; what it answers is then
what it made of what was written, and nobody changed it.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any, Final

_BREAK: Final = re.compile(r"\r\n?")
_BLANKS: Final = re.compile(r"\s+")
_DECIMALS: Final = (2, 3, 4, 5)
_LONG: Final = 100
"""Characters that both begin with, after which a reader, or a cell of a table, may stop."""
_BEFORE, _AFTER = 30, 60
"""Characters that are shown around the place where two long texts begin to differ."""


def remade(written: Any, found: Any) -> bool:
    """Whether `found` is a text that a server made of `written`: trimmed, composed, with other line ends."""
    both = isinstance(written, str) and isinstance(found, str)
    return both and written != found and _normal(written) == _normal(found)


def rounded(written: Any, found: Any) -> bool:
    """Whether `found` may be the number that was `written`, with fewer decimals: two at least, for people
    write numbers of one decimal themselves."""
    if not (isinstance(written, float) and isinstance(found, float)) or written == found:
        return False
    near = (abs(found - written) <= 0.5 * 10**-n + 1e-9 for n in _DECIMALS)
    short = (abs(found - round(found, n)) < 1e-9 for n in _DECIMALS)
    return any(map(all, zip(near, short, strict=True)))


def distinct(before: Any, after: Any) -> tuple[str, str] | None:
    """Both in quotes, cut to where they differ, with escapes for what differs; None for what cannot be taken
    for one another."""
    if not (isinstance(before, str) and isinstance(after, str)) or before == after:
        return None
    alike = _visible(before) == _visible(after)
    start = _common(before, after)
    if not alike and start < _LONG:
        return None
    end = _common(before[start:][::-1], after[start:][::-1])
    return _around(before, start, len(before) - end, alike), _around(after, start, len(after) - end, alike)


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", _BREAK.sub("\n", text)).strip()


def _visible(text: str) -> str:
    """What the eye is left with."""
    shown = "".join(c for c in unicodedata.normalize("NFKC", text) if c.isspace() or c.isprintable())
    return _BLANKS.sub(" ", shown).strip()


def _common(one: str, other: str) -> int:
    """How many characters both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _around(text: str, start: int, end: int, escaped: bool) -> str:
    """What stands from `start` to `end` with a little of what stands around it; all of a short text."""
    whole = len(text) <= _LONG
    first, last = (0, len(text)) if whole else (max(0, start - _BEFORE), min(len(text), start + _AFTER))
    middle = text[start : min(end, last)]
    parts = (
        "…" if first else "",
        _quoted(text[first:start]),
        "".join(map(_escaped, middle)) if escaped else _quoted(middle),
        _quoted(text[end:last]),
        "…" if last < len(text) else "",
    )
    return f'"{"".join(parts)}"'


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _escaped(c: str) -> str:
    return r"\u0020" if c == " " else json.dumps(c)[1:-1]
