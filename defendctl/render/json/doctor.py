"""What doctor found, as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from defendctl.render.json.results import document

if TYPE_CHECKING:
    from defendctl.inspection.checkup import Checkup


def json(checkup: Checkup, environment: str | None = None) -> str:
    return document(
        "doctor",
        environment,
        healthy=checkup.code == 0,
        checks=[asdict(check) for check in checkup.checks],
        server=asdict(checkup.served) if checkup.served else None,
        questions=[{**asdict(q), "settled": q.answer is not None} for q in checkup.questions],
    )
