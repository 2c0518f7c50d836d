"""One name for each thing that a plan does: the same whenever the same is planned, however it is known. Pure.

A digest covers a plan as a whole; a fingerprint covers one change of it. What was applied is remembered by
both, so that nothing which was reviewed once is applied a second time.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from defendctl.model import FieldPath, SentValue, is_metric, leaves, only_console
from defendctl.plan.digest import canonical, digest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from defendctl.model import Fields, LocalFile
    from defendctl.plan.changes import Change, Plan
    from defendctl.plan.compare import FieldChange

LENGTH: Final = 32
DECIMALS: Final = 6
"""Of a threshold; closer ones are equal."""
MOVE: Final = "move"

Denied = tuple[str | None, str | None]
"""Address and field that the policy denies; None stands for the whole plan, or the whole workflow."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    address: str
    action: str
    field: FieldPath | None
    """The path, where the action is told field by field."""
    value: str


@dataclass(frozen=True, slots=True)
class Spends:
    """What one address of a plan spends once it is done."""

    digest: str | None = None
    fingerprints: tuple[Fingerprint, ...] = ()

    @property
    def whole(self) -> list[str]:
        """All that is told of the action as a whole; the fields of an update are spent one by one."""
        told = [one.value for one in self.fingerprints if one.field is None and one.action != "create"]
        return [self.digest, *told] if self.digest else told

    def sent(self, values: Fields) -> list[SentValue]:
        """What an update changes, by which it is known again if its answer is lost."""
        told = leaves(values)
        return [SentValue(f.field, told.get(f.field), f.value) for f in self.fingerprints if f.field]


def spends(plan: Plan) -> dict[tuple[str, str], Spends]:
    """By address and action; a rename stands at its new address."""
    found: dict[tuple[str, str], list[Fingerprint]] = {(c.address, c.action): [] for c in plan.work}
    for one in fingerprints(plan):
        found.setdefault((one.address, one.action), []).append(one)
    made = digest(plan)
    return {key: Spends(made, tuple(told)) for key, told in found.items()}


def fingerprints(plan: Plan, denied: Collection[Denied] = ()) -> list[Fingerprint]:
    """Of all that apply would do, in the order of the plan. What is blocked or denied is not done."""
    if (None, None) in denied:
        return []
    moves = [
        Fingerprint(m.new, MOVE, None, _hashed(_head(plan), MOVE, m.old, m.new, m.workflow_id))
        for m in plan.moves
    ]
    return moves + [one for change in plan.work for one in _of_change(change, plan, denied)]


def _of_change(change: Change, plan: Plan, denied: Collection[Denied]) -> Iterator[Fingerprint]:
    here = {field for address, field in denied if address == change.address}
    if None in here or (here and change.action != "update"):
        return
    about = [*_head(plan), change.address, change.workflow_id, change.action]
    sides = {path: pair for path, pair in _sides(change) if path not in here}
    if change.action == "update":
        for path, (before, after) in sides.items():
            yield Fingerprint(change.address, "update", path, _hashed(about, path, before, after))
    else:
        yield Fingerprint(change.address, change.action, None, _hashed(about, sides))


def _sides(change: Change) -> Iterator[tuple[FieldPath, list[Any]]]:
    """Path → before and after. A field that cannot be read was what was last applied."""
    for field in change.fields:
        if only_console(field.path) or field.untaken:
            continue
        before = _said(field.path, _before(field, change), change.files)
        after = _said(field.path, field.after, change.files)
        if field.basis != "unknown" or before != after:
            yield field.path, [before, after]


def _before(field: FieldChange, change: Change) -> Any:
    if field.basis == "unknown" and change.binding:
        return leaves(change.binding.applied).get(field.path)
    return field.before


def _said(path: FieldPath, value: Any, files: Mapping[str, LocalFile]) -> Any:
    """A value as it is hashed: thresholds rounded, a file of the repository by what it holds."""
    if is_metric(path) and isinstance(value, int | float):
        return round(float(value), DECIMALS)
    if isinstance(value, list | tuple):
        return sorted(files[one].content if one in files else one for one in value)
    return value


def _head(plan: Plan) -> list[str | None]:
    return [plan.host, plan.environment, plan.lineage, plan.generation]


def _hashed(about: Iterable[Any], *more: Any) -> str:
    return hashlib.sha256(canonical([*about, *more]).encode()).hexdigest()[:LENGTH]
