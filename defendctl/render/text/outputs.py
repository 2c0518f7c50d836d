"""Address and workflow id as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.render.inert import inert
from defendctl.render.setting import PLAIN

if TYPE_CHECKING:
    from defendctl.inspection.outputs import Outputs
    from defendctl.render.setting import Setting


def outputs(told: Outputs, setting: Setting = PLAIN) -> str:
    modes = told.run_modes or {}
    lines = (f"{a}  {inert(workflow_id)}{_advice(modes.get(a))}\n" for a, workflow_id in told.ids.items())
    return "".join(lines) or "Nothing is bound.\n"


def _advice(mode: str | None) -> str:
    return f"  (run mode {mode})" if mode else ""
