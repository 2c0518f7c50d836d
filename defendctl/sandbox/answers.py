"""Encoders for answers: a table of field name → function of what is shown."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import quote

from defendctl.sandbox.model import Evaluation, Event, File, Workflow, utc_text
from defendctl.sandbox.store import Stats, Store

Encoder = Callable[[Any], object]
Encoders = Mapping[str, Encoder]


@dataclass(frozen=True)
class WorkflowView:
    """A workflow with what surrounds it, loaded only if an encoder asks for it."""

    workflow: Workflow
    store: Store
    limit: int = 10
    now: float = field(default_factory=time.time)

    @property
    def stats(self) -> Stats:
        return self.store.stats(self.workflow.workflow_id, self.now)

    @property
    def events(self) -> list["EventView"]:
        events = self.store.newest_events(self.workflow.workflow_id, self.limit)
        return [EventView(event, self.now) for event in events]


@dataclass(frozen=True)
class EventView:
    event: Event
    now: float = field(default_factory=time.time)

    @property
    def workflow(self) -> Workflow:
        """The settings that judged this event, perhaps older than the workflow's."""
        return self.event.settings

    @property
    def done(self) -> bool:
        return self.event.ready_at <= self.now

    @property
    def filtered(self) -> bool:
        return self.done and self.event.filtered

    @cached_property
    def evaluations(self) -> list["EvaluationView"]:
        """Nothing is seen of them before the event is completed."""
        count = len(self.event.evaluations) if self.done else 0
        return [EvaluationView(self.event, number) for number in range(count)]


@dataclass(frozen=True)
class EvaluationView:
    event: Event
    number: int  # 0 is the initial evaluation, then come the improvement attempts

    @property
    def evaluation(self) -> Evaluation:
        return self.event.evaluations[self.number]

    @property
    def last(self) -> bool:
        return self.number == len(self.event.evaluations) - 1

    @property
    def error(self) -> str | None:
        return self.event.error if self.last else None

    @property
    def tool_status(self) -> str | None:
        """By the SDK of 2026: what the improvement tool had come to when this evaluation ended."""
        if self.error:
            return None
        failing = bool(self.evaluation.failures)
        if self.number == 0:
            return "improvement_required" if failing else "no_improvement_required"
        if failing:
            return "improvement_failed" if self.last else "improvement_required"
        return "improved"

    def time(self, step: int) -> str:
        """The evaluations of an event share its time in equal parts."""
        began = datetime.fromisoformat(self.event.created_at).timestamp()
        part = (self.event.ready_at - began) / len(self.event.evaluations)
        return utc_text(began + part * (self.number + step))


# What an encoder answers to leave its field out.
ABSENT = object()


def encode(view: object, encoders: Encoders) -> dict[str, object]:
    encoded = ((name, encoder(view)) for name, encoder in encoders.items())
    return {name: value for name, value in encoded if value is not ABSENT}


def constant(value: object) -> Encoder:
    return lambda view: value


def setting(name: str) -> Encoder:
    """A field of the workflow as it is stored; works on workflows and on events."""
    return lambda view: getattr(view.workflow, name)


def spelled(name: str, names: Mapping[str, str | None]) -> Encoder:
    """A field in this generation's words; a word that the console invented passes as it is."""

    def encoder(view: Any) -> object:
        value = getattr(view.workflow, name)
        return names.get(value, value)

    return encoder


def metrics_when(mode: str) -> Encoder:
    return lambda view: view.workflow.metrics if view.workflow.type == mode else None


def capabilities(*known: str) -> Encoder:
    return lambda view: [{"capability": name} for name in known if getattr(view.workflow, name)]


def file_field(name: str) -> Encoder:
    """Of an uploaded file."""
    return lambda file: getattr(file, name)


def file_path(file: File) -> str:
    return f"s3://sandbox.invalid/{file.file_id}?signature=sandbox-secret"


def files(view: Any) -> list[dict[str, object]]:
    return [
        {"file_name": f"{file_id}.pdf", "file_id": file_id, "file_size": 1024}
        for file_id in view.workflow.file_search
    ]


def presigned_files(view: Any) -> list[dict[str, object]]:
    expires = utc_text(view.now + 3600)
    return [
        {**file, "presigned_url": _presigned_url(str(file["file_id"])), "presigned_url_expires_at": expires}
        for file in files(view)
    ]


def if_any(encoder: Encoder) -> Encoder:
    """Leaves the field out where it would be empty."""
    return lambda view: encoder(view) or ABSENT


def _presigned_url(file_id: str) -> str:
    return f"https://files.sandbox.invalid/{quote(file_id, safe='')}.pdf?signature=sandbox-secret"


def stats(view: WorkflowView) -> dict[str, int]:
    counted = view.stats
    return {
        "outputs_processed": counted.processed,
        "outputs_below_threshold": counted.below_threshold,
        "outputs_improved": counted.improved,
    }


def success_rate(view: WorkflowView) -> float | None:
    """By its page the rate of events that passed evaluation; here: the latest one, as in `filtered`."""
    counted = view.stats
    return counted.passed / counted.processed if counted.processed else None


def listed_events(encoders: Encoders) -> Encoder:
    return lambda view: [encode(event, encoders) for event in view.events]


def event_field(name: str) -> Encoder:
    return lambda view: getattr(view.event, name)


def submitted(name: str) -> Encoder:
    return lambda view: view.event.submission.get(name)


def status_words(running: str, done: str) -> Encoder:
    return lambda view: done if view.done else running


def listed_status(view: EventView) -> str:
    """Only the list of events has a word for an evaluation that broke off."""
    return "in_progress" if not view.done else "failed" if view.event.error else "completed"


def filtered_if_known(view: EventView) -> bool | None:
    return view.filtered if view.done else None


def latest_evaluation_id(view: EventView) -> str:
    return view.event.evaluations[-1 if view.done else 0].evaluation_id


def attempt_number(view: EventView) -> int:
    return max(0, len(view.evaluations) - 1)


def tool_status(names: Mapping[str | None, str | None]) -> Encoder:
    """Of the latest evaluation, in this generation's words; null while there is none."""

    def encoder(view: EventView) -> str | None:
        status = view.evaluations[-1].tool_status if view.evaluations else None
        return names.get(status, status)

    return encoder


def improved_output(view: EventView) -> str | None:
    """By its page only an output that passed each metric."""
    return view.event.evaluations[-1].output if view.done and view.event.improved else None


def latest_result(view: EventView) -> object:
    return result(view.evaluations[-1]) if view.evaluations else {}


def failure_analyses(view: EventView) -> list[str]:
    return [text for text in map(failure_analysis, view.evaluations) if text]


def all_key_improvements(view: EventView) -> list[dict[str, list[str]]]:
    return [{"key_improvement": texts} for texts in map(key_improvements, view.evaluations) if texts]


def evaluations(encoders: Encoders) -> Encoder:
    return lambda view: [encode(evaluation, encoders) for evaluation in view.evaluations]


def evaluation_field(name: str) -> Encoder:
    return lambda view: getattr(view.evaluation, name)


def result(view: EvaluationView) -> dict[str, object]:
    return {metric: asdict(score) for metric, score in view.evaluation.result.items()}


def metric_names(view: EvaluationView) -> list[str]:
    return view.evaluation.metrics


def attempt_name(view: EvaluationView) -> str:
    return f"Improvement Attempt {view.number}" if view.number else "Initial Evaluation"


def evaluated_output(view: EvaluationView) -> object:
    output = view.evaluation.output
    return view.event.submission["model_output"] if output is None else output


def evaluation_status(view: EvaluationView) -> str:
    return "failed" if view.error else "completed"


def progress(view: EvaluationView) -> int:
    return 0 if view.error else 100


def evaluation_error(view: EvaluationView) -> str | None:
    return view.error


def started_at(view: EvaluationView) -> str:
    return view.time(0)


def evaluated_at(view: EvaluationView) -> str:
    return view.time(1)


def evaluation_tool_status(view: EvaluationView) -> str | None:
    return view.tool_status


def failure_analysis(view: EvaluationView) -> str | None:
    failures = view.evaluation.failures
    return f"Synthetic: below the threshold on {', '.join(failures)}." if failures else None


def key_improvements(view: EvaluationView) -> list[str] | None:
    """What the attempt that followed did about the failures; null where none followed."""
    if view.last:
        return None
    return [f"Synthetic: worked on {metric}." for metric in view.evaluation.failures]
