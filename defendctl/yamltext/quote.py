"""How what stands in a file is named in a message: safe to print, and never by content that may be secret.

A file may hold prompts, or be another than its author thinks. So the kind of a value is told; quoted are only
numbers, and words where a word is expected.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


LONGEST = 60
_NAME = re.compile(r"[\w$][\w.:/@+-]{0,62}")
"""What an address, a metric, a key or an id looks like; no text of several words does."""
_WORD = re.compile(r"[\w.%+-]{1,30}")
_LARGE = 1_000_000_000
"""Numbers of cards and of people are larger, and those of ours are not."""


def printable(text: str) -> str:
    """Control, format and bidirectional characters, odd spaces and lone surrogates become escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def short(text: str) -> str:
    cut = printable(text[: LONGEST + 1])
    return cut if len(cut) <= LONGEST else cut[: LONGEST - 1] + "…"


def quoted(text: str, otherwise: str = "`…`") -> str:
    """An address, a metric or a key between backticks; something else for what looks like none of these."""
    return f"`{printable(text)}`" if _NAME.fullmatch(text) else otherwise


def path_of(steps: Iterable[str]) -> str:
    """Keys of ours and names of the user's, as `metrics.completeness`."""
    return "`" + ".".join(quoted(step).strip("`") for step in steps) + "`"


def found(value: Any) -> str:
    """The value where a word or a number is expected: `found("yes")` is `the text "yes"`."""
    if isinstance(value, str) and _WORD.fullmatch(value):
        return f'the text "{printable(value)}"'
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGE:
        return f"the number {number(value)}"
    return kind_of(value)


def kind_of(value: Any) -> str:
    """What sort of value it is, in YAML's words; what YAML has a word for says nothing of anybody."""
    if isinstance(value, str):
        return "a text" if value else "an empty text"
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "nothing (null)"
    return "a number" if math.isfinite(value) else f"the number {number(value)}"


def number(value: float) -> str:
    """As YAML writes it."""
    if value != value:
        return ".nan"
    if value in (float("inf"), float("-inf")):
        return ".inf" if value > 0 else "-.inf"
    return short(repr(value))
