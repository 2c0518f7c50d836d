"""How two environments differ: what going from the first to the second would do to each guardrail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from defendctl.model import leaves
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
class Comparison:
    first: str
    second: str
    differing: tuple[Contrast, ...]
    alike: int

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


def _fields(before: Workflow, after: Workflow) -> tuple[FieldChange, ...]:
    left, right = leaves(before.fields()), leaves(after.fields())
    return tuple(
        FieldChange(
            path, left.get(path), right.get(path), None, None, None,
            direction(path, left.get(path), right.get(path)),
        )
        for path in differing(before.fields(), after.fields())
    )  # fmt: skip
