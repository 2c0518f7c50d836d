"""How two environments, or one at two revisions, differ: what going from the first to the second would do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from defendctl.model import FieldPath, leaves
from defendctl.plan.compare import FieldChange
from defendctl.plan.diff import differing
from defendctl.plan.direction import INDETERMINATE, direction, worst

if TYPE_CHECKING:
    from collections.abc import Mapping

    from defendctl.model import Workflow
    from defendctl.plan.direction import Direction


@dataclass(frozen=True, slots=True)
class Contrast:
    """One address that is not the same in both. `only_in` is None where both have it."""

    address: str
    only_in: str | None
    direction: Direction
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """Of what no workflow says: a rule, a waiver, a setting of the project file."""

    what: str
    before: Any
    after: Any
    """None where it is not there on that side."""
    direction: str


@dataclass(frozen=True, slots=True)
class Comparison:
    first: str
    second: str
    differing: tuple[Contrast, ...]
    alike: int
    besides: tuple[Difference, ...] = ()
    """What else is declared differently; only of one environment at two revisions."""
    renamed: tuple[tuple[str, str], ...] = ()
    """Old and new address of what is the same workflow in both."""

    @property
    def differs(self) -> bool:
        return bool(self.differing or self.besides or self.renamed)

    def count(self, way: str) -> int:
        """Addresses in both with at least one field of this direction: nothing is netted out."""
        return sum(any(field.direction == way for field in one.fields) for one in self.differing)

    def only_in(self, name: str) -> int:
        return sum(one.only_in == name for one in self.differing)


def compare_environments(
    first: str, workflows: Mapping[str, Workflow], second: str, others: Mapping[str, Workflow]
) -> Comparison:
    """Sorted by address. What is in one of them alone is neither looser nor tighter than nothing."""
    found = []
    for address in sorted({*workflows, *others}):
        before, after = workflows.get(address), others.get(address)
        if before and after:
            fields = _fields(before, after)
            if fields:
                found.append(Contrast(address, None, worst(f.direction for f in fields), fields))
        else:
            found.append(Contrast(address, first if before else second, INDETERMINATE))
    both = workflows.keys() & others.keys()
    return Comparison(first, second, tuple(found), len(both) - sum(not one.only_in for one in found))


def follow_renames(
    workflows: Mapping[str, Workflow], others: Mapping[str, Workflow], renamed: Mapping[str, str]
) -> tuple[dict[str, Workflow], tuple[tuple[str, str], ...]]:
    """The first ones at the addresses that the others give them (`renamed`: new → old), and which."""
    moved = {
        old: new
        for new, old in renamed.items()
        if old in workflows and new in others and new not in workflows and old not in others
    }
    return {moved.get(a, a): w for a, w in workflows.items()}, tuple(sorted(moved.items()))


def _fields(before: Workflow, after: Workflow) -> tuple[FieldChange, ...]:
    left, right = leaves(before.fields()), leaves(after.fields())
    changed = tuple(
        FieldChange(
            path, left.get(path), right.get(path), None, None, None,
            direction(path, left.get(path), right.get(path)),
        )
        for path in differing(before.fields(), after.fields())
    )  # fmt: skip
    if before.unmanaged == after.unmanaged:
        return changed
    lists = sorted(before.unmanaged), sorted(after.unmanaged)
    return (*changed, FieldChange(FieldPath("unmanaged"), *lists, None, None, None, INDETERMINATE))
