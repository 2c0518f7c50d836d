"""From an answer to an Event: the detail of one, or those that a workflow lists. The one reader of events.

Reads every generation's spelling (docs/api.md 3). What is not there, or is not what it should be, is not
known; a score is never made up, and an evaluation that did not come to its end has none. What events say is
kept only where `content` asks for it; presigned URLs never are.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from defendctl.api.decode import MOST_METRICS, fields_of, finite, threshold_of, time_of, unknown_capabilities
from defendctl.event import Evaluation, Event, Score, moment
from defendctl.model import usable_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from defendctl.event import Improvement, Status

NO_ID: Final = "(no id)"
_LONGEST_NAME: Final = 200
_MOST_COST: Final = 1e9
_RUN_MODE: Final = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_NOTHING: Final = frozenset({"", "null", "null,"})
"""How the vendor's own sample spells that there is nothing, besides null (docs/api.md 3)."""
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


_NOTES: Final = frozenset({"error_message", "analysis_of_failures", "key_improvements"})
"""The vendor's words. What was submitted, and what a model made of it, may say anything, also `null`."""


@dataclass(frozen=True, slots=True)
class Recent:
    """The last events of one workflow, the newest first; `events` is None where the API lists none at all."""

    asked: int
    events: tuple[Event, ...] | None


def recent(answer: dict[str, Any], asked: int, content: bool) -> Recent:
    """What GET /defend/{id}?limit=`asked` tells of the events; one that stands twice counts once.

    Raises ValueError for settings or scores that are more than is read."""
    if "events" not in answer:
        return Recent(asked, None)
    by_id: dict[str, Event] = {}
    for position, told in enumerate(items(answer["events"])):
        event = detail(told if isinstance(told, dict) else {}, content)
        by_id.setdefault(event.event_id if event.event_id != NO_ID else f" {position}", event)
    newest = sorted(by_id.values(), key=lambda event: moment(event.at or ""), reverse=True)
    return Recent(asked, tuple(newest[:asked]))


def detail(answer: dict[str, Any], content: bool) -> Event:
    """Raises ValueError for settings or scores that are more than is read."""
    told = sorted(evaluations_of(answer), key=_order)
    word = _status_word(answer)
    settings = _settings(answer)
    evaluations = _evaluations(told, word, settings.get("metrics", {}), content)
    filtered, event_id = answer.get("filtered"), answer.get("event_id")
    billing = answer.get("billing_request_id")
    status = _status(word, isinstance(filtered, bool), evaluations)
    given = next((one["model_input"] for one in told if isinstance(one.get("model_input"), dict)), None)
    return Event(
        event_id=str(event_id) if usable_id(event_id) else NO_ID,
        status=status,
        filtered=filtered if isinstance(filtered, bool) and status == "completed" else None,
        improvement=_IMPROVEMENTS.get(word_of(answer.get("improvement_tool_status"))),
        attempts=_attempts(answer, len(evaluations)) if status == "completed" else None,
        evaluations=evaluations,
        at=time_of(answer.get("created_at")) or (evaluations[0].at if evaluations else None),
        run_mode=next((mode for one in told if (mode := _run_mode(one.get("run_mode")))), None),
        settings=settings,
        capabilities=unknown_capabilities(answer),
        context=_carries(given, "context"),
        ground_truth=_carries(given, "ground_truth"),
        content=_kept(answer, _OF_AN_EVENT) if content else None,
        billing_id=str(billing) if usable_id(billing) else None,
    )


def evaluations_of(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """As a list of events calls them, or the detail of one."""
    return dicts(answer.get("evaluations")) or dicts(answer.get("evaluation_history"))


def _status_word(answer: dict[str, Any]) -> Status | None:
    """None where there is no word for it."""
    told = next((answer[key] for key in ("status", "event_status") if not _is_nothing(answer.get(key))), None)
    return None if told is None else _STATUSES.get(word_of(told), "unknown")


def _status(word: Status | None, judged: bool, evaluations: tuple[Evaluation, ...]) -> Status:
    """Without a word, as in lists before 1.24.0, the evaluations tell it, else a verdict does."""
    latest = evaluations[-1] if evaluations else None
    if word is None:
        running = latest.running if latest else not judged
        word = "in_progress" if running else "completed"
    return "failed" if word == "completed" and latest and latest.broken else word


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


def _order(told: dict[str, Any]) -> tuple[bool, float, str]:
    """The evaluation of what was submitted goes first, then its improvements.

    `attempt` is a text like "Initial Evaluation" and "Improvement Attempt 1", or a number, which may also be
    called `attempt_number`. Where these tell nothing the earliest goes first, and of equal times the one that
    stands first.
    """
    return _is_improvement(told), _number(told), moment(time_of(told.get("created_at")) or "~")


def _is_improvement(told: dict[str, Any]) -> bool:
    return "improvement" in word_of(told.get("attempt"))


def _number(told: dict[str, Any]) -> float:
    for key in ("attempt", "attempt_number"):
        value = told.get(key)
        if word_of(value).startswith("initial"):
            return -1
        digits = re.search(r"\d{1,9}$", word_of(value)) if isinstance(value, str) else None
        number = float(digits[0]) if digits else finite(value)
        if number is not None:
            return number
    return math.inf


def _evaluations(
    told: list[dict[str, Any]], word: Status | None, judging: Mapping[str, Any], content: bool
) -> tuple[Evaluation, ...]:
    """The initial one first; without scores where only improvements are told. `judging`: the metrics that
    the event records as those of its workflow."""
    if told and _is_improvement(told[0]):
        told = [{}, *told]
    return tuple(
        _evaluation(one, word if one is told[-1] else None, () if number else tuple(judging), content)
        for number, one in enumerate(told)
    )


def _evaluation(
    told: dict[str, Any], word: Status | None, judging: tuple[str, ...], content: bool
) -> Evaluation:
    """`word` is the status of the event itself, for its latest evaluation: the API says in one of the two
    places that an evaluation broke off."""
    status = _STATUSES.get(word_of(told.get("evaluation_status"))) or word
    whole = status not in ("failed", "in_progress")
    scores = {**dict.fromkeys(judging, Score(None)), **_scores(told)}
    if len(scores) > MOST_METRICS:
        raise ValueError(f"an evaluation in it has more than {MOST_METRICS:,} metrics")
    return Evaluation(
        scores={name: score if whole else replace(score, score=None) for name, score in scores.items()},
        cost=_cost(told.get("evaluation_total_cost")),
        at=time_of(told.get("created_at")),
        broken=status == "failed",
        running=status == "in_progress",
        content={**_kept(told, _OF_AN_EVALUATION), **_rationales(told)} if content else None,
    )


def _scores(told: dict[str, Any]) -> dict[str, Score]:
    """Of each metric that was evaluated or carried over; without a score where none was given."""
    named = [name for name in items(told.get("guardrail_metrics")) if _is_name(name)]
    result = told.get("evaluation_result")
    scores = dict.fromkeys(named, Score(None))
    for name, value in result.items() if isinstance(result, dict) else ():
        if _is_name(name):
            threshold = threshold_of(value.get("threshold")) if isinstance(value, dict) else None
            scores[name] = Score(_score(value), threshold, bool(named) and name not in named)
    return scores


def _kept(told: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    values = {name: _note(told.get(name)) if name in _NOTES else told.get(name) for name in names}
    return {name: value for name, value in values.items() if value not in (None, "", [])}


def _note(value: Any) -> Any:
    if isinstance(value, list):
        return [item for item in value if not _is_nothing(item)]
    return None if _is_nothing(value) else value


def _rationales(told: Mapping[str, Any]) -> dict[str, Any]:
    result = told.get("evaluation_result")
    given = result.items() if isinstance(result, dict) else ()
    said = {
        name: value["rationale"] for name, value in given if isinstance(value, dict) and "rationale" in value
    }
    return {"rationales": said} if said else {}


def _score(told: Any) -> float | None:
    """A number, or a verdict as it is; alone, or in an object with rationale and threshold."""
    score = told.get("score") if isinstance(told, dict) else told
    return score if isinstance(score, bool) else finite(score)


def _cost(told: Any) -> float | None:
    """None for what is no price; costs are added up, and no sum may leave the numbers."""
    cost = finite(told)
    return cost if cost is not None and 0 <= cost <= _MOST_COST else None


def _carries(model_input: Any, key: str) -> bool | None:
    """Whether there is anything under this key; None without an input."""
    if not isinstance(model_input, dict):
        return None
    value = model_input.get(key)
    return bool(value.strip() if isinstance(value, str) else value)


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and len(name) <= _LONGEST_NAME


def _run_mode(value: Any) -> str | None:
    usable = isinstance(value, str) and _RUN_MODE.fullmatch(value) and not _is_nothing(value)
    return value if usable else None


def _is_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, str) and word_of(value) in _NOTHING)


def word_of(value: Any) -> str:
    return value.strip().lower().replace(" ", "_") if isinstance(value, str) else ""


def items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in items(value) if isinstance(item, dict)]
