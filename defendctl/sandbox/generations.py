"""The generations of the Defend API, as tables: what each accepts, and what it answers.

Each is named by the date of the SDK release that introduced it. To add one, add a `Generation` below.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from defendctl.sandbox import answers as show
from defendctl.sandbox.answers import Encoder, Encoders, event_field, setting, spelled, submitted
from defendctl.sandbox.bodies import (
    Check,
    Field,
    Invalid,
    Loc,
    choice,
    count,
    filled_text,
    flag,
    list_of,
    map_of,
    mapping,
    missing,
    number,
    problem,
    read_object,
    renamed,
    text,
    threshold,
)

Fields = Mapping[str, Field]
Values = dict[str, Any]


@dataclass(frozen=True)
class Generation:
    create: Fields
    update: Fields
    settle_metrics: Callable[
        [Values, str | None], Values
    ]  # (values, present mode or None) → values with `metrics`
    submit: Fields
    workflow: Encoders  # GET
    created: Encoders  # the answer to POST
    updated: Encoders  # the answer to PUT
    event: Encoders
    accepted: Encoders  # the answer to the submission of an event
    file_parts: tuple[str, ...] = ()  # the names of the part that holds an uploaded file; none: no uploads
    uploaded: Encoders = field(default_factory=dict)
    stream: Fields | None = None  # a submission whose answer is a stream; None: there are no streams


# --- What comes in ---

LEVELS = "automatic_hallucination_tolerance_levels"
THRESHOLDS = "custom_hallucination_threshold_values"

_LEVEL = choice("low", "medium", "high")
_MODE = Field("type", choice("automatic", "custom"), required=True)

_OLD_ACTIONS: dict[str | None, str] = {"regenerate": "regenerate", "fixit": "fixit", None: "none"}
_ACTIONS: dict[str | None, str] = {"regen": "regenerate", "fixit": "fixit", "do_nothing": "none"}


def _one_tolerance(values: Values, mode: str | None) -> Values:
    """2025-10-07: one map for both modes; automatic takes its names and gives each the one tolerance."""
    if "type" not in values:
        return values
    tolerance = values.pop("tolerance", None)
    if values["type"] == "custom":
        metrics = map_of(threshold)(values["metrics"], ("metrics",))
    elif tolerance is None:
        raise Invalid(missing("automatic_tolerance"))
    else:
        metrics = dict.fromkeys(values["metrics"], tolerance)
    return {**values, "metrics": metrics}


def _two_maps(values: Values, mode: str | None) -> Values:
    """From 2025-10-22: a map for each mode. The one that is not needed is taken, and not kept: the vendor's
    own test of a full PUT sends both."""
    maps = {"automatic": values.pop("levels", None), "custom": values.pop("thresholds", None)}
    wire = {"automatic": LEVELS, "custom": THRESHOLDS}
    new_mode = values.get("type", mode)
    own = "automatic" if new_mode == "automatic" else "custom"
    if maps[own] is not None:
        return {**values, "metrics": maps[own]}
    if new_mode != mode:
        raise Invalid(missing(wire[own]))
    return values


def _optional(fields: Fields) -> Fields:
    return {name: Field(field.into, field.check) for name, field in fields.items()}


_NAMES: Fields = {
    "name": Field("name", filled_text, required=True),
    "description": Field("description", text),
}

_CREATE_2025_10_07: Fields = {
    **_NAMES,
    "type": _MODE,
    "metrics": Field("metrics", map_of(number), required=True),
    "automatic_tolerance": Field("tolerance", _LEVEL),
    "improvement_action": Field("improvement_action", renamed(_OLD_ACTIONS), required=True),
    "max_retries": Field("max_retries", count),
}
_CREATE_COMMON: Fields = {
    **_NAMES,
    LEVELS: Field("levels", map_of(_LEVEL)),
    THRESHOLDS: Field("thresholds", map_of(threshold)),
    "improvement_action": Field("improvement_action", renamed(_ACTIONS), required=True),
    "max_improvement_attempts": Field("max_retries", count),
    "web_search": Field("web_search", flag),
    "file_search": Field("file_search", list_of(filled_text)),
}
_CREATE_2025_10_22: Fields = {
    **_CREATE_COMMON,
    "type": _MODE,
    "max_improvement_attempt": Field("max_retries", count),  # in its first two days of SDKs
}
_CREATE_2025_11_10: Fields = {**_CREATE_COMMON, "threshold_type": _MODE}
_CREATE_2025_12_07: Fields = {**_CREATE_2025_11_10, "context_awareness": Field("context_awareness", flag)}


def _prompts(fields: Fields, open_: bool = False) -> Check:
    def check(value: object, loc: Loc) -> Values:
        prompts = read_object(value, fields, loc, open_)
        if not prompts.keys() & {"user_prompt", "system_prompt"}:
            raise Invalid(problem(loc, "value_error", "user_prompt or system_prompt is required"))
        return prompts

    return check


def _context_item(value: object, loc: Loc) -> object:
    """A string at first, later a turn of a conversation."""
    return value if isinstance(value, str) else read_object(value, _TURN, loc)


_TURN: Fields = {"role": Field("role", text), "content": Field("content", text)}
_PROMPTS: Fields = {name: Field(name, text) for name in ("user_prompt", "system_prompt", "ground_truth")}
_PROMPTS_2025_12_07: Fields = {
    **_PROMPTS,
    "context": Field("context", list_of(_context_item)),
}
_RUN_MODES = ("precision_plus", "precision", "smart", "economy")
_RUN_MODES_2025_12_07 = (
    *_RUN_MODES,
    "precision_plus_codex",
    "ultra_fast",
    "super_fast",
    "fast",
    "precision_codex",
    "precision_max",
    "precision_max_codex",
)


def _submission(prompts: Check, run_modes: tuple[str, ...]) -> Fields:
    return {
        "model_input": Field("model_input", prompts, required=True),
        "model_output": Field("model_output", text, required=True),
        "model_used": Field("model_used", text, required=True),
        "run_mode": Field("run_mode", choice(*run_modes), required=True),
        "nametag": Field("nametag", text),
    }


def _any_input(value: object, loc: Loc) -> Values:
    """Of a stream: the page's sample sends a key that no SDK knows, and speaks of messages too."""
    given = mapping(value, loc)
    if not given:
        raise Invalid(problem(loc, "too_short", "Dictionary should have at least 1 item"))
    return given


# --- What goes out ---

_OLD_STATUSES: dict[str, str | None] = {"active": "active", "inactive": "archived"}
_OLD_ACTION = spelled("improvement_action", {name: word for word, name in _OLD_ACTIONS.items()})
_ACTION = spelled("improvement_action", {name: word for word, name in _ACTIONS.items()})

_IDENTITY: Encoders = {"workflow_id": setting("workflow_id")}
_NAMED: Encoders = {**_IDENTITY, "name": setting("name"), "description": setting("description")}
_STATUS: Encoders = {"status": setting("status")}
_CREATED: Encoders = {"created_at": setting("created_at")}
_MODIFIED: Encoders = {"modified_at": setting("updated_at")}
_SETTINGS: Encoders = {
    "threshold_type": setting("type"),
    LEVELS: show.metrics_when("automatic"),
    THRESHOLDS: show.metrics_when("custom"),
    "improvement_action": _ACTION,
}
_CAPABLE_2025_11_10: Encoders = {
    "capabilities": show.capabilities("web_search", "file_search"),
    "files": show.files,
}
_CAPABLE_2025_12_07: Encoders = {
    "capabilities": show.capabilities("web_search", "file_search", "context_awareness"),
    "files": show.presigned_files,
}

_WORKFLOW_2025_10_07: Encoders = {
    **_NAMED,
    "improvement_action": _OLD_ACTION,
    "status": spelled("status", _OLD_STATUSES),
    **_CREATED,
    **_MODIFIED,
    "success_rate": show.success_rate,
    "max_retries": setting("max_retries"),
}
_WORKFLOW_2025_10_22: Encoders = {
    **_NAMED,
    "improvement_action": _ACTION,
    **_STATUS,
    **_CREATED,
    **_MODIFIED,
    "success_rate": show.success_rate,
    "max_improvement_attempts": setting("max_retries"),
}

_EVALUATION: Encoders = {
    "attempt": show.attempt_name,
    "evaluation_status": show.evaluation_status,
    "guardrail_metrics": show.metric_names,
    "run_mode": submitted("run_mode"),
    "model_input": submitted("model_input"),
    "model_output": show.evaluated_output,
    "nametag": submitted("nametag"),
    "progress": show.progress,
    "error_message": show.evaluation_error,
    "evaluation_result": show.result,
    "evaluation_total_cost": show.evaluation_field("cost"),
    "created_at": show.started_at,
}
_EVALUATION_2025_11_10: Encoders = {**_EVALUATION, "modified_at": show.evaluated_at}
_EVALUATION_2025_12_07: Encoders = {
    **_EVALUATION,
    "improvement_tool_status": show.evaluation_tool_status,
    "analysis_of_failures": show.failure_analysis,
    "key_improvements": show.key_improvements,
}

# Null meant at first that nothing had to be done.
_OLD_TOOL_STATUSES: dict[str | None, str | None] = {
    "improvement_failed": "failed on max retries",
    "no_improvement_required": None,
}
_OLD_TOOL_STATUS = show.tool_status(_OLD_TOOL_STATUSES)
_TOOL_STATUS = show.tool_status({})

_LISTED_2025_11_10: Encoders = {
    "event_id": event_field("event_id"),
    "improvement_tool_status": _OLD_TOOL_STATUS,
    "improved_model_output": show.improved_output,
    "evaluations": show.evaluations(_EVALUATION_2025_11_10),
}
_LISTED_2025_12_07: Encoders = {
    "event_id": event_field("event_id"),
    "status": show.listed_status,
    "improvement_tool_status": _TOOL_STATUS,
    "improved_model_output": show.improved_output,
    "billing_request_id": event_field("billing_request_id"),
    "evaluations": show.evaluations({**_EVALUATION_2025_12_07, "modified_at": show.evaluated_at}),
}


def _workflow(listed: Encoders, capable: Encoders) -> Encoders:
    return {
        **_NAMED,
        **_STATUS,
        **_CREATED,
        "updated_at": setting("updated_at"),
        **_SETTINGS,
        "events": show.listed_events(listed),
        **capable,
        "stats": show.stats,
    }


_EVENT_IDENTITY: Encoders = {**_IDENTITY, "event_id": event_field("event_id")}
_EVENT_2025_10_07: Encoders = {
    **_EVENT_IDENTITY,
    "filtered": show.filtered_if_known,
    "evaluation_id": show.latest_evaluation_id,
    "attempt_number": show.attempt_number,
}


def _event(evaluation: Encoders, tool_status: Encoder, capable: Encoders) -> Encoders:
    """By its page `files` is only present where file search is on; a workflow always shows it."""
    return {
        **_EVENT_IDENTITY,
        "status": show.status_words("In Progress", "Completed"),
        **_SETTINGS,
        "filtered": lambda view: view.filtered,
        "improvement_tool_status": tool_status,
        "improved_model_output": show.improved_output,
        "evaluation_result": show.latest_result,
        "evaluation_history": show.evaluations(evaluation),
        **capable,
        "files": show.if_any(capable["files"]),
    }


# An event is always still being evaluated when its submission is answered.
_ACCEPTED: Encoders = {
    **_EVENT_IDENTITY,
    "created_at": event_field("created_at"),
    "status": show.constant("In Progress"),
}

_UPLOADED_2025_10_22: Encoders = {
    "file_id": show.file_field("file_id"),
    "file_name": show.file_field("name"),
    "file_path": show.file_path,
    "created_at": show.file_field("created_at"),
    "updated_at": show.file_field("created_at"),
}
_UPLOADED: Encoders = {
    "file_id": show.file_field("file_id"),
    "file_name": show.file_field("name"),
    "file_size": show.file_field("size"),
}
# The SDKs of one generation do not agree.
_OLD_PARTS = ("file",)
_PARTS = ("files",)

# --- The generations ---

_OLDEST_SUBMISSION = _submission(_prompts(_PROMPTS, open_=True), _RUN_MODES)
_SUBMISSION = _submission(_prompts(_PROMPTS), _RUN_MODES)

_TABLES = {
    "2025-10-07": Generation(
        create=_CREATE_2025_10_07,
        update=_optional(_NAMES),
        settle_metrics=_one_tolerance,
        submit=_OLDEST_SUBMISSION,
        workflow=_WORKFLOW_2025_10_07,
        created=_WORKFLOW_2025_10_07,
        updated=_WORKFLOW_2025_10_07,
        event=_EVENT_2025_10_07,
        accepted=_EVENT_2025_10_07,
    ),
    "2025-10-22": Generation(
        create=_CREATE_2025_10_22,
        update=_optional(_NAMES),
        settle_metrics=_two_maps,
        submit=_SUBMISSION,
        workflow=_WORKFLOW_2025_10_22,
        created=_WORKFLOW_2025_10_22,
        updated=_WORKFLOW_2025_10_22,
        event=_EVENT_2025_10_07,
        accepted=_EVENT_2025_10_07,
        file_parts=_OLD_PARTS,
        uploaded=_UPLOADED_2025_10_22,
    ),
    "2025-11-10": Generation(
        create=_CREATE_2025_11_10,
        update=_optional(_NAMES),
        settle_metrics=_two_maps,
        submit=_SUBMISSION,
        workflow=_workflow(_LISTED_2025_11_10, _CAPABLE_2025_11_10),
        created={**_IDENTITY, **_STATUS, **_CREATED},
        updated={**_IDENTITY, **_STATUS, **_MODIFIED},
        event=_event(_EVALUATION_2025_11_10, _OLD_TOOL_STATUS, _CAPABLE_2025_11_10),
        accepted=_ACCEPTED,
        file_parts=(*_PARTS, *_OLD_PARTS),
        uploaded=_UPLOADED,
    ),
    "2025-12-07": Generation(
        create=_CREATE_2025_12_07,
        update=_optional(_CREATE_2025_12_07),
        settle_metrics=_two_maps,
        submit=_submission(_prompts(_PROMPTS_2025_12_07), _RUN_MODES_2025_12_07),
        stream=_submission(_any_input, _RUN_MODES_2025_12_07),
        workflow=_workflow(_LISTED_2025_12_07, _CAPABLE_2025_12_07),
        created={**_IDENTITY, **_STATUS, **_CREATED},
        updated={**_IDENTITY, "name": setting("name"), **_STATUS, **_MODIFIED},
        event={
            **_event(_EVALUATION_2025_12_07, _TOOL_STATUS, _CAPABLE_2025_12_07),
            "max_improvement_attempts": setting("max_retries"),
            "analysis_of_failures": show.failure_analyses,
            "key_improvements": show.all_key_improvements,
        },
        accepted={**_ACCEPTED, "billing_request_id": event_field("billing_request_id")},
        file_parts=_PARTS,
        uploaded=_UPLOADED,
    ),
}
GENERATIONS: tuple[str, ...] = tuple(_TABLES)
NEWEST = GENERATIONS[-1]


def generation_named(name: str) -> Generation:
    if name not in _TABLES:
        raise ValueError(f"unknown generation {name!r}; known are {', '.join(GENERATIONS)}")
    return _TABLES[name]
