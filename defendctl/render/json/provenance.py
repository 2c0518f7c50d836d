"""Where a value comes from, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.render.json.dump import FORMAT_VERSION, named
from defendctl.render.json.results import row_document
from defendctl.render.setting import PLAIN

if TYPE_CHECKING:
    from defendctl.inspection.provenance import Known, ShownProvenance, Sighting
    from defendctl.render.json.documents import KnownDocument, ProvenanceDocument, SightingDocument
    from defendctl.render.setting import Setting


def provenance(shown: ShownProvenance, setting: Setting = PLAIN) -> ProvenanceDocument:
    view = shown.view
    return {
        "format_version": FORMAT_VERSION,
        "kind": "workflow",
        **named(setting.environment),
        "address": view.address,
        "workflow_id": view.workflow_id,
        "status": view.status,
        "fields": [row_document(row) for row in view.fields],
        "unmanaged": list(view.unmanaged),
        "provenance": [_known(one, shown.age) for one in shown.known],
    }


def _known(known: Known, age: float | None) -> KnownDocument:
    return {
        "path": known.path,
        "value": known.value,
        "source": known.source,
        "event": _sighting(known.event) if known.event else None,
        "recorded_at": known.recorded_at,
        "recorded_by": known.recorded_by,
        "event_age_seconds": round(age) if known.event and age is not None else None,
    }


def _sighting(event: Sighting) -> SightingDocument:
    return {"event_id": event.event_id, "at": event.at, "value": event.value}
