"""validate, show, outputs and schema: looking without changing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.diagnostics import DefendctlError, Usage, errors, in_order, suggest
from defendctl.inspection.view import build_view
from defendctl.manifest.lint import LINTS, levelled
from defendctl.manifest.resolve import resolve
from defendctl.manifest.suites import read_suites
from defendctl.operations.beginning import unpinned
from defendctl.operations.beside import read_beside, warn_of_run
from defendctl.operations.labels import label_problems
from defendctl.operations.policy import of_manifests
from defendctl.operations.selection import chosen_by_labels, only
from defendctl.operations.stdin import reading_stdin
from defendctl.operations.uploads import with_uploads
from defendctl.operations.workspace import warn_unresolved
from defendctl.plan.identity import another_id
from defendctl.plan.renames import settle
from defendctl.project.state_path import in_the_way
from defendctl.yamltext.source import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from defendctl.diagnostics import Diagnostic
    from defendctl.inspection.view import View
    from defendctl.operations.workspace import Workspace
    from defendctl.schema.models_project import LintLevel


def validate(
    workspace: Workspace, paths: Sequence[Path], levels: Mapping[str, LintLevel] | None = None
) -> list[Diagnostic]:
    """Every problem of project file, policy and manifests, what the policy denies, what is seldom meant.

    Offline; of each environment, if none was chosen. `levels` go before those of the project file.
    Raises Usage for a code that there is not.
    """
    chosen = {**workspace.project.lint, **_known(levels or {})}
    with reading_stdin(paths, workspace.cwd):
        found = [one for each in workspace.environments for one in _validated(each, paths, chosen)]
    found += [one for each in workspace.environments if (one := in_the_way(each.project))]
    unpinned = (one for each in workspace.environments for one in _unpinned(each, chosen))
    return in_order(dict.fromkeys([*workspace.problems, *found, *unpinned]))


def _validated(
    workspace: Workspace, paths: Sequence[Path], levels: Mapping[str, LintLevel]
) -> Iterator[Diagnostic]:
    today = workspace.settings.today
    desired = resolve(workspace.project, list(paths) or None, workspace.cwd, today, linted=True)
    yield from (*desired.diagnostics, *levelled(desired.lints, levels), *of_manifests(desired, today))
    yield from () if paths else (*_of_the_suites(workspace), *label_problems(workspace, desired))


def _unpinned(workspace: Workspace, levels: Mapping[str, LintLevel]) -> list[Diagnostic]:
    """A warning where the project file pins no lineage; the sandbox needs none."""
    project = workspace.project
    if project.file is None or not workspace.settings.own_state or errors(workspace.problems):
        return []
    found = unpinned(project, shown(project.file, workspace.cwd))
    return levelled([found] if found else [], levels)


def _of_the_suites(workspace: Workspace) -> list[Diagnostic]:
    """What is wrong with the test files, where there are any."""
    if not workspace.project.tests:
        return []
    return read_suites(workspace.project, workspace.cwd).diagnostics


def _known(levels: Mapping[str, LintLevel]) -> Mapping[str, LintLevel]:
    for code in levels:
        if code not in LINTS:
            near = suggest(code, LINTS) or f" There are: {', '.join(LINTS)}."
            raise Usage(f"{code!r} is not a code whose severity can be chosen.{near}")
    return levels


def show(workspace: Workspace, address: str) -> View:
    """One workflow from all sides. Raises DefendctlError for an address that is nowhere."""
    desired = workspace.desired(None)
    beside = read_beside(workspace)
    warn_of_run(workspace, beside)
    state = beside.snapshot.state
    desired = with_uploads(desired, state)
    workspace.check_host(state)
    state = settle(desired.renamed, {}, desired.workflows, state, desired.left_out).state
    known = {*desired.workflows, *state.bindings, *state.unresolved}
    if address not in known:
        raise DefendctlError(f"there is no address {address!r}.{suggest(address, sorted(known))}")
    warn_unresolved(workspace, {address} & state.unresolved.keys() - beside.under_way)
    binding = state.bindings.get(address)
    observed = None
    if binding:
        with workspace.api() as api:
            observed = api.read(binding.workflow_id)
    if binding and observed and observed.workflow_id != binding.workflow_id:
        workspace.settings.warn(f"{address}: {another_id(binding.workflow_id, observed.workflow_id)}")
    return build_view(address, desired.workflows.get(address), observed, binding)


def outputs(workspace: Workspace, selector: Sequence[str] = ()) -> dict[str, str]:
    """Address → workflow id, of what is bound; offline. The manifests are read for their labels alone."""
    beside = read_beside(workspace)
    warn_of_run(workspace, beside)
    state = beside.snapshot.state
    if selector:
        state = only(state, chosen_by_labels(workspace.desired(None), selector))
    warn_unresolved(workspace, state.unresolved.keys() - beside.under_way)
    return {a: b.workflow_id for a, b in sorted(state.managed.items())}
