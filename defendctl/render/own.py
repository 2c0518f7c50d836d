"""Whether a text is a result of ours, so that a newer one may take its place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from defendctl.diagnostics import DefendctlError
from defendctl.state.bounded import parse
from defendctl.state.document import from_text

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST: Final = 48 * 1024 * 1024
_TEXTS: Final = {
    "plan": re.compile(r"(?:.*\n){0,2}Plan for (?s:.*\n)(?:Digest: |No digest: )"),
    "drift": re.compile(r"(?s:.*\n)?(?:No drift: |Drift in \d+ workflows?; ).*\n?\Z"),
    "diagnostics": re.compile(r"(?s:.*\n)?(?:All manifests are valid\.|\d+ errors?, \d+ warnings?\.)\n?\Z"),
}
_HIDDEN: Final = "<!-- defendctl:"
_ANNOTATIONS: Final = re.compile(r"(?:::(?:error|warning|notice) [^\n]*title=defendctl[^\n]*\n)+")


def is_own(kind: str, format: str, text: str) -> bool:
    """Of that kind and in that format. Nothing at all is of every kind."""
    return not text or _FORMATS[format](kind, text)


def _text(kind: str, text: str) -> bool:
    return not text.startswith(_HIDDEN) and _TEXTS[kind].match(text) is not None


def _json(kind: str, text: str) -> bool:
    data = _parsed(text)
    return "format_version" in data and data.get("kind") == kind


def _markdown(kind: str, text: str) -> bool:
    return text.startswith(f"{_HIDDEN}{kind}")


def _github(kind: str, text: str) -> bool:
    return _ANNOTATIONS.fullmatch(text) is not None


def _sarif(kind: str, text: str) -> bool:
    match _parsed(text):
        case {"runs": [{"tool": {"driver": {"name": "defendctl"}}}]}:
            return True
    return False


def _schema(kind: str, text: str) -> bool:
    """Those of files know keys that begin with `x-`; that of a plan has a title."""
    match _parsed(text):
        case {"$schema": str(), "patternProperties": {"^x-": _}} | {"title": "defendctl plan"}:
            return True
    return False


def _state(kind: str, text: str) -> bool:
    try:
        from_text(text)
    except DefendctlError:
        return False
    return True


def _parsed(text: str) -> dict[str, Any]:
    try:
        data = parse(text, LARGEST)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


_FORMATS: Final[dict[str, Callable[[str, str], bool]]] = {
    "text": _text,
    "json": _json,
    "markdown": _markdown,
    "github": _github,
    "sarif": _sarif,
    "schema": _schema,
    "state": _state,
}
