"""From listed events to ids, times, scores and flags. Nothing of their content is kept: no prompt, no output,
no rationale, no URL.

Reads every generation's spelling (docs/api.md 3). What is not there, or is not what it should be, is
not known; a score is never made up.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Final

from defendctl.api.decode import finite, time_of
from defendctl.model import usable_id
from defendctl.plan.replay import Scored, moment

NO_ID: Final = "(no id)"
_MOST_METRICS: Final = 100
"""Scores that are kept of one event. A metric beyond them has no score, so it is not known."""
_LONGEST_NAME: Final = 200
_MOST_COST: Final = 1e9
_RUN_MODE: Final = re.compile(r"[A-Za-z0-9_.-]{1,40}")


@dataclass(frozen=True, slots=True)
class Listing:
    """The last events of one workflow, the newest first; `events` is None where the API lists none at all."""

    asked: int
    events: tuple[Scored, ...] | None


def listing(answer: dict[str, Any], asked: int) -> Listing:
    """What GET /defend/{id}?limit=`asked` tells of the events; one that stands twice counts once."""
    if "events" not in answer:
        return Listing(asked, None)
    by_id: dict[str, Scored] = {}
    for position, event in enumerate(items(answer["events"])):
        scored = _scored(event if isinstance(event, dict) else {})
        by_id.setdefault(scored.event_id if scored.event_id != NO_ID else f" {position}", scored)
    newest = sorted(by_id.values(), key=lambda e: moment(e.at or ""), reverse=True)
    return Listing(asked, tuple(newest[:asked]))


def _scored(event: dict[str, Any]) -> Scored:
    evaluations = dicts(event.get("evaluations") or event.get("evaluation_history"))
    first = _first(evaluations)
    costs = [
        cost_of(e.get("evaluation_total_cost")) for e in (first, *(e for e in evaluations if e is not first))
    ]
    told = [cost for cost in costs if cost is not None]
    event_id, flagged, ended = event.get("event_id"), event.get("filtered"), bool(first) and has_ended(event)
    return Scored(
        event_id=str(event_id) if usable_id(event_id) else NO_ID,
        at=time_of(event.get("created_at")) or time_of(first.get("created_at")),
        run_mode=run_mode_of(first.get("run_mode")),
        scores=_scores(first),
        attempts=len(evaluations) if ended else 0,
        cost=math.fsum(told) if told else None,
        flagged=flagged if isinstance(flagged, bool) else None,
        costs=tuple(told) if ended and len(told) == len(evaluations) else (),
        context=_carries(first.get("model_input"), "context"),
        ground_truth=_carries(first.get("model_input"), "ground_truth"),
    )


def _first(evaluations: list[dict[str, Any]]) -> dict[str, Any]:
    """The evaluation of what was submitted; empty where only improvements of it are listed.

    `attempt` is a text like "Initial Evaluation" and "Improvement Attempt 1", or a number, which may also be
    called `attempt_number`. Where these tell nothing, the earliest is the first, and of equal times the one
    that stands first.
    """
    submitted = [e for e in evaluations if "improvement" not in word_of(e.get("attempt"))]
    return min(
        submitted, key=lambda e: (number_of(e), moment(time_of(e.get("created_at")) or "~")), default={}
    )


def number_of(evaluation: dict[str, Any]) -> float:
    for key in ("attempt", "attempt_number"):
        value = evaluation.get(key)
        if word_of(value).startswith("initial"):
            return -1
        digits = re.search(r"\d{1,9}$", word_of(value)) if isinstance(value, str) else None
        told = float(digits[0]) if digits else finite(value)
        if told is not None:
            return told
    return math.inf


def has_ended(event: dict[str, Any]) -> bool:
    """Whether no more evaluations follow; spelled "In Progress" or `in_progress` where they may."""
    status = event.get("status") or event.get("event_status")
    return word_of(status) not in ("in_progress", "queued")


def _scores(evaluation: dict[str, Any]) -> dict[str, float | None]:
    """Of each metric that the evaluation names; None where it gives no score."""
    named = evaluation.get("guardrail_metrics")
    result = evaluation.get("evaluation_result")
    scores: dict[str, float | None] = dict.fromkeys(n for n in items(named) if is_name(n))
    if isinstance(result, dict):
        scores |= {name: score_of(told) for name, told in result.items() if is_name(name)}
    return dict(list(scores.items())[:_MOST_METRICS])


def score_of(told: Any) -> float | None:
    """A number, or a verdict as it is; alone, or in an object with rationale and threshold."""
    score = told.get("score") if isinstance(told, dict) else told
    return score if isinstance(score, bool) else finite(score)


def cost_of(told: Any) -> float | None:
    """None for what is no price; costs are added up, and no sum may leave the numbers."""
    cost = finite(told)
    return cost if cost is not None and 0 <= cost <= _MOST_COST else None


def _carries(model_input: Any, key: str) -> bool | None:
    """Whether there is anything under this key; None without an input."""
    if not isinstance(model_input, dict):
        return None
    value = model_input.get(key)
    return bool(value.strip() if isinstance(value, str) else value)


def is_name(name: Any) -> bool:
    return isinstance(name, str) and len(name) <= _LONGEST_NAME


def run_mode_of(value: Any) -> str | None:
    return value if isinstance(value, str) and _RUN_MODE.fullmatch(value) else None


def word_of(value: Any) -> str:
    return value.strip().lower().replace(" ", "_") if isinstance(value, str) else ""


def items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in items(value) if isinstance(item, dict)]
