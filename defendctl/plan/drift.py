"""What was changed behind our back: only what differs from what was applied, seen as the edit it was."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from defendctl.exits import Exit
from defendctl.model import field_of
from defendctl.plan.compare import compare, console_changes
from defendctl.plan.direction import WORST_FIRST, direction, worst

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from defendctl.diagnostics import Span
    from defendctl.model import Binding, FieldPath, Observed, Workflow
    from defendctl.plan.build import Live
    from defendctl.plan.compare import FieldChange
    from defendctl.plan.direction import Direction
    from defendctl.plan.shapes import Origin


@dataclass(frozen=True, slots=True)
class FieldEdit:
    """What somebody did to one field behind our back: from what was last applied to what is live."""

    path: FieldPath
    was: Any
    now: Any
    declared: Any
    """Of what no manifest declares any more: what was last applied."""
    origin: Origin | None
    """`conflict` where what is declared is neither of the two."""
    direction: Direction
    """From `was` to `now`."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one difference that was to be written into the manifests."""

    span: Span | None = None
    """Where it stands now; None if it was not written."""
    reason: str = ""
    """Why it was not, in our words alone."""


@dataclass(frozen=True, slots=True)
class Drifted:
    address: str
    workflow_id: str
    direction: Direction
    status: str
    fields: tuple[FieldEdit, ...]
    missing: bool = False
    """Whether the API answers 404 for it."""
    fates: Mapping[str, Fate] = field(default_factory=dict)
    """By path; empty where nothing was to be written."""

    @property
    def remaining(self) -> tuple[FieldEdit, ...]:
        """What the manifests still do not say."""
        return tuple(f for f in self.fields if f.path not in self.fates or not self.fates[f.path].span)


def build_drift(
    desired: Mapping[str, Workflow], live: Live, bindings: Mapping[str, Binding]
) -> list[Drifted]:
    """One entry for each workflow that was edited, deactivated or is gone, sorted by address."""
    entries = [_entry(a, desired.get(a), live[a], bindings[a]) for a in sorted(live)]
    return [entry for entry in entries if entry.fields or entry.missing]


def ignoring(entries: Sequence[Drifted], ignored: Collection[str]) -> list[Drifted]:
    """Without the differences of these fields or paths, and without entries that have no other."""
    kept = [_without(entry, ignored) for entry in entries]
    return [entry for entry in kept if entry.fields or entry.missing]


def _without(entry: Drifted, ignored: Collection[str]) -> Drifted:
    fields = tuple(f for f in entry.fields if not {f.path, field_of(f.path)} & set(ignored))
    if entry.missing or fields == entry.fields:
        return entry
    return replace(entry, fields=fields, direction=worst(f.direction for f in fields))


def exit_codes(entries: Sequence[Drifted], at_least: str | None = None) -> set[int]:
    """By what remains: 1 for a workflow that is gone, 2 for a difference (at least so bad)."""
    bound = WORST_FIRST.index(at_least) if at_least else len(WORST_FIRST)
    ways = [WORST_FIRST.index(f.direction) for entry in entries for f in entry.remaining]
    gone = any(entry.missing for entry in entries)
    return {
        code for code, held in ((Exit.FAILED, gone), (Exit.FOUND, any(way <= bound for way in ways))) if held
    }


def _edit(change: FieldChange) -> FieldEdit:
    was, now = change.applied, change.before
    return FieldEdit(change.path, was, now, change.after, change.origin, direction(change.path, was, now))


def _entry(address: str, desired: Workflow | None, observed: Observed | None, binding: Binding) -> Drifted:
    if observed is None:
        return Drifted(address, binding.workflow_id, "indeterminate", "missing", (), missing=True)
    wanted = desired.fields() if desired else binding.applied
    changes = compare(wanted, observed.fields, binding)
    changes += console_changes(observed)
    edits = [_edit(change) for change in changes if change.origin in ("drift", "conflict")]
    way = worst(edit.direction for edit in edits)
    fields = tuple(sorted(edits, key=lambda edit: edit.path))
    return Drifted(address, binding.workflow_id, way, observed.status, fields)
