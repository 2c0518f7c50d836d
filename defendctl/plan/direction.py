"""What a difference does to the guardrail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from defendctl.model import ACTIONS, FieldPath, is_metric

if TYPE_CHECKING:
    from collections.abc import Iterable

Direction = Literal["loosens", "indeterminate", "lateral", "tightens", "none"]
LOOSENS: Final = "loosens"
INDETERMINATE: Final = "indeterminate"
LATERAL: Final = "lateral"
TIGHTENS: Final = "tightens"
NONE: Final = "none"

WORST_FIRST: Final[tuple[Direction, ...]] = (LOOSENS, INDETERMINATE, LATERAL, TIGHTENS, NONE)


def worst(directions: Iterable[Direction]) -> Direction:
    """A loosening is never netted out."""
    return min(directions, key=WORST_FIRST.index, default=NONE)


def direction(path: FieldPath, before: Any, after: Any) -> Direction:
    """From `before` to `after` at `path`; None stands for a metric that is not there."""
    if path in ("name", "description"):
        return NONE
    if is_metric(path):
        return _metric(before, after)
    if path == "max_retries":
        return _number(before, after)
    if path == "improvement_action":
        return _improvement_action(before, after)
    if path == "status":
        return _status(before, after)
    return INDETERMINATE


def _metric(before: Any, after: Any) -> Direction:
    if before is None and after is not None:
        return TIGHTENS
    if after is None and before is not None:
        return LOOSENS
    return _number(before, after)


def _number(before: Any, after: Any) -> Direction:
    if not (_is_number(before) and _is_number(after)):
        return INDETERMINATE
    return TIGHTENS if after > before else LOOSENS


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _improvement_action(before: Any, after: Any) -> Direction:
    if before not in ACTIONS or after not in ACTIONS:
        return INDETERMINATE
    if after == "none":
        return LOOSENS
    return TIGHTENS if before == "none" else LATERAL


def _status(before: Any, after: Any) -> Direction:
    return LOOSENS if "inactive" in (before, after) else INDETERMINATE
