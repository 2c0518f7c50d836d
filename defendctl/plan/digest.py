"""What a reviewer consents to: a hash over everything that decides what apply would do."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from defendctl.plan.changes import Change, Move, Plan
    from defendctl.plan.compare import FieldChange

_NO_CHANGES: Final = '{"changes":[]'
"""How the canonical text begins, for no other key comes before this one."""


def canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def digest(plan: Plan) -> str:
    """Over API host, environment (if any), lineage, generation, options, changes and moves.

    Not over reasons, serial or diagnostics.
    """
    content = {
        "host": plan.host,
        **({"environment": plan.environment} if plan.environment else {}),
        "lineage": plan.lineage,
        "generation": plan.generation,
        "options": plan.options.data(),
        "changes": [],
        **({"moves": moves_data(plan.moves)} if plan.moves else {}),
    }
    tail = canonical(content).removeprefix(_NO_CHANGES)
    hashed = hashlib.sha256(_NO_CHANGES[:-1].encode())
    for place, change in enumerate(plan.listed):  # one after the other, for all at once fill the memory
        hashed.update(("," * (place > 0) + canonical(_change_data(change, reasons=False))).encode())
    hashed.update(f"]{tail}".encode())
    return "sha256:" + hashed.hexdigest()


def changes_data(changes: Iterable[Change], *, reasons: bool) -> list[dict[str, Any]]:
    """The changes in the words of the plan's JSON."""
    return [_change_data(change, reasons) for change in changes]


def moves_data(moves: Iterable[Move]) -> list[dict[str, Any]]:
    return [{"from": move.old, "to": move.new, "workflow_id": move.workflow_id} for move in moves]


def field_data(field: FieldChange) -> dict[str, Any]:
    return {
        "path": field.path,
        "before": field.before,
        "after": field.after,
        "applied": field.applied,
        "basis": field.basis,
        "origin": field.origin,
        "direction": field.direction,
    }


def _change_data(change: Change, reasons: bool) -> dict[str, Any]:
    reason = {"reason": change.reason.text if change.action == "blocked" else None} if reasons else {}
    return {
        "address": change.address,
        "workflow_id": change.workflow_id,
        "action": change.action,
        **reason,
        "direction": change.direction,
        "fields": [field_data(field) for field in change.fields],
    }
