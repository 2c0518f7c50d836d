"""Finished events and settings as a test gives them, also what the API would never take or make.

An event, in which nothing is required:

    {"event_id": "evt_1", "created_at": "2026-01-31T12:00:00Z", "status": "completed", "run_mode": "fast",
     "model_input": {…}, "model_output": "…", "model_used": "…", "nametag": "…",
     "size": 10000,                                  characters to which the output is filled up
     "settings": {"max_improvement_attempts": 3},    what the workflow's settings were by then
     "scores": [{"completeness": 0.4, "correctness": {"score": 0.9, "threshold": 0.8, "rationale": "…"}},
                {"completeness": 0.9}]}

`scores` holds what each evaluation scored, the initial one first, or one map for that alone; an attempt
carries over the rest. Without it the event tells the story that a submission would. `status` is completed,
failed (the last evaluation broke off) or in_progress (for ever).
"""

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

from defendctl.sandbox.bodies import (
    Field,
    Invalid,
    Loc,
    anything,
    choice,
    count,
    filled_text,
    list_of,
    mapping,
    number,
    problem,
    read_object,
    text,
)
from defendctl.sandbox.evaluation import Judge, carried_over, effective_threshold, improved_output
from defendctl.sandbox.model import FOREVER, Evaluation, Event, Score, Workflow, new_id, utc_now, utc_text
from defendctl.sandbox.scores import Scripts, script_for

# The console may set anything. The API's own names work as well.
_RAW = {
    "threshold_type": "type",
    "automatic_hallucination_tolerance_levels": "metrics",
    "custom_hallucination_threshold_values": "metrics",
    "max_improvement_attempts": "max_retries",
}
_CANONICAL = {each.name: each.name for each in fields(Workflow)}
_WORKFLOW = {name: Field(into, anything) for name, into in {**_CANONICAL, **_RAW}.items()}
_ACTIONS = {"regen": "regenerate", "do_nothing": "none"}

_FILLER = " Synthetic filler."
_SUBMISSION = {
    "model_input": {"user_prompt": "Synthetic prompt"},
    "model_output": "Synthetic output.",
    "model_used": "synthetic",
    "run_mode": "precision",
}


def workflow_values(value: object, loc: Loc) -> dict[str, Any]:
    """Settings of a workflow under canonical names."""
    values = read_object(value, _WORKFLOW, loc)
    action = values.get("improvement_action")
    canonical = _ACTIONS.get(action) if isinstance(action, str) else None
    return {**values, "improvement_action": canonical} if canonical else values


def _time(value: object, loc: Loc) -> str:
    try:
        moment = datetime.fromisoformat(text(value, loc))
        return utc_text((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        raise Invalid(problem(loc, "datetime_parsing", "Input should be a time in ISO 8601")) from None


def _score(value: object, loc: Loc) -> dict[str, Any]:
    """A score, or one with its threshold and rationale."""
    if isinstance(value, dict):
        return read_object(value, _DETAILED, loc)
    return {"score": _bare_score(value, loc)}


def _bare_score(value: object, loc: Loc) -> float | bool | None:
    return value if value is None or isinstance(value, bool) else number(value, loc)


def _number_or_null(value: object, loc: Loc) -> float | None:
    return None if value is None else number(value, loc)


def _scores(value: object, loc: Loc) -> dict[str, dict[str, Any]]:
    return {metric: _score(score, (*loc, metric)) for metric, score in mapping(value, loc).items()}


def _evaluations(value: object, loc: Loc) -> list[dict[str, dict[str, Any]]]:
    if value == []:
        raise Invalid(problem(loc, "too_short", "List should have at least 1 item"))
    given: list[dict[str, dict[str, Any]]] = list_of(_scores)(
        value if isinstance(value, list) else [value], loc
    )
    return given


_DETAILED = {
    "score": Field("score", _bare_score, required=True),
    "threshold": Field("threshold", _number_or_null),
    "rationale": Field("rationale", text),
}
_EVENT = {
    "event_id": Field("event_id", filled_text),
    "created_at": Field("created_at", _time),
    "status": Field("status", choice("completed", "failed", "in_progress")),
    "run_mode": Field("run_mode", text),
    "model_input": Field("model_input", mapping),
    "model_output": Field("model_output", text),
    "model_used": Field("model_used", text),
    "nametag": Field("nametag", text),
    "size": Field("size", count),
    "settings": Field("settings", workflow_values),
    "scores": Field("scores", _evaluations),
}
EVENTS = {
    "workflow_id": Field("workflow_id", text, required=True),
    "events": Field("events", list_of(lambda value, loc: read_object(value, _EVENT, loc)), required=True),
}


def finished_event(workflow: Workflow, given: dict[str, Any], scripts: Scripts) -> Event:
    settings = replace(workflow, **{**given.get("settings", {}), "workflow_id": workflow.workflow_id})
    submission = _submission(given)
    judge = Judge(settings, submission, script_for(scripts, submission))
    created_at, status = given.get("created_at") or utc_now(), given.get("status")
    return Event(
        event_id=given.get("event_id") or new_id("evt"),
        billing_request_id=new_id("bill"),
        created_at=created_at,
        ready_at=FOREVER if status == "in_progress" else datetime.fromisoformat(created_at).timestamp(),
        submission=submission,
        settings=settings,
        evaluations=_told(judge, given["scores"]) if "scores" in given else judge.evaluations(),
        error="Synthetic failure of the evaluation." if status == "failed" else None,
    )


def _submission(given: dict[str, Any]) -> dict[str, Any]:
    names = (*_SUBMISSION, "nametag")
    submission = {**_SUBMISSION, **{name: given[name] for name in names if name in given}}
    return {**submission, "model_output": _filled(submission["model_output"], given.get("size", 0))}


def _filled(output: str, size: int) -> str:
    missing = max(0, size - len(output))
    return output + (_FILLER * (missing // len(_FILLER) + 1))[:missing]


def _told(judge: Judge, given: list[dict[str, dict[str, Any]]]) -> list[Evaluation]:
    """The evaluations that had these scores."""
    story: list[Evaluation] = []
    for values in given:
        scores = {metric: _given_score(judge.workflow, metric, value) for metric, value in values.items()}
        output = _output(judge, len(story)) if story else None
        result = carried_over(story[-1], scores) if story else scores
        story.append(judge.evaluation(output, list(scores), result))
    return story


def _output(judge: Judge, attempt: int) -> str:
    return improved_output(judge.workflow.improvement_action, attempt, judge.submission["model_output"])


def _given_score(workflow: Workflow, metric: str, value: dict[str, Any]) -> Score:
    default = {"rationale": "As given to the sandbox: no model read this output."}
    return Score(**{**default, "threshold": effective_threshold(workflow, metric), **value})
