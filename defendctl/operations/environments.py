"""render and compare: what an environment is in the end, and how two of them differ. Offline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.diagnostics import Invalid, errors
from defendctl.inspection.contrast import compare_environments
from defendctl.manifest.resolve import resolve
from defendctl.operations.workspace import in_environment

if TYPE_CHECKING:
    from defendctl.inspection.contrast import Comparison
    from defendctl.manifest.desired import Desired
    from defendctl.operations.workspace import Workspace


def render(workspace: Workspace) -> Desired:
    """What is declared, with the document of each address. Raises Invalid."""
    desired = resolve(workspace.project, None, workspace.cwd, keep=True)
    found = [*workspace.problems, *desired.diagnostics]
    if errors(found):
        raise Invalid(found)
    return desired


def compare(workspace: Workspace, first: str, second: str) -> Comparison:
    """Raises Usage for a name that there is not, Invalid for manifests that are wrong in one of them."""
    one, other = (in_environment(workspace, name).desired(None) for name in (first, second))
    return compare_environments(first, one.workflows, second, other.workflows)
