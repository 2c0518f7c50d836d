"""Diagnostics as text, each with the line that it points at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.render.inert import inert
from defendctl.render.setting import PLAIN
from defendctl.render.words import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from defendctl.diagnostics import Diagnostic, Span
    from defendctl.render.setting import Setting
    from defendctl.render.text.paint import Paint


def diagnostics(found: Sequence[Diagnostic], setting: Setting = PLAIN) -> str:
    return listing(found, setting.paint) + verdict(found)


def listing(found: Sequence[Diagnostic], paint: Paint) -> str:
    return "".join(diagnostic(one, paint) + "\n" for one in found)


def diagnostic(one: Diagnostic, paint: Paint) -> str:
    colour = "red" if one.severity == "error" else "yellow"
    place = _place(one)
    said = f"{paint(one.severity + ':', colour)} {inert(one.message)} [{one.code}]"
    return f"{place}: {said}" if place else said


def verdict(found: Sequence[Diagnostic]) -> str:
    errors = sum(d.severity == "error" for d in found)
    warnings = len(found) - errors
    if not found:
        return "All manifests are valid.\n"
    return f"{count(errors, 'error')}, {count(warnings, 'warning')}.\n"


def _place(one: Diagnostic) -> str:
    return place_of(one.span)


def place_of(span: Span | None) -> str:
    if span is None:
        return ""
    parts = [inert(span.file), span.line, span.column]
    return ":".join(str(part) for part in parts if part)
