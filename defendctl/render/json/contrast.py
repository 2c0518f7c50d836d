"""Two environments beside each other as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.render.json.dump import FORMAT_VERSION
from defendctl.render.setting import PLAIN

if TYPE_CHECKING:
    from defendctl.inspection.contrast import Comparison, Contrast
    from defendctl.render.json.inspected import ComparisonDocument, ContrastDocument
    from defendctl.render.setting import Setting


def contrast(found: Comparison, setting: Setting = PLAIN) -> ComparisonDocument:
    return {
        "format_version": FORMAT_VERSION,
        "kind": "comparison",
        "first": found.first,
        "second": found.second,
        "differ": bool(found.differing),
        "summary": {
            "loosens": found.count("loosens"),
            "tightens": found.count("tightens"),
            "indeterminate": found.count("indeterminate"),
            "alike": found.alike,
        },
        "workflows": [_contrast(one) for one in found.differing],
    }


def _contrast(one: Contrast) -> ContrastDocument:
    return {
        "address": one.address,
        "only_in": one.only_in,
        "direction": one.direction,
        "fields": [
            {"path": f.path, "before": f.before, "after": f.after, "direction": f.direction}
            for f in one.fields
        ],
    }
