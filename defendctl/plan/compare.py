"""Three values a field: desired, live and applied, and how each difference came about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from defendctl.model import Binding, FieldPath, capability_path, field_of, leaves
from defendctl.plan.alike import remade
from defendctl.plan.diff import differing, same
from defendctl.plan.direction import INDETERMINATE, direction, worst

if TYPE_CHECKING:
    from collections.abc import Iterable

    from defendctl.model import Fields, Observed
    from defendctl.plan.direction import Direction
    from defendctl.plan.shapes import Basis, Origin


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One difference. `before` is live or what stands in for it (`basis` says which), `after` desired."""

    path: FieldPath
    before: Any
    after: Any
    applied: Any
    basis: Basis | None
    origin: Origin | None
    direction: Direction

    @property
    def untaken(self) -> bool:
        """Whether what is live is what the API made of what was written: to write it anew changes nothing."""
        made = self.origin == "pending" and remade(self.applied, self.before)
        return made and same(self.after, self.applied)


def compare(desired: Fields, observed: Fields, binding: Binding) -> list[FieldChange]:
    """The differences between what is wanted and what is known to be there, sorted by path.

    Looks only at the fields of `desired`. A field that nobody can read and that was never applied
    is assumed to be as the manifest said when it was taken over.
    """
    wanted = leaves(desired)
    sure = _known(desired, observed, binding)
    changes = [
        _sure(path, leaves(sure).get(path), wanted.get(path), observed, binding)
        for path in differing(sure, {name: desired[name] for name in sure})
    ]
    changes += [_unsure(path, wanted.get(path)) for path in _doubtful(desired, observed, binding)]
    return sorted(changes, key=lambda change: change.path)


def unsure_fields(names: Iterable[str], desired: Fields) -> list[FieldChange]:
    """The differences of fields that will be sent although nobody knows what is there."""
    paths = leaves({name: desired[name] for name in names})
    return [_unsure(path, value) for path, value in sorted(paths.items())]


def never_known(desired: Fields, observed: Fields, binding: Binding) -> set[str]:
    """The fields that can neither be read nor are known to have been applied."""
    return {name for name in desired if name not in observed and not _was_applied(name, binding)}


def console_changes(observed: Observed) -> list[FieldChange]:
    """What only the console can mend, so that it is shown and never an action of its own."""
    off = (
        [_console_change(FieldPath("status"), observed.status, "active")]
        if observed.status != "active"
        else []
    )
    on = [_console_change(capability_path(name), True, False) for name in sorted(observed.capabilities)]
    return off + on


def _console_change(path: FieldPath, live: Any, right: Any) -> FieldChange:
    return FieldChange(path, live, right, right, "live", "drift", direction(path, live, right))


def _known(desired: Fields, observed: Fields, binding: Binding) -> Fields:
    applied = {n: v for n, v in binding.applied.items() if _was_applied(n, binding)}
    return {name: value for name, value in (applied | observed).items() if name in desired}


def _was_applied(name: str, binding: Binding) -> bool:
    return name in binding.applied and name not in binding.unconfirmed


def _doubtful(desired: Fields, observed: Fields, binding: Binding) -> list[FieldPath]:
    """Paths that must be sent (again): a lost update carried them, or the manifest left what was assumed."""
    hidden = never_known(desired, observed, binding)
    lost = {name: desired[name] for name in hidden & binding.unconfirmed}
    assumed = {n: v for n, v in binding.assumed.items() if n in hidden and n not in lost}
    return [*leaves(lost), *differing(assumed, {name: desired[name] for name in assumed})]


def _unsure(path: FieldPath, after: Any) -> FieldChange:
    return FieldChange(path, None, after, None, "unknown", "pending", INDETERMINATE)


def _sure(path: FieldPath, before: Any, after: Any, observed: Fields, binding: Binding) -> FieldChange:
    field = field_of(path)
    basis: Basis = "live" if field in observed else "applied"
    known = _was_applied(field, binding)
    applied = leaves({field: binding.applied[field]}).get(path) if known else None
    origin = _origin(before, after, applied) if known else "pending"
    way = direction(path, before, after)
    if origin == "conflict":
        way = worst((way, direction(path, applied, after)))
    return FieldChange(path, before, after, applied, basis, origin, way)


def _origin(before: Any, after: Any, applied: Any) -> Origin:
    if same(before, applied) or remade(applied, before):
        return "pending"
    return "drift" if same(after, applied) else "conflict"
