"""From an answer to what was observed. Events, statistics and presigned URLs are dropped here.

Reads every generation's spelling, whatever is written (docs/api.md 3). What the answer does not hold is not
there; what it holds in words we do not know is passed on as it is.
"""

from __future__ import annotations

import math
import re
from typing import Any

from defendctl.model import CONTENT, LEVELS, Fields, Observed

LONGEST = 2 << 20
"""Characters that are kept of a workflow, while all are compared."""
MOST_METRICS = 1_000
"""The vendor has six; of more than this each would be a row of the plan."""
MOST_CAPABILITIES = 100
"""The vendor has three."""
_CAPABILITIES = {"web_search", "file_search", "context_awareness"}
DECIMALS = 6
"""Of a threshold; docs/api.md 4."""
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|\+00:00)?")
_RETRIES = ("max_improvement_attempts", "max_improvement_attempt", "max_retries")
_ACTIONS = {"regen": "regenerate", "do_nothing": "none", None: "none"}
_CUSTOM = "custom_hallucination_threshold_values"
_AUTOMATIC = "automatic_hallucination_tolerance_levels"


_COUNTS = ("outputs_processed", "outputs_below_threshold", "outputs_improved")


def observe(answer: dict[str, Any]) -> Observed:
    """Raises ValueError if the answer is not a workflow."""
    workflow_id = answer.get("workflow_id")
    if not isinstance(workflow_id, str):
        raise ValueError("the answer has no workflow_id")
    fields, unknown = fields_of(answer), unknown_capabilities(answer)
    if len(repr((fields, unknown))) > LONGEST:
        raise ValueError(f"the answer describes the workflow in more than {LONGEST >> 20} MiB")
    status = answer.get("status")
    created = answer.get("created_at")
    changed = (time_of(answer.get(key)) for key in ("updated_at", "modified_at"))
    return Observed(
        workflow_id=workflow_id,
        fields=fields,
        status=_status(status),
        created_at=created if isinstance(created, str) else None,
        evidence=_evidence(answer),
        changed_at=next((at for at in changed if at), None),
        capabilities=unknown,
        stats=_stats(answer),
    )


def _stats(answer: dict[str, Any]) -> dict[str, float]:
    """The numbers that a read tells of its workflow: three counts, or a rate before 2025-11-10
    (docs/api.md 2)."""
    told = answer.get("stats")
    counts = {key: told.get(key) for key in _COUNTS} if isinstance(told, dict) else {}
    numbers = {**counts, "success_rate": answer.get("success_rate")}
    sound = {key: number for key, value in numbers.items() if (number := finite(value)) is not None}
    return {
        key: int(number) if number.is_integer() and key in _COUNTS else number
        for key, number in sound.items()
    }


def time_of(value: Any) -> str | None:
    """The API says its times in UTC. Anything else could be any text, so it is no time."""
    return value if isinstance(value, str) and _TIME.fullmatch(value) else None


def _status(status: Any) -> str:
    if status is None:
        return "active"
    return "inactive" if status == "archived" else _text(status)


def _evidence(answer: dict[str, Any]) -> str | None:
    if "threshold_type" in answer:
        return "2025-12-07"
    if "max_improvement_attempts" in answer or "max_improvement_attempt" in answer:
        return "2025-10-22"
    return "2025-10-07" if "max_retries" in answer else None


def fields_of(answer: dict[str, Any]) -> Fields:
    seen: Fields = {}
    if isinstance(answer.get("name"), str):
        seen["name"] = answer["name"]
    if "description" in answer:
        seen["description"] = _text(answer["description"])
    if "improvement_action" in answer:
        seen["improvement_action"] = _action(answer["improvement_action"])
    seen.update(_retries(answer))
    seen.update(_thresholds(answer))
    seen.update(_capabilities(answer))
    return seen


def _retries(answer: dict[str, Any]) -> Fields:
    for key in _RETRIES:
        value = answer.get(key)
        number = finite(value)
        if number is not None:
            return {"max_retries": int(number) if number.is_integer() else number}
    return {}


def _thresholds(answer: dict[str, Any]) -> Fields:
    """Null, missing and empty maps are equal (docs/api.md 3); the map of the other type is ignored."""
    if "threshold_type" not in answer and "type" not in answer:
        return {}
    kind = _text(answer.get("threshold_type", answer.get("type")))
    custom, automatic = _map(answer.get(_CUSTOM)), _map(answer.get(_AUTOMATIC))
    if "threshold_type" not in answer and "metrics" in answer:
        custom, automatic = _first_generation(answer)
    by_type = {"custom": custom, "automatic": automatic}
    return {"type": kind, "metrics": by_type.get(kind, custom or automatic)}


def _first_generation(answer: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """One map for both types; its numbers mean nothing in an automatic workflow (docs/api.md 3)."""
    metrics, level = _map(answer["metrics"]), answer.get("automatic_tolerance")
    return metrics, dict.fromkeys(metrics, level if level in LEVELS else "unknown")


def _map(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        return {}
    if len(value) > MOST_METRICS:
        raise ValueError(f"the answer has more than {MOST_METRICS:,} metrics")
    return {name: _leaf(leaf) for name, leaf in value.items() if leaf is not None}


def _leaf(value: Any) -> float | str:
    number = threshold_of(value)
    return _text(value) if number is None else number


def threshold_of(value: Any) -> float | None:
    """What a server of single precision answers as 0.30000001192092896 was written as 0.3."""
    number = finite(value)
    return None if number is None else round(number, DECIMALS)


def finite(value: Any) -> float | None:
    """JSON as servers write it knows infinities and integers that no float holds."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _capabilities(answer: dict[str, Any]) -> Fields:
    seen: Fields = {}
    if isinstance(answer.get("capabilities"), list):
        named = _named(answer)
        seen["web_search"] = "web_search" in named
        seen["context_awareness"] = "context_awareness" in named
    if isinstance(answer.get("files"), list):
        ids = [f["file_id"] for f in answer["files"] if isinstance(f, dict) and "file_id" in f]
        seen["file_search"] = tuple(sorted({_file_id(i) for i in ids}))
    return seen


def unknown_capabilities(answer: dict[str, Any]) -> frozenset[str]:
    """Of those that are on. Raises ValueError for more than any workflow has."""
    unknown = _named(answer) - _CAPABILITIES
    if len(unknown) > MOST_CAPABILITIES:
        raise ValueError(f"the answer has more than {MOST_CAPABILITIES} capabilities")
    return unknown


def _named(answer: dict[str, Any]) -> frozenset[str]:
    listed = answer.get("capabilities")
    return frozenset(
        _capability(item) or "(no name)" for item in (listed if isinstance(listed, list) else ())
    )


def _file_id(value: Any) -> str:
    """One that looks like a content would be taken for a file that is still to be uploaded."""
    text = _text(value)
    return f"(an id) {text}" if CONTENT.fullmatch(text) else text


def _capability(item: Any) -> str:
    return _text(item.get("capability")) if isinstance(item, dict) else _text(item)


def _text(value: Any) -> str:
    """What should be text. Of lists and objects only that they are: they may hold anything, at any depth."""
    if isinstance(value, (list, dict)):
        return "(a list)" if isinstance(value, list) else "(an object)"
    return "" if value is None else str(value)


def _action(value: Any) -> str:
    known = _ACTIONS.get(value) if value is None or isinstance(value, str) else None
    return known or _text(value)
