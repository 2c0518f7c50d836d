"""Which paths of a workflow differ. The only user of deepdiff, and only when something does differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from defendctl.model import FieldPath, metric_path

if TYPE_CHECKING:
    from defendctl.model import Fields

EPSILON = 1e-6
"""A server may write a threshold anew, as a number of single precision even: docs/api.md 4."""


def same(a: Any, b: Any) -> bool:
    """Whether two leaves are the same value."""
    if isinstance(a, float) and isinstance(b, float):
        return abs(a - b) <= EPSILON
    return type(a) is type(b) and bool(a == b)


def differing(before: Fields, after: Fields) -> list[FieldPath]:
    """The sorted paths at which the two differ."""
    if before == after:
        return []
    from deepdiff import DeepDiff

    tree = DeepDiff(
        before,
        after,
        view="tree",
        math_epsilon=EPSILON,
        threshold_to_diff_deeper=0,
        ignore_private_variables=False,
        verbose_level=2,
    )
    return sorted({_path(level.path(output_format="list")) for levels in tree.values() for level in levels})


def _path(steps: list[Any]) -> FieldPath:
    return metric_path(steps[1]) if steps[0] == "metrics" and len(steps) > 1 else FieldPath(str(steps[0]))
