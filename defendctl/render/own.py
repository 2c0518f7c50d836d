"""Whether a text is a result of ours, of that kind and in one format: then a newer one may take its place."""

from __future__ import annotations

import re
from typing import Any, Final

from defendctl.diagnostics import DefendctlError
from defendctl.state.bounded import parse
from defendctl.state.document import from_text

LARGEST: Final = 48 * 1024 * 1024
_TEXTS: Final = {
    "plan": re.compile(r"(?:.*\n){0,2}Plan for (?s:.*\n)(?:Digest: |No digest: )"),
    "drift": re.compile(r"(?s:.*\n)?(?:No drift: |Drift in \d+ workflows?; ).*\n?\Z"),
    "diagnostics": re.compile(r"(?s:.*\n)?(?:All manifests are valid\.|\d+ errors?, \d+ warnings?\.)\n?\Z"),
}
_HIDDEN: Final = "<!-- defendctl:"
_MARKED: Final = {"test-results": "test"}
"""Kind → how its Markdown names it, where that differs."""
_ANNOTATIONS: Final = re.compile(r"(?:::(?:error|warning|notice) [^\n]*title=defendctl[^\n]*\n)+")


def text(kind: str, content: str) -> bool:
    known = _TEXTS.get(kind)
    return known is not None and not content.startswith(_HIDDEN) and known.match(content) is not None


def json(kind: str, content: str) -> bool:
    data = _parsed(content)
    return "format_version" in data and data.get("kind") == kind


def markdown(kind: str, content: str) -> bool:
    return content.startswith(f"{_HIDDEN}{_MARKED.get(kind, kind)}")


def github(kind: str, content: str) -> bool:
    return _ANNOTATIONS.fullmatch(content) is not None


def html(kind: str, content: str) -> bool:
    return content.startswith(f"<!DOCTYPE html>\n{_HIDDEN}{kind} -->\n")


def sarif(kind: str, content: str) -> bool:
    match _parsed(content):
        case {"runs": [{"tool": {"driver": {"name": "defendctl"}}}]}:
            return True
    return False


def junit(kind: str, content: str) -> bool:
    return re.match(r'<\?xml [^>]*\?>\n<testsuites><testsuite name="defendctl"', content) is not None


def schema(kind: str, content: str) -> bool:
    """Those of files know keys that begin with `x-`; those of labels and of what is printed have a title."""
    match _parsed(content):
        case {"$schema": str(), "patternProperties": {"^x-": _}}:
            return True
        case {"$schema": str(), "title": str(title)}:
            return title.startswith("defendctl ")
    return False


def state(kind: str, content: str) -> bool:
    try:
        from_text(content)
    except DefendctlError:
        return False
    return True


def _parsed(content: str) -> dict[str, Any]:
    try:
        data = parse(content, LARGEST)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}
