"""import: whether a workflow bears the name that its address has in the manifests.

Nothing else tells two ids that were swapped: the next apply would write the one's metrics over the other's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from defendctl.command import command
from defendctl.yamltext.quote import short

if TYPE_CHECKING:
    from collections.abc import Mapping

    from defendctl.model import Observed, Workflow

ALL_THE_SAME: Final = "if you looked in the console and it is the right one, add --now"


class DeclaredNames:
    """The name of each declared address, and the address of each name."""

    def __init__(self, workflows: Mapping[str, Workflow]) -> None:
        self._names = {address: workflow.name for address, workflow in workflows.items()}
        self._addresses = {name: address for address, name in self._names.items()}

    def of_another(self, address: str, observed: Observed) -> str | None:
        """What is said where the live name is that of another address, and not of this one."""
        name = observed.fields.get("name")
        if name is None or name == self._names.get(address) or name not in self._addresses:
            return None
        other = self._addresses[name]
        bears = f'{short(observed.workflow_id)} is named "{short(name)}"'
        return f"{bears}, which is the name of {other} and not of {address}"

    def warning(self, address: str, observed: Observed) -> str | None:
        """Both names where they differ, and the way back."""
        name, declared = observed.fields.get("name"), self._names.get(address)
        if name is None or declared is None or name == declared:
            return None
        bears = f'{short(observed.workflow_id)} is named "{short(name)}"'
        forget, bind = command("state rm {}", address), command("import {}", address)
        return (
            f'{bears}, but {address} is declared as "{short(declared)}": the next apply would rename it, '
            "and change all else that differs. Is it the wrong one? "
            f"`{forget}` takes this back, then `{bind} WORKFLOW_ID` binds the right one"
        )
