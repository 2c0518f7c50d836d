"""Where a value comes from, as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from defendctl.render.json.results import document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from defendctl.inspection.provenance import Known
    from defendctl.inspection.view import View


def json(view: View, known: Sequence[Known], age: float | None, environment: str | None = None) -> str:
    return document("workflow", environment, **asdict(view), provenance=[_data(k, age) for k in known])


def _data(known: Known, age: float | None) -> dict[str, Any]:
    return {**asdict(known), "event_age_seconds": round(age) if known.event and age is not None else None}
