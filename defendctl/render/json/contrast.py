"""Two environments beside each other as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.plan.digest import field_data
from defendctl.plan.direction import INDETERMINATE, LOOSENS, TIGHTENS
from defendctl.render.json.results import document
from defendctl.render.setting import PLAIN

if TYPE_CHECKING:
    from defendctl.inspection.contrast import Comparison
    from defendctl.render.setting import Setting


_IN_JSON = ("path", "before", "after", "direction")


def contrast(found: Comparison, setting: Setting = PLAIN) -> str:
    workflows = [
        {
            "address": one.address,
            "only_in": one.only_in,
            "direction": one.direction,
            "fields": [{k: v for k, v in field_data(f).items() if k in _IN_JSON} for f in one.fields],
        }
        for one in found.differing
    ]
    summary = {way: found.count(way) for way in (LOOSENS, TIGHTENS, INDETERMINATE)} | {"alike": found.alike}
    return document(
        "comparison", first=found.first, second=found.second, differ=bool(workflows), summary=summary,
        workflows=workflows,
    )  # fmt: skip
