"""What doctor found, as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from defendctl.render.json.results import document
from defendctl.render.setting import PLAIN

if TYPE_CHECKING:
    from defendctl.inspection.checkup import Checkup
    from defendctl.render.setting import Setting


def doctor(checkup: Checkup, setting: Setting = PLAIN) -> str:
    return document(
        "doctor",
        setting.environment,
        healthy=checkup.code == 0,
        checks=[asdict(check) for check in checkup.checks],
        server=asdict(checkup.served) if checkup.served else None,
        questions=[{**asdict(q), "settled": q.answer is not None} for q in checkup.questions],
    )
