"""Text from outside, made harmless for a terminal and a log."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from defendctl.plan.alike import distinct

_COMMAND: Final = re.compile(r"##(?=\w*\[)")
"""`##[group]`, `##vso[…]`: CI runners obey these wherever they stand in a line of a log."""
_LINE_COMMAND: Final = re.compile(r"^(\s*):(?=:)")
"""`::error::`: obeyed at the beginning of a line, which a text may be."""


def inert(text: str) -> str:
    """Control, format (bidirectional) and separator characters, surrogates and CI commands as escapes."""
    if "##" in text or "::" in text:  # most texts are names and ids, and many
        text = _LINE_COMMAND.sub(r"\1\\x3a", _COMMAND.sub(r"#\\x23", text))
    return text if text.isprintable() else "".join(c if c.isprintable() else _escape(c) for c in text)


def value(data: Any) -> str:
    """A field's value as one line: strings quoted, lists in brackets, nothing as `(none)`."""
    if data is None:
        return "(none)"
    if isinstance(data, str):
        return inert(json.dumps(data, ensure_ascii=False))
    if isinstance(data, tuple | list):
        return "[" + ", ".join(value(item) for item in data) + "]"
    return inert(json.dumps(data))


def pair(before: Any, after: Any) -> tuple[str, str]:
    """Two values of one field; of texts that could be taken for one another, what differs."""
    shown = distinct(before, after)
    return (inert(shown[0]), inert(shown[1])) if shown else (value(before), value(after))


def _escape(c: str) -> str:
    code = ord(c)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
