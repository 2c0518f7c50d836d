"""Drift as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.render.inert import inert
from defendctl.render.setting import PLAIN
from defendctl.render.text.plan import COLOURS, fields
from defendctl.render.words import (
    declared,
    drifted,
    edit,
    riskiest_first,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from defendctl.plan.drift import Drifted
    from defendctl.render.setting import Setting
    from defendctl.render.text.paint import Paint


def drift(entries: Sequence[Drifted], setting: Setting = PLAIN) -> str:
    head = [f"Drift of {setting.environment}"] if setting.environment else []
    if not entries:
        return "\n".join([*head, "No drift: nothing was changed behind our back."]) + "\n"
    blocks = head + [_drifted(entry, setting.paint) for entry in riskiest_first(entries)]
    return "\n".join([*blocks, drifted(entries)]) + "\n"


def _drifted(entry: Drifted, paint: Paint) -> str:
    head = f"  {entry.address} ({inert(entry.workflow_id)})  "
    if not entry.fields:
        return head + "the API answers 404 for it"
    rows = [(f, " -> ".join(edit(f)), declared(f, entry)) for f in entry.fields]
    return "\n".join([head + paint(entry.direction, COLOURS[entry.direction]), *fields(rows, paint)])
