"""show and outputs: looking without changing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from defendctl.diagnostics import DefendctlError, Invalid, suggest
from defendctl.editing.glance import may_hold
from defendctl.inspection.outputs import Outputs
from defendctl.inspection.view import build_view
from defendctl.manifest.resolve import manifest_files, overlay_files
from defendctl.operations.beside import read_beside, warn_beside
from defendctl.operations.by_label import chosen_by_labels, only
from defendctl.operations.uploads import with_uploads
from defendctl.operations.workspace import warn_unresolved
from defendctl.plan.identity import another_id
from defendctl.plan.renames import settle
from defendctl.yamltext.report import Stop
from defendctl.yamltext.source import contents, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from defendctl.inspection.view import View
    from defendctl.operations.workspace import Workspace


def show(workspace: Workspace, address: str, stats: bool = False) -> View:
    """One workflow from all sides; with `stats`, what it counts of itself too.

    Raises DefendctlError for an address that is nowhere.
    """
    desired = workspace.desired(None)
    beside = read_beside(workspace)
    warn_beside(workspace, beside)
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
    view = build_view(address, desired.workflows.get(address), observed, binding)
    return replace(view, stats=observed.stats if observed else {}) if stats else view


def outputs(workspace: Workspace, selector: Sequence[str] = (), *, advised: bool = False) -> Outputs:
    """Of what is bound; offline. The manifests are read for their labels, and for run modes if `advised`."""
    beside = read_beside(workspace)
    warn_beside(workspace, beside)
    state = beside.snapshot.state
    desired = workspace.desired(None) if selector else None
    if desired:
        state = only(state, chosen_by_labels(desired, selector))
    warn_unresolved(workspace, state.unresolved.keys() - beside.under_way)
    ids = {a: b.workflow_id for a, b in sorted(state.managed.items())}
    modes = (desired.run_modes if desired else _run_modes(workspace)) if advised else None
    return Outputs(ids, modes and {address: mode for address, mode in modes.items() if address in ids})


def _run_modes(workspace: Workspace) -> Mapping[str, str] | None:
    """The ids are told beside manifests that are not valid too: an application may have nothing but them."""
    if not _may_advise(workspace):
        return {}
    try:
        return workspace.desired(None).run_modes
    except Invalid:
        workspace.settings.warn("the manifests are not valid, so their run modes are left out: see validate")
        return None


def _may_advise(workspace: Workspace) -> bool:
    """Whether any file could hold a run mode. Where none can, thousands of manifests need not be resolved."""
    project, cwd = workspace.project, workspace.cwd
    files = (*manifest_files(project, None, cwd), *overlay_files(project, cwd))
    try:
        return any(may_hold(contents(file, shown(file, cwd)), b"run_mode") for file in files)
    except Stop:
        return True
