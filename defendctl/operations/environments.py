"""render and compare: what an environment is in the end, how it differs from another or from before."""

from __future__ import annotations

from dataclasses import replace
from os.path import relpath
from typing import TYPE_CHECKING, Any

from defendctl.diagnostics import Invalid, errors
from defendctl.inspection.contrast import Difference, compare_environments, follow_renames
from defendctl.manifest.resolve import resolve
from defendctl.operations.at_revision import declared_at
from defendctl.operations.workspace import in_environment
from defendctl.plan.direction import INDETERMINATE
from defendctl.policy.against import compare_policies, compare_waivers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from defendctl.inspection.contrast import Comparison
    from defendctl.manifest.desired import Desired
    from defendctl.operations.workspace import Workspace
    from defendctl.project.project import Project


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


def compare_with(workspace: Workspace, revision: str) -> Comparison:
    """What the work tree declares differently from a commit, policy and settings included.

    Raises DefendctlError where git cannot say, Invalid for what is wrong on either side.
    """
    now = workspace.desired(None)
    before = declared_at(workspace, revision)
    then, moved = follow_renames(before.desired.workflows, now.workflows, now.renamed)
    found = compare_environments(revision, then, "the work tree", now.workflows)
    besides = [
        *compare_policies(before.desired.policy, now.policy),
        *compare_waivers(before.desired.waivers, now.waivers),
        *(_settings(before.project, workspace.project) if before.project else ()),
    ]
    return replace(found, besides=tuple(besides), renamed=moved)


def _settings(before: Project, after: Project) -> Iterator[Difference]:
    """Where a plan would go, and with what: nobody can tell what becomes of a guardrail there."""
    olds, news = _said(before), _said(after)
    for what, old in olds.items():
        if old != news[what]:
            yield Difference(what, old, news[what], INDETERMINATE)


def _said(project: Project) -> dict[str, Any]:
    return {
        "api.base_url": project.base_url,
        "api.generation": project.generation,
        "api.key_variable": project.key_variable,
        "api.uploads": project.uploads,
        "state.path": None if project.place else relpath(project.state_path, project.root),
        "state.url": project.place.name if project.place else None,
        "state.lineage": project.lineage,
        "custom_metrics": sorted(project.custom_metrics),
    }
