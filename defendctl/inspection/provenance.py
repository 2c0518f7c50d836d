"""Of each field: its value, where that comes from, and when it was last recorded. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from defendctl.event import moment
from defendctl.model import FieldPath, field_of, leaves

if TYPE_CHECKING:
    from defendctl.inspection.view import Row, View
    from defendctl.model import Binding


Source = Literal["live", "event", "applied", "unconfirmed", "assumed", "unknown"]


@dataclass(frozen=True, slots=True)
class Sighting:
    """The attempts limit as the detail of a recent event tells it. `at` is when that event was submitted."""

    event_id: str
    at: str
    value: int


@dataclass(frozen=True, slots=True)
class Known:
    """`value` is None where it is not known. `recorded_at` and `recorded_by`: of what was last applied."""

    path: FieldPath
    value: Any
    source: Source
    event: Sighting | None = None
    recorded_at: str | None = None
    recorded_by: str | None = None


@dataclass(frozen=True, slots=True)
class ShownProvenance:
    view: View
    known: tuple[Known, ...]
    age: float | None
    """Of the event that told something, in seconds."""


def provenance(view: View, binding: Binding | None, sighting: Sighting | None) -> tuple[Known, ...]:
    """A row for each of the view's. `sighting` is younger than the last change: ask `younger` before."""
    return tuple(_known(row, binding, sighting) for row in view.fields)


def younger(at: str | None, changed: str | None, binding: Binding) -> bool:
    """Whether an event of this time was judged by what is there now. Not known is no.

    `changed` is what the API says of the last change. What we recorded counts too: the API's word for an
    update may come late.
    """
    if at is None or changed is None:
        return False
    return all(
        _after(moment(at), moment(c)) for c in (changed, *(when for when, _ in binding.recorded.values()))
    )


def _after(at: str, change: str) -> bool:
    """A change that is told to the second may have come at its end."""
    return at[: len(change)] > change


def _known(row: Row, binding: Binding | None, sighting: Sighting | None) -> Known:
    field = field_of(row.path)
    at, by = binding.recorded.get(field, (None, None)) if binding else (None, None)
    if binding is None:
        return Known(row.path, None, "unknown")
    if row.basis == "live":
        return Known(row.path, row.live, "live", None, at, by)
    if field == "max_retries" and sighting:
        return Known(row.path, sighting.value, "event", sighting, at, by)
    if field in binding.unconfirmed:
        return Known(row.path, None, "unconfirmed", None, at, by)
    if field in binding.applied:
        return Known(row.path, row.applied, "applied", None, at, by)
    if field in binding.assumed:
        return Known(row.path, leaves(binding.assumed).get(row.path), "assumed")
    return Known(row.path, None, "unknown")
