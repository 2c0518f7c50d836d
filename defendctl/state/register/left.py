"""Ids that a run could not record any more, as loose values: fenced by nothing, each under its operation."""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from defendctl.diagnostics import DefendctlError
from defendctl.model import usable_id
from defendctl.state.backend import LeftId, Unreachable
from defendctl.state.bounded import parse
from defendctl.state.register import swaps

if TYPE_CHECKING:
    from defendctl.state.register.engine import Engine

LONGEST: Final = 1_024
_PLAIN: Final = re.compile("[0-9A-Za-z]{1,64}")


def name_of(op: str) -> str:
    """As it may stand in a path or in an address, whatever an operation is called."""
    return op if _PLAIN.fullmatch(op) else hashlib.sha256(op.encode()).hexdigest()


def leave(engine: Engine, op: str, workflow_id: str) -> str | None:
    """Where; None if it cannot be put."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    data = json.dumps({"op": op, "workflow_id": workflow_id, "at": at}).encode()
    with suppress(DefendctlError):
        for wait in (0.0, *swaps.SOON):
            swaps.pause(wait)
            with suppress(Unreachable):
                engine.put(name_of(op), data)
                return f"{engine.where}, as the answer to {op}"
    return None


def id_in(data: bytes | None) -> str | None:
    workflow_id = _body(data).get("workflow_id")
    return workflow_id if usable_id(workflow_id) else None


def what_is_left(name: str, data: bytes) -> LeftId:
    """The name stands for the operation where what is there says none that belongs to it."""
    op, workflow_id = _body(data).get("op"), id_in(data)
    mine = isinstance(op, str) and name_of(op) == name
    told = f"{name} ({workflow_id or 'it holds no usable id'})"
    return LeftId(str(op) if mine else name, workflow_id, told)


def _body(data: bytes | None) -> dict[str, Any]:
    with suppress(ValueError):
        body = parse((data or b"").decode(), LONGEST)
        return body if isinstance(body, dict) else {}
    return {}
