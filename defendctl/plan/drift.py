"""What was changed behind our back: only what differs from what was applied, seen as the edit it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from defendctl.plan.compare import FieldChange, as_edit, compare, status_change
from defendctl.plan.direction import worst

if TYPE_CHECKING:
    from collections.abc import Mapping

    from defendctl.model import Binding, Observed, Workflow
    from defendctl.plan.build import Live


@dataclass(frozen=True, slots=True)
class Drifted:
    address: str
    workflow_id: str
    direction: str
    status: str
    fields: tuple[FieldChange, ...]
    missing: bool = False
    """Whether the API answers 404 for it."""


def build_drift(
    desired: Mapping[str, Workflow], live: Live, bindings: Mapping[str, Binding]
) -> list[Drifted]:
    """One entry for each workflow that was edited, deactivated or is gone, sorted by address."""
    entries = [_entry(a, desired.get(a), live[a], bindings[a]) for a in sorted(live)]
    return [entry for entry in entries if entry.fields or entry.missing]


def _entry(address: str, desired: Workflow | None, observed: Observed | None, binding: Binding) -> Drifted:
    if observed is None:
        return Drifted(address, binding.workflow_id, "indeterminate", "missing", (), missing=True)
    wanted = desired.fields() if desired else binding.applied
    changes = compare(wanted, observed.fields, binding)
    edits = [as_edit(change) for change in changes if change.origin in ("drift", "conflict")]
    if observed.status != "active":
        edits.append(as_edit(status_change(observed.status)))
    way = worst(edit.direction for edit in edits)
    fields = tuple(sorted(edits, key=lambda edit: edit.path))
    return Drifted(address, binding.workflow_id, way, observed.status, fields)
