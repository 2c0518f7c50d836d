"""What a reviewer consents to: a hash over everything that decides what apply would do."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from defendctl.plan.changes import Change, Move, Plan
    from defendctl.plan.compare import FieldChange
    from defendctl.plan.shapes import DigestedDocument, FieldDocument, MoveDocument

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
        hashed.update(("," * (place > 0) + canonical(_digested(change))).encode())
    hashed.update(f"]{tail}".encode())
    return "sha256:" + hashed.hexdigest()


def digested(changes: Iterable[Change]) -> list[DigestedDocument]:
    """The changes as the digest covers them."""
    return [_digested(change) for change in changes]


def _digested(change: Change) -> DigestedDocument:
    return {
        "address": change.address,
        "workflow_id": change.workflow_id,
        "action": change.action,
        "direction": change.direction,
        "fields": [field_document(field) for field in change.fields],
    }


def moves_data(moves: Iterable[Move]) -> list[MoveDocument]:
    return [{"from": move.old, "to": move.new, "workflow_id": move.workflow_id} for move in moves]


def field_document(field: FieldChange) -> FieldDocument:
    return {
        "path": field.path,
        "before": field.before,
        "after": field.after,
        "applied": field.applied,
        "basis": field.basis,
        "origin": field.origin,
        "direction": field.direction,
    }
