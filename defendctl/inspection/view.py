"""One workflow from all sides: desired, live and applied, with how each value is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from defendctl.model import FIELDS, FieldPath, capability_path, field_of, leaves

if TYPE_CHECKING:
    from collections.abc import Mapping

    from defendctl.model import Binding, Observed, Workflow


@dataclass(frozen=True, slots=True)
class Row:
    path: FieldPath
    desired: Any
    live: Any
    applied: Any
    basis: str | None


@dataclass(frozen=True, slots=True)
class View:
    """`status` is None where nothing is bound, `missing` where the API answers 404."""

    address: str
    workflow_id: str | None
    status: str | None
    fields: tuple[Row, ...]
    unmanaged: tuple[str, ...] = ()
    """Fields that are left to the console: whatever is desired of them is none of ours."""
    stats: Mapping[str, float] | None = None
    """What the live workflow counts of itself, where that was asked for; empty where it tells nothing."""


def build_view(
    address: str, desired: Workflow | None, observed: Observed | None, binding: Binding | None
) -> View:
    wanted = leaves(desired.fields()) if desired else {}
    seen = leaves(observed.fields) if observed else {}
    applied = leaves(_confirmed(binding)) if binding else {}
    paths = sorted({*wanted, *seen, *applied}, key=lambda path: (FIELDS.index(field_of(path)), path))
    rows = tuple(
        Row(path, wanted.get(path), seen.get(path), applied.get(path), _basis(path, observed, binding))
        for path in paths
    )
    on = sorted(observed.capabilities) if observed else ()
    rows += tuple(Row(capability_path(name), None, True, None, "live") for name in on)
    status = None if binding is None else observed.status if observed else "missing"
    left = tuple(sorted(desired.unmanaged)) if desired else ()
    return View(address, binding.workflow_id if binding else None, status, rows, left)


def _confirmed(binding: Binding) -> dict[str, Any]:
    return {n: v for n, v in binding.applied.items() if n not in binding.unconfirmed}


def _basis(path: FieldPath, observed: Observed | None, binding: Binding | None) -> str | None:
    field = field_of(path)
    if binding is None:
        return None
    if observed and field in observed.fields:
        return "live"
    if field in _confirmed(binding):
        return "applied"
    return "assumed" if field in binding.assumed and field not in binding.unconfirmed else "unknown"
