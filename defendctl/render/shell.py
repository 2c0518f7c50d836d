"""Assignments that every POSIX shell can read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.command import shell_word
from defendctl.diagnostics import DefendctlError
from defendctl.render.setting import PLAIN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from defendctl.inspection.outputs import Outputs
    from defendctl.render.setting import Setting


def outputs(told: Outputs, setting: Setting = PLAIN) -> str:
    return assignments(variables(told.ids))


def assignments(values: Mapping[str, str]) -> str:
    """`NAME=value` lines, quoted where a shell would need it."""
    return "".join(f"{name}={shell_word(value)}\n" for name, value in values.items())


def variables(ids: Mapping[str, str]) -> dict[str, str]:
    """Variable → workflow id. Raises DefendctlError where two addresses make one name."""
    names: dict[str, str] = {}
    for address in ids:
        name = "DEFEND_WORKFLOW_" + "".join(c if c.isalnum() else "_" for c in address.upper())
        if name in names:
            raise DefendctlError(f"{names[name]} and {address} both make the variable {name}")
        names[name] = address
    return {name: ids[address] for name, address in names.items()}
