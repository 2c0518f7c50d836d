"""Address and workflow id as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.render.inert import inert
from defendctl.render.setting import PLAIN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from defendctl.render.setting import Setting


def outputs(ids: Mapping[str, str], setting: Setting = PLAIN) -> str:
    return "".join(f"{a}  {inert(workflow_id)}\n" for a, workflow_id in ids.items()) or "Nothing is bound.\n"
