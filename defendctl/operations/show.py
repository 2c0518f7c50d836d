"""show and outputs: looking without changing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from defendctl.diagnostics import DefendctlError, suggest
from defendctl.inspection.view import build_view
from defendctl.operations.beside import read_beside, warn_of_run
from defendctl.operations.selection import chosen_by_labels, only
from defendctl.operations.uploads import with_uploads
from defendctl.operations.workspace import warn_unresolved
from defendctl.plan.identity import another_id
from defendctl.plan.renames import settle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from defendctl.inspection.view import View
    from defendctl.operations.workspace import Workspace


def show(workspace: Workspace, address: str, stats: bool = False) -> View:
    """One workflow from all sides; with `stats`, what it counts of itself too.

    Raises DefendctlError for an address that is nowhere.
    """
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
    view = build_view(address, desired.workflows.get(address), observed, binding)
    return replace(view, stats=observed.stats if observed else {}) if stats else view


def outputs(workspace: Workspace, selector: Sequence[str] = ()) -> dict[str, str]:
    """Address → workflow id, of what is bound; offline. The manifests are read for their labels alone."""
    beside = read_beside(workspace)
    warn_of_run(workspace, beside)
    state = beside.snapshot.state
    if selector:
        state = only(state, chosen_by_labels(workspace.desired(None), selector))
    warn_unresolved(workspace, state.unresolved.keys() - beside.under_way)
    return {a: b.workflow_id for a, b in sorted(state.managed.items())}
