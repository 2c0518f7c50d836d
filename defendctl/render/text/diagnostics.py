"""Diagnostics as text, each with the line that it points at."""

from __future__ import annotations

from textwrap import fill, indent
from typing import TYPE_CHECKING

from defendctl.render.inert import inert
from defendctl.render.plural import count
from defendctl.render.setting import PLAIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from defendctl.catalogue.entry import Explained
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


def explanation(found: Sequence[Explained], setting: Setting = PLAIN) -> str:
    """One entry whole; of several each code and its title."""
    if len(found) == 1:
        return _whole(found[0], setting.paint)
    return "".join(f"{one.code:<26}{one.title}\n" for one in found)


def _whole(one: Explained, paint: Paint) -> str:
    said = [f"{paint(one.code, 'bold')}: {one.title}", fill(one.why, 100)]
    said += [fill(one.todo, 100)] if one.todo else []
    for word, colour, example in (("Wrong", "red", one.bad), ("Right", "green", one.good)):
        if example:
            shown = indent("\n".join(inert(line) for line in example.rstrip("\n").split("\n")), "    ")
            said.append(f"{paint(word, colour)} in {one.file}:\n\n{shown}")
    return "\n\n".join(said) + "\n"


def _place(one: Diagnostic) -> str:
    return place_of(one.span)


def place_of(span: Span | None) -> str:
    if span is None:
        return ""
    parts = [inert(span.file), span.line, span.column]
    return ":".join(str(part) for part in parts if part)
