"""YAML text → libyaml's events. JSON that spells a character as two escapes is read too.

JSON knows no other escape for an emoji; libyaml reads neither half.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator


_Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # only its events are used
_PAIR = re.compile(r"\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})", re.IGNORECASE)
_ESCAPE = re.compile(_PAIR.pattern + r"|\\.", re.IGNORECASE)
_FILLERS = {r"\0": "\0", r"\a": "\a", r"\v": "\v", r"\e": "\x1b"}
"""Escapes of YAML for characters that stand in JSON only as `\\u00XX`."""


def events(text: str) -> Iterator[yaml.Event]:
    """Raises what libyaml's reader raises: YAMLError, ValueError, OverflowError, RecursionError."""
    filler = _filler(text) if _PAIR.search(text) else None
    if filler is None:
        yield from yaml.parse(text, Loader=_Loader)
        return
    for event in yaml.parse(_ESCAPE.sub(lambda found: _as_one(found, filler), text), Loader=_Loader):
        if isinstance(event, yaml.ScalarEvent):
            event.value = event.value.replace(_FILLERS[filler], "")
        yield event


def _filler(text: str) -> str | None:
    """One whose character the text does not hold. None if that is no JSON, where `\\u` may be no escape."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return None
    return next((e for e, c in _FILLERS.items() if f"\\u{ord(c):04x}" not in text.lower()), None)


def _as_one(found: re.Match[str], filler: str) -> str:
    """The pair as one escape of YAML, as long as it was, so that every place in the text stays."""
    if found[1] is None:
        return found[0]
    code = 0x10000 + ((int(found[1], 16) & 0x3FF) << 10) + (int(found[2], 16) & 0x3FF)
    return f"\\U{code:08x}{filler}"
