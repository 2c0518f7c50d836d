"""Where a value comes from, as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from defendctl.render.json.results import document
from defendctl.render.setting import PLAIN

if TYPE_CHECKING:
    from defendctl.inspection.provenance import Known, ShownProvenance
    from defendctl.render.setting import Setting


def provenance(shown: ShownProvenance, setting: Setting = PLAIN) -> str:
    known = [_data(one, shown.age) for one in shown.known]
    return document("workflow", setting.environment, **asdict(shown.view), provenance=known)


def _data(known: Known, age: float | None) -> dict[str, Any]:
    return {**asdict(known), "event_age_seconds": round(age) if known.event and age is not None else None}
