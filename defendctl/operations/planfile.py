"""Saved plans: written as they are printed, read only to compare with what is planned anew."""

from __future__ import annotations

import re
import stat
from functools import cache
from typing import TYPE_CHECKING, Any

from defendctl.command import command
from defendctl.diagnostics import DefendctlError, Precondition
from defendctl.state.bounded import parse
from defendctl.yamltext.quote import path_of

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import TypeAdapter

    from defendctl.render.json.contract import PlanDocument

_VERSION = re.compile(r"[0-9]{1,4}(\.[0-9]{1,4})?")
_LARGEST = 48 * 1024 * 1024


def read_plan(path: Path) -> dict[str, Any]:
    """A plan document. Raises DefendctlError for what is none, Precondition for a newer format."""
    data = read_json(path, "plan", _hint(path))
    if not isinstance(data, dict) or data.get("kind") != "plan":
        raise DefendctlError(f"{path} is not a plan; {_writes(path)}")
    version = data.get("format_version")
    if isinstance(version, str) and not version.startswith("1."):
        given = f"the plan format {version}" if _VERSION.fullmatch(version) else "another plan format"
        raise Precondition(f"{path} has {given}; this defendctl reads 1.x: plan again")
    return _checked(path, data)


def _writes(path: Path) -> str:
    return f"`{command('plan --out {}', str(path))}` writes one"


def _hint(path: Path) -> str:
    return f"{_writes(path)}; `{command('apply --expect DIGEST@SERIAL')}` needs none"


def unreasoned(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """The changes as they go into the digest."""
    return [{k: v for k, v in change.items() if k != "reason"} for change in plan["changes"]]


def read_json(path: Path, what: str, hint: str) -> Any:
    """Any JSON document of bounded size. Raises DefendctlError, which says that the file is not `what`."""
    try:
        return parse(_text(path, what), _LARGEST)
    except OSError as error:
        raise DefendctlError(f"cannot read the {what} {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DefendctlError(f"{path} is not a {what}: it is not UTF-8") from error
    except ValueError as error:
        raise DefendctlError(f"{path} is not a {what}: {error}", hint) from error


def _text(path: Path, what: str) -> str:
    if not stat.S_ISREG(path.stat().st_mode):  # before opening: a pipe would hang
        raise DefendctlError(f"{path} is not a {what}: it is not a regular file")
    with path.open("rb") as file:
        return file.read(_LARGEST + 1).decode("utf-8")


@cache
def _shape() -> TypeAdapter[PlanDocument]:
    """Made once a process: it takes far longer than what it checks."""
    from pydantic import TypeAdapter

    from defendctl.render.json.contract import PlanDocument

    return TypeAdapter(PlanDocument)


def _checked(path: Path, data: dict[str, Any]) -> dict[str, Any]:
    from pydantic import ValidationError

    try:
        _shape().validate_python(data, strict=True)
    except ValidationError as error:
        where = path_of(map(str, error.errors(include_input=False)[0]["loc"]))
        raise DefendctlError(f"{path} is not a complete plan: look at {where}", _hint(path)) from error
    return data
