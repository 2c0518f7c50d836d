"""What the answer to a POST says about the create, or the event (docs/reliability.md)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json

from defendctl.model import usable_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from defendctl.api.answer import Answer

MOST_VALUES: Final = 200_000
REFUSED: Final = frozenset({400, 401, 403, 404, 405, 413, 414, 415, 422, 431, 307, 308, 429})


@dataclass(frozen=True, slots=True)
class Created:
    workflow_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was created. `wait` is how long a 429 asks to wait."""

    status: int
    why: str
    wait: float | None = None


@dataclass(frozen=True, slots=True)
class Unsent:
    """Nothing left this machine. `again` unless the API was given up."""

    why: str
    again: bool = True


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have been created, or may yet be."""

    why: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """An event is being evaluated, and paid for."""

    event_id: str


Outcome = Created | Refused | Unsent | Unknown
Submitted = Accepted | Refused | Unsent | Unknown


def classify(answer: Answer, explain: Callable[[], str]) -> Outcome:
    """`explain` gives what the API says of itself, made safe to show: asked for where it is shown."""
    if 200 <= answer.status < 300:
        found = _usable(answer, "workflow_id")
        return found if isinstance(found, Unknown) else Created(found)
    return _not_done(answer, explain())


def classify_event(answer: Answer, explain: Callable[[], str]) -> Submitted:
    """By the same table: what a create is not certain of, an event is not either."""
    if 200 <= answer.status < 300:
        found = _usable(answer, "event_id")
        return found if isinstance(found, Unknown) else Accepted(found)
    return _not_done(answer, explain())


def _not_done(answer: Answer, why: str) -> Refused | Unknown:
    return Refused(answer.status, why) if answer.status in REFUSED else Unknown(why)


def json_object(body: bytes) -> dict[str, Any] | None:
    """None for what is none, and for one of so many values that ten at once would take all memory."""
    if too_many_values(body):
        return None
    try:
        data = _decoded(body)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _decoded(body: bytes) -> Any:
    """As `json.loads`, in half the time for all that pydantic's reader takes: no half of a surrogate pair, no
    other encoding than UTF-8, and nothing nested deeper than 200."""
    try:
        return from_json(body)
    except ValueError:
        return json.loads(body)


def too_many_values(body: bytes) -> bool:
    if len(body) <= MOST_VALUES:
        return False
    return body.count(b"{") + body.count(b"[") + body.count(b",") > MOST_VALUES


def _usable(answer: Answer, key: str) -> str | Unknown:
    data = json_object(answer.body)
    if data is None:
        return Unknown(f"the API answered {answer.status} with something that is not a JSON object")
    found = data.get(key)
    if not usable_id(found):
        return Unknown(f"the API answered {answer.status} without a usable {key}")
    return str(found)
