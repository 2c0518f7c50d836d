"""The state as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.model import CANARY
from defendctl.render.inert import inert
from defendctl.render.setting import PLAIN
from defendctl.render.text.apply import unresolved

if TYPE_CHECKING:
    from defendctl.model import Binding, State
    from defendctl.render.setting import Setting


def state(value: State, setting: Setting = PLAIN) -> str:
    named = f"environment {value.environment}  " if value.environment else ""
    lines = [f"{named}lineage {inert(value.lineage or '-')}  serial {value.serial}"]
    lines += [f"  {a}  {inert(b.workflow_id)}" for a, b in sorted(value.managed.items())]
    lines += [f"  {CANARY}  {inert(b.workflow_id)}  for candidates" for b in _canary(value)]
    for address, intent in sorted(value.unresolved.items()):
        lines += unresolved(address, intent)
    for address, old in sorted(value.tombstones.items()):
        lines += [f"  {address}  {inert(b.workflow_id)}  retired, still live" for b in old]
    if len(lines) == 1:
        lines.append("  nothing is bound")
    return "\n".join(lines) + "\n"


def _canary(state: State) -> list[Binding]:
    return [state.bindings[CANARY]] if CANARY in state.bindings else []
