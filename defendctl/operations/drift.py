"""Compare what was applied with what is live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.operations.beside import read_beside, warn_beside
from defendctl.operations.by_label import chosen_by_labels
from defendctl.operations.live import read_live, refuse_if_all_missing
from defendctl.operations.plan import read_others
from defendctl.operations.uploads import with_uploads
from defendctl.operations.workspace import warn_unresolved
from defendctl.plan.drift import build_drift
from defendctl.plan.renames import settle

if TYPE_CHECKING:
    from defendctl.manifest.desired import Desired
    from defendctl.operations.progress import Progress
    from defendctl.operations.selection import Selection
    from defendctl.operations.workspace import Workspace
    from defendctl.plan.drift import Drifted


def drift(workspace: Workspace, desired: Desired, chosen: Selection, progress: Progress) -> list[Drifted]:
    """What was edited behind our back, of everything bound (or, with -f, of what these files declare)."""
    beside = read_beside(workspace)
    warn_beside(workspace, beside)
    state = beside.snapshot.state
    workspace.check_host(state)
    elsewhere = {*read_others(workspace, state, chosen.files), *desired.left_out}
    state = settle(desired.renamed, {}, desired.workflows, state, elsewhere).state
    inside = set(desired.workflows) if chosen.files else None
    unknown = state.unresolved.keys() - beside.under_way
    if chosen.selector:
        inside = chosen_by_labels(desired, chosen.selector)
        unknown &= inside
    warn_unresolved(workspace, unknown)
    ids = {
        address: binding.workflow_id
        for address, binding in sorted(state.managed.items())
        if inside is None or address in inside
    }
    reading = read_live(workspace, ids, state, chosen.parallelism, progress)
    refuse_if_all_missing(reading.live, state, chosen)
    for diagnostic in reading.diagnostics:
        workspace.settings.warn(diagnostic.message)
    return build_drift(with_uploads(desired, state).workflows, reading.live, state.bindings)
