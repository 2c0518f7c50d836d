"""-l: the declared workflows whose labels are as it says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from defendctl.diagnostics import Usage
from defendctl.policy.selector import FORM, selected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from defendctl.manifest.desired import Desired
    from defendctl.model import State


def chosen_by_labels(desired: Desired, selector: Sequence[str]) -> set[str]:
    """Raises Usage for a selector that is none, and for one that selects nothing: that is a typo."""
    try:
        found = selected(selector, desired.workflows, desired.labels)
    except ValueError as error:
        raise Usage(f"-l {error}") from None
    if not found:
        raise Usage(f"-l {','.join(selector)!r} selects no declared workflow.{_labels(desired)}", FORM)
    return found


def only(state: State, addresses: set[str]) -> State:
    """What the state knows of these addresses."""
    return replace(
        state,
        bindings={a: b for a, b in state.bindings.items() if a in addresses},
        unresolved={a: i for a, i in state.unresolved.items() if a in addresses},
        tombstones={a: old for a, old in state.tombstones.items() if a in addresses},
    )


def _labels(desired: Desired) -> str:
    there = sorted(
        {f"{name}={value}" for labels in desired.labels.values() for name, value in labels.items()}
    )
    more = ", ..." if len(there) > 8 else ""
    return f" There are: {', '.join(there[:8])}{more}" if there else " None of them has labels."
