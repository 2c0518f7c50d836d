"""Which formats each kind of result has."""

from __future__ import annotations

from defendctl.render.registry import FORMATS
from pages.markdown import code, table


def page() -> str:
    rows = [[code(kind), ", ".join(map(code, formats))] for kind, formats in FORMATS.items()]
    return (
        "# JSON and other formats\n\n"
        "`--format` takes these, by the kind of the result; the first one is the default.\n\n"
        + table(["kind", "formats"], rows)
        + "\nEach JSON document holds `format_version` and, where it is one of these, its `kind`. Within\n"
        "version 1 keys are added and never change their meaning, so read what you know and leave\n"
        "the rest. The keys of a\n"
        "plan are [listed](keys/plan.md). What each format is for: [Formats](formats.md).\n"
    )
