"""From an answer to an Event: the detail of one, or those that a workflow lists.

Reads every generation's spelling (docs/api.md 3). What events say is kept only where `content` asks for it;
presigned URLs never are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from defendctl.api.decode import fields_of, finite, time_of
from defendctl.api.events import (
    NO_ID,
    cost_of,
    dicts,
    is_name,
    items,
    number_of,
    run_mode_of,
    score_of,
    word_of,
)
from defendctl.event import Evaluation, Event, Score
from defendctl.model import usable_id
from defendctl.plan.replay import moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from defendctl.event import Improvement, Status

_MOST_METRICS: Final = 100
_STATUSES: Final[dict[str, Status]] = {
    "completed": "completed",
    "in_progress": "in_progress",
    "queued": "in_progress",
    "failed": "failed",
    "canceled": "failed",
    "cancelled": "failed",
}
_IMPROVEMENTS: Final[dict[str, Improvement]] = {
    "improved": "improved",
    "improvement_failed": "failed",
    "failed_on_max_retries": "failed",
    "no_improvement_required": "not_required",
    "improvement_required": "required",
}
_OF_AN_EVENT: Final = ("improved_model_output", "analysis_of_failures", "key_improvements")
_OF_AN_EVALUATION: Final = (
    "nametag",
    "model_input",
    "model_output",
    "error_message",
    "analysis_of_failures",
    "key_improvements",
)


@dataclass(frozen=True, slots=True)
class Recent:
    """The last events of one workflow, the newest first; `events` is None where the API lists none at all."""

    asked: int
    events: tuple[Event, ...] | None


def recent(answer: dict[str, Any], asked: int, content: bool) -> Recent:
    """What GET /defend/{id}?limit=`asked` tells of the events."""
    if "events" not in answer:
        return Recent(asked, None)
    found = [detail(event, content, "evaluations") for event in dicts(answer["events"])]
    newest = sorted(found, key=lambda event: moment(event.at or ""), reverse=True)
    return Recent(asked, tuple(newest[:asked]))


def detail(answer: dict[str, Any], content: bool, history: str = "evaluation_history") -> Event:
    """Raises ValueError for settings that are more than is read."""
    told = sorted(dicts(answer.get(history)), key=_order)
    evaluations = _evaluations(told, content)
    filtered, event_id = answer.get("filtered"), answer.get("event_id")
    status = _status(answer, filtered, any(one.broken for one in evaluations[-1:]))
    return Event(
        event_id=str(event_id) if usable_id(event_id) else NO_ID,
        status=status,
        filtered=filtered if isinstance(filtered, bool) and status == "completed" else None,
        improvement=_IMPROVEMENTS.get(word_of(answer.get("improvement_tool_status"))),
        attempts=_attempts(answer, len(evaluations)) if status == "completed" else None,
        evaluations=evaluations,
        at=time_of(answer.get("created_at")) or next((one.at for one in evaluations if one.at), None),
        run_mode=next((mode for one in told if (mode := run_mode_of(one.get("run_mode")))), None),
        settings=_settings(answer),
        content=_kept(answer, _OF_AN_EVENT) if content else None,
    )


def _status(answer: dict[str, Any], filtered: Any, broken: bool) -> Status:
    """The oldest generations have no word for it; there the verdict is the sign."""
    told = next((answer[key] for key in ("status", "event_status") if answer.get(key) is not None), None)
    if told is not None:
        status = _STATUSES.get(word_of(told), "unknown")
    else:
        ended = isinstance(filtered, bool) or bool(answer.get("evaluations"))
        status = "completed" if ended else "in_progress"
    return "failed" if broken and status == "completed" else status


def _attempts(answer: dict[str, Any], evaluations: int) -> int | None:
    """Evaluations but for the initial one; `attempt_number` where none are listed."""
    if evaluations:
        return evaluations - 1
    number = finite(answer.get("attempt_number"))
    return int(number) if number is not None and number >= 0 else None


def _settings(answer: dict[str, Any]) -> dict[str, Any]:
    """`files` are only there where file search is on, and then so is its capability."""
    if "improvement_action" not in answer and "improvement_tool_type" in answer:
        answer = {**answer, "improvement_action": answer["improvement_tool_type"]}
    told = fields_of(answer)
    if "web_search" in told and "file_search" not in told:
        told["file_search"] = ()
    return {name: value for name, value in told.items() if name not in ("name", "description")}


def _order(told: dict[str, Any]) -> tuple[float, str]:
    return number_of(told), moment(time_of(told.get("created_at")) or "~")


def _evaluations(told: list[dict[str, Any]], content: bool) -> tuple[Evaluation, ...]:
    """The initial one first; empty of scores where only improvements are told."""
    missing = bool(told) and "improvement" in word_of(told[0].get("attempt"))
    return (*((Evaluation({}),) if missing else ()), *(_evaluation(one, content) for one in told))


def _evaluation(told: dict[str, Any], content: bool) -> Evaluation:
    return Evaluation(
        scores=_scores(told),
        cost=cost_of(told.get("evaluation_total_cost")),
        at=time_of(told.get("created_at")),
        broken=_STATUSES.get(word_of(told.get("evaluation_status"))) == "failed",
        content={**_kept(told, _OF_AN_EVALUATION), **_rationales(told)} if content else None,
    )


def _scores(told: dict[str, Any]) -> dict[str, Score]:
    """Of each metric that was evaluated or carried over; without a score where none was given."""
    named = [name for name in items(told.get("guardrail_metrics")) if is_name(name)]
    result = told.get("evaluation_result")
    scores = dict.fromkeys(named, Score(None))
    for name, value in result.items() if isinstance(result, dict) else ():
        if is_name(name):
            threshold = finite(value.get("threshold")) if isinstance(value, dict) else None
            scores[name] = Score(score_of(value), threshold, bool(named) and name not in named)
    return dict(list(scores.items())[:_MOST_METRICS])


def _kept(told: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: told[name] for name in names if told.get(name) not in (None, "", [])}


def _rationales(told: Mapping[str, Any]) -> dict[str, Any]:
    result = told.get("evaluation_result")
    given = result.items() if isinstance(result, dict) else ()
    said = {
        name: value["rationale"] for name, value in given if isinstance(value, dict) and "rationale" in value
    }
    return {"rationales": said} if said else {}
