"""show --provenance: how each value is known. Events are asked for here, and nowhere unasked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from defendctl.diagnostics import ApiError, KeyRefused
from defendctl.inspection.provenance import ShownProvenance, Sighting, provenance, younger
from defendctl.operations.show import show

if TYPE_CHECKING:
    from defendctl.api.client import DefendApi
    from defendctl.model import Binding
    from defendctl.operations.workspace import Workspace


def show_provenance(workspace: Workspace, address: str) -> ShownProvenance:
    """As `show`, and where each value comes from."""
    view = show(workspace, address)
    binding = workspace.read_state().state.bindings.get(address)
    hidden = any(row.path == "max_retries" and row.basis != "live" for row in view.fields)
    sighting = None
    if binding and hidden and view.status != "missing":
        with workspace.api() as api:
            sighting = _sighting(workspace, api, binding)
    age = (datetime.now(UTC) - _instant(sighting.at)).total_seconds() if sighting else None
    return ShownProvenance(view, provenance(view, binding, sighting), age)


def _sighting(workspace: Workspace, api: DefendApi, binding: Binding) -> Sighting | None:
    """What the newest event tells of the attempts limit, if it is younger than the last change."""
    try:
        listed = api.recent(binding.workflow_id, 1, content=False)
        newest = listed.events[0] if listed and listed.events else None
        if newest is None or newest.at is None:
            return None
        changed = api.examine(binding.workflow_id, 1).changed
        if not younger(newest.at, changed, binding):
            return None
        event = api.event(binding.workflow_id, newest.event_id, content=False)
    except KeyRefused:
        raise
    except ApiError as error:
        workspace.settings.warn(f"no event could be read: {error.message}")
        return None
    value = event.settings.get("max_retries") if event else None
    return Sighting(newest.event_id, newest.at, value) if isinstance(value, int) else None


def _instant(at: str) -> datetime:
    moment = datetime.fromisoformat(at)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
