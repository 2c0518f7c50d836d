"""A value → its one spelling in YAML."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

from defendctl.yamltext.scalars import plain

_SAFE = re.compile(r"[A-Za-z_][A-Za-z0-9_.()/+-]*(?: [A-Za-z0-9_.()/+&-]+)*")
"""Text that every reader takes for text, in a block and in brackets alike."""
_NOT_TEXT: Final = frozenset({"yes", "no", "on", "off", "y", "n", "true", "false", "null"})
"""To some reader of YAML 1.1 or 1.2."""
_WORDS: Final[dict[Any, str]] = {True: "true", False: "false", None: "null"}
_LONGEST: Final = 20
_SURROGATES: Final = range(0xD800, 0xE000)


def number(value: float) -> str:
    """A threshold has a point and no exponent, as long as that is short."""
    if isinstance(value, int):
        return str(value)
    spelt = format(Decimal(repr(value + 0.0)), "f")
    spelt = spelt if "." in spelt else spelt + ".0"
    return spelt if len(spelt) <= _LONGEST else repr(value)


def scalar(value: Any, style: str = "") -> str:
    """In the quotes of `style` where they can hold it. Raises ValueError for what no YAML can say."""
    if isinstance(value, bool) or value is None:
        return _WORDS[value]
    return number(value) if isinstance(value, int | float) else _text(str(value), style)


def _text(value: str, style: str) -> str:
    if style == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    return value if not style and _is_plain(value) else _double_quoted(value)


def _is_plain(value: str) -> bool:
    fits = _SAFE.fullmatch(value) is not None and value.lower() not in _NOT_TEXT
    return fits and isinstance(plain(value), str)


def _double_quoted(value: str) -> str:
    return '"' + "".join(_escaped(c) for c in value) + '"'


def _escaped(c: str) -> str:
    if c in '"\\':
        return "\\" + c
    if c.isprintable():
        return c
    code = ord(c)
    if code in _SURROGATES:
        raise ValueError("half of a character")
    short = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(c)
    return short or (f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")
