"""How each value of a workflow is known, for people and for scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.render.inert import inert, value
from defendctl.render.setting import PLAIN
from defendctl.render.words import named, path

if TYPE_CHECKING:
    from defendctl.inspection.provenance import Known, ShownProvenance
    from defendctl.render.setting import Setting


_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def provenance(shown: ShownProvenance, setting: Setting = PLAIN) -> str:
    view = shown.view
    head = f"{named(setting.environment)}{inert(view.address)}  {inert(view.workflow_id or 'not bound')}"
    head += f"  {inert(view.status)}" if view.status else ""
    rows = [("field", "value", "known from", "last applied")]
    rows += [(path(k.path), _value(k), _source(k, shown.age), _applied(k)) for k in shown.known]
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    lines = ["  " + "  ".join([*map(str.ljust, row[:3], widths), row[3]]).rstrip() for row in rows]
    return "\n".join([head, *lines]) + "\n"


def _value(known: Known) -> str:
    return "?" if known.source in ("unconfirmed", "unknown") else value(known.value)


def _source(known: Known, age: float | None) -> str:
    if known.event:
        return f"event {inert(known.event.event_id)}, {_ago(age or 0)} old"
    return {
        "live": "live",
        "applied": "what was last applied; the API does not return it",
        "unconfirmed": "unknown: an update that sent it has an unknown outcome",
        "assumed": "the manifest, assumed: it was never read or applied",
    }.get(known.source, "unknown: it was never read or applied")


def _applied(known: Known) -> str:
    if known.recorded_at:
        return f"{inert(known.recorded_at[:19])} by {inert(known.recorded_by or '')}"
    return "before times were recorded" if known.source == "applied" else "-"


def _ago(seconds: float) -> str:
    """In the largest unit that it fills."""
    size, unit = next((u for u in _UNITS if seconds >= u[0]), _UNITS[-1])
    count = max(0, int(seconds // size))
    return f"{count} {unit}{'' if count == 1 else 's'}"
