"""From an answer to a GET to what it looks like: names, times and numbers, and no text of an event."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from defendctl.api.decode import finite, observe
from defendctl.api.detail import evaluations_of
from defendctl.api.outcome import json_object
from defendctl.event import moment
from defendctl.inspection.questions import Seen
from defendctl.model import TYPES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_RATES: Final = re.compile(r"(x-)?rate-?limit[a-z-]{0,30}|retry-after(-ms)?")
_STATES: Final = frozenset({"active", "inactive", "archived"})
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|\+00:00)?")
_MOST: Final = 20
_KNOWN: Final = frozenset(
    [
        "workflow_id",
        "name",
        "description",
        "status",
        "created_at",
        "updated_at",
        "modified_at",
        "type",
        "threshold_type",
        "metrics",
        "automatic_tolerance",
        "automatic_hallucination_tolerance_levels",
        "custom_hallucination_threshold_values",
        "improvement_action",
        "max_retries",
        "max_improvement_attempt",
        "max_improvement_attempts",
        "capabilities",
        "files",
        "events",
        "stats",
        "success_rate",
    ]
)
"""What a workflow may hold in any generation (docs/api.md 2, 3)."""


def examined(status: int, headers: Iterable[str], body: bytes) -> Seen:
    """`headers` are names. What is no workflow is an answer with a form of its own."""
    limits = tuple(sorted({h.lower() for h in headers if _RATES.fullmatch(h.lower())}))
    data = json_object(body)
    if status != 200 or data is None:
        return Seen(status, error=_form(body, data), limits=limits)
    try:
        observed = observe(data)
    except ValueError:
        return Seen(status, error=_form(body, data), limits=limits)
    event = _newest(data.get("events"))
    events = data.get("events")
    return Seen(
        status,
        limits=limits,
        workflow_id=observed.workflow_id,
        name=observed.fields.get("name"),
        evidence=observed.evidence,
        readable=frozenset(observed.fields),
        names=tuple(key for key in data if key in _KNOWN),
        unknown=_words([key for key in data if key not in _KNOWN]),
        state=_state(data.get("status")),
        changed=_time(data.get("updated_at")) or _time(data.get("modified_at")),
        type=observed.fields.get("type") if observed.fields.get("type") in TYPES else None,
        metrics={name: value for name, value in observed.fields.get("metrics", {}).items() if _is_word(name)},
        capabilities=_words(sorted(observed.capabilities)),
        attempts=finite(observed.fields.get("max_retries")),
        events=len(events) if isinstance(events, list) else None,
        event_at=_evaluated(event),
        thresholds=_thresholds(event),
    )


def _state(status: Any) -> str | None:
    return status if isinstance(status, str) and status in _STATES else None


def _form(body: bytes, data: Mapping[str, Any] | None) -> str:
    """Of an error, or of anything else that is no workflow."""
    if data is None:
        return "no JSON object" if body.strip() else "nothing"
    for key in ("detail", "message", "error"):
        if key in data:
            kind = (
                "a text"
                if isinstance(data[key], str)
                else "a list"
                if isinstance(data[key], list)
                else "an object"
            )
            return f"an object with `{key}`, {kind}"
    return "an object without `detail`, `message` or `error`"


def _words(names: Sequence[str]) -> tuple[str, ...]:
    """Names that are no words could be any text, so they are only counted."""
    words = [name for name in names if _is_word(name)][:_MOST]
    rest = len(names) - len(words)
    return (*words, *([f"and {rest} more"] if rest else []))


def _newest(events: Any) -> Mapping[str, Any]:
    listed = events if isinstance(events, list) else []
    return listed[0] if listed and isinstance(listed[0], dict) else {}


def _evaluated(event: Mapping[str, Any]) -> str | None:
    times = [_time(e.get(key)) for e in evaluations_of(event) for key in ("created_at", "modified_at")]
    return max((at for at in times if at), key=moment, default=None)


def _thresholds(event: Mapping[str, Any]) -> dict[str, float]:
    results = [e.get("evaluation_result") for e in evaluations_of(event)]
    found: dict[str, float] = {}
    for result in results:
        for name, told in result.items() if isinstance(result, dict) else ():
            threshold = finite(told.get("threshold")) if isinstance(told, dict) else None
            if threshold is not None and _is_word(name):
                found[name] = threshold
    return dict(list(found.items())[:_MOST])


def _time(value: Any) -> str | None:
    return value if isinstance(value, str) and _TIME.fullmatch(value) else None


def _is_word(name: Any) -> bool:
    return isinstance(name, str) and _WORD.fullmatch(name) is not None
