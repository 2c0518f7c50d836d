"""What is said of codes, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.render.json.dump import FORMAT_VERSION
from defendctl.render.setting import PLAIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from defendctl.catalogue.entry import Explained
    from defendctl.render.json.inspected import EntryDocument, ExplanationDocument
    from defendctl.render.setting import Setting


def explanation(found: Sequence[Explained], setting: Setting = PLAIN) -> ExplanationDocument:
    return {
        "format_version": FORMAT_VERSION,
        "kind": "explanation",
        "entries": [_entry(one) for one in found],
    }


def _entry(one: Explained) -> EntryDocument:
    """`file` is where the examples stand, null where there are none."""
    return {
        "code": one.code,
        "title": one.title,
        "why": one.why,
        "what_to_do": one.todo or None,
        "bad": one.bad,
        "good": one.good,
        "file": one.file if one.bad else None,
    }
