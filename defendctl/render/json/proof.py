"""What verify found, as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from defendctl.render.json.results import document
from defendctl.render.setting import PLAIN

if TYPE_CHECKING:
    from defendctl.inspection.proof import Proof
    from defendctl.render.setting import Setting


def proof(found: Proof, setting: Setting = PLAIN) -> str:
    return document("proof", setting.environment, **asdict(found))
