"""Diagnostics as SARIF 2.1.0, which code scanning and editors read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from defendctl import __version__
from defendctl.documentation import page_of_code
from defendctl.render.inert import inert
from defendctl.render.setting import PLAIN
from defendctl.render.words import located

if TYPE_CHECKING:
    from collections.abc import Sequence

    from defendctl.diagnostics import Diagnostic, Span
    from defendctl.render.setting import Setting

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def diagnostics(found: Sequence[Diagnostic], setting: Setting = PLAIN) -> dict[str, Any]:
    """Places are relative to the root of the repository."""
    codes = sorted({one.code for one in found})
    driver = {"name": "defendctl", "version": __version__, "rules": [_rule(code) for code in codes]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, codes.index(one.code), setting.folder) for one in found],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str) -> dict[str, Any]:
    return {"id": code, "helpUri": page_of_code(code)}


def _result(one: Diagnostic, rule: int, folder: str) -> dict[str, Any]:
    return {
        "ruleId": one.code,
        "ruleIndex": rule,
        "level": one.severity,
        "message": {"text": _unlinked(inert(one.message))},
        "locations": [_location(one.span, folder)] if one.span else [],
    }


def _unlinked(text: str) -> str:
    """`[text](target)` is a link also in plain text (SARIF 2.1.0, 3.11.6)."""
    return text.replace("](", "] (")


def _location(span: Span, folder: str) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(located(span.file, folder))}}
    numbers = {"startLine": span.line, "startColumn": span.column}
    region = {name: number for name, number in numbers.items() if number}
    return {"physicalLocation": {**place, "region": region} if span.line else place}


def _uri(file: str) -> str:
    """One that begins at the root of a disk is absolute; a colon in a relative one would be a scheme."""
    return ("file://" if file.startswith("/") else "") + quote(file, safe="/", errors="backslashreplace")
