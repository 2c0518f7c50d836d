"""Assignments that every reader of `.env` files takes alike."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from defendctl.diagnostics import DefendctlError
from defendctl.render.inert import inert
from defendctl.render.setting import PLAIN
from defendctl.render.shell import variables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from defendctl.inspection.outputs import Outputs
    from defendctl.render.setting import Setting

_PLAIN: Final = re.compile(r"[A-Za-z0-9_.:/@%+=,-]+")


def outputs(told: Outputs, setting: Setting = PLAIN) -> str:
    """Raises DefendctlError for an id that no line can hold."""
    try:
        return assignments(variables(told.ids))
    except ValueError as error:
        raise DefendctlError(str(error), "`--format json` can hold every id") from None


def assignments(values: Mapping[str, str]) -> str:
    """`NAME=value` lines. Raises ValueError for a value that readers would take differently."""
    return "".join(f"{name}={_value(name, value)}\n" for name, value in values.items())


def _value(name: str, value: str) -> str:
    """Some readers keep quotes and others expand `$`; in single quotes most take a value as it is."""
    if _PLAIN.fullmatch(value):
        return value
    if "'" in value or "\\" in value or inert(value) != value:
        raise ValueError(
            f"{name}: {inert(value)} cannot be written so that every reader of dotenv files reads the same"
        )
    return f"'{value}'"
