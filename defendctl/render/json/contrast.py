"""Two environments beside each other as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.render.json.dump import FORMAT_VERSION, named
from defendctl.render.setting import PLAIN

if TYPE_CHECKING:
    from defendctl.inspection.contrast import Comparison, Contrast
    from defendctl.render.json.inspected import BesidesPart, ComparisonDocument, ContrastDocument
    from defendctl.render.setting import Setting


def contrast(found: Comparison, setting: Setting = PLAIN) -> ComparisonDocument:
    return {
        "format_version": FORMAT_VERSION,
        "kind": "comparison",
        **named(setting.environment),
        "first": found.first,
        "second": found.second,
        "differ": found.differs,
        "summary": {
            "loosens": found.count("loosens"),
            "tightens": found.count("tightens"),
            "indeterminate": found.count("indeterminate"),
            "alike": found.alike,
        },
        "workflows": [_contrast(one) for one in found.differing],
        **_besides(found),
    }


def _besides(found: Comparison) -> BesidesPart:
    """Nothing where there is none."""
    told: BesidesPart = {}
    if found.renamed:
        told["renamed"] = [{"from": old, "to": new} for old, new in found.renamed]
    if found.besides:
        told["besides"] = [
            {"what": one.what, "before": one.before, "after": one.after, "direction": one.direction}
            for one in found.besides
        ]
    return told


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
