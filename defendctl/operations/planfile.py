"""Saved plans: written as they are printed, read only to compare with what is planned anew."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from defendctl.diagnostics import DefendctlError, Precondition

if TYPE_CHECKING:
    from pathlib import Path

_LARGEST = 256 * 1024 * 1024


def read_plan(path: Path) -> dict[str, Any]:
    """A plan document. Raises DefendctlError for what is none, Precondition for a newer format."""
    data = _json(path)
    if not isinstance(data, dict) or data.get("kind") != "plan":
        raise DefendctlError(f"{path} is not a plan; `defendctl plan --out {path}` writes one")
    version = str(data.get("format_version", ""))
    if not version.startswith("1."):
        raise Precondition(f"{path} has plan format {version[:20]!r}; this defendctl reads 1.x")
    return _checked(path, data)


def unreasoned(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """The changes as they go into the digest."""
    return [{k: v for k, v in change.items() if k != "reason"} for change in plan["changes"]]


def _json(path: Path) -> Any:
    try:
        if path.stat().st_size > _LARGEST:
            raise DefendctlError(f"{path} is too large for a plan")
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DefendctlError(f"cannot read the plan {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise DefendctlError(f"{path} is not a plan: it is not JSON") from error


def _checked(path: Path, data: dict[str, Any]) -> dict[str, Any]:
    from pydantic import TypeAdapter, ValidationError

    from defendctl.render.documents import PlanDocument

    try:
        TypeAdapter(PlanDocument).validate_python(data)
    except ValidationError as error:
        where = ".".join(str(step) for step in error.errors()[0]["loc"])
        raise DefendctlError(f"{path} is not a whole plan: look at {where}") from error
    return data
