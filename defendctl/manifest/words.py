"""How a value from a file is named in a message: short, and safe to print."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

LONGEST = 60


def printable(text: str) -> str:
    """Control, format and bidirectional characters, odd spaces and lone surrogates become escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def short(text: str) -> str:
    cut = printable(text[: LONGEST + 1])
    return cut if len(cut) <= LONGEST else cut[: LONGEST - 1] + "…"


def found(value: Any) -> str:
    """The value in YAML's words: `found(True)` is `true`, `found("yes")` is `the text "yes"`."""
    if isinstance(value, str):
        return f'the text "{short(value)}"' if value else "an empty text"
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "nothing (null)" if value is None else f"the number {number(value)}"


def number(value: float) -> str:
    """As YAML writes it."""
    if value != value:
        return ".nan"
    if value in (float("inf"), float("-inf")):
        return ".inf" if value > 0 else "-.inf"
    return short(repr(value))


def shown(path: Path, cwd: Path) -> str:
    """The name of a file for a person who stands in `cwd`: relative or absolute, whichever is shorter."""
    absolute = os.path.normpath(cwd / path)
    try:
        relative = os.path.relpath(absolute, cwd)
    except ValueError:  # another drive
        relative = absolute
    return printable(min(relative, absolute, key=len))
