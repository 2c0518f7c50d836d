"""Encoders for answers: a table of field name → function of what is shown."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import quote

from defendctl.sandbox.model import Evaluation, Event, Workflow, utc_text
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
        return [EvaluationView(each, self.event) for each in self.event.evaluations] if self.done else []


@dataclass(frozen=True)
class EvaluationView:
    evaluation: Evaluation
    event: Event


def encode(view: object, encoders: Encoders) -> dict[str, object]:
    return {name: encoder(view) for name, encoder in encoders.items()}


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
    counted = view.stats
    return (counted.processed - counted.below_threshold) / counted.processed if counted.processed else None


def listed_events(encoders: Encoders) -> Encoder:
    return lambda view: [encode(event, encoders) for event in view.events]


def event_field(name: str) -> Encoder:
    return lambda view: getattr(view.event, name)


def submitted(name: str) -> Encoder:
    return lambda view: view.event.submission.get(name)


def status_words(running: str, done: str) -> Encoder:
    return lambda view: done if view.done else running


def filtered_if_known(view: EventView) -> bool | None:
    return view.filtered if view.done else None


def attempt_number(view: EventView) -> int:
    return max(0, len(view.evaluations) - 1)


def tool_status(passed: str | None) -> Encoder:
    """Until attempts exist, a failed output stays at `improvement_required`."""

    def encoder(view: EventView) -> str | None:
        if not view.done:
            return None
        return "improvement_required" if view.filtered else "improved" if view.event.improved else passed

    return encoder


def improved_output(view: EventView) -> str | None:
    return view.event.evaluations[-1].model_output if view.done and view.event.improved else None


def latest_result(view: EventView) -> object:
    return result(view.evaluations[-1]) if view.evaluations else {}


def failure_analyses(view: EventView) -> list[str]:
    return [text for text in map(failure_analysis, view.evaluations) if text]


def evaluations(encoders: Encoders) -> Encoder:
    return lambda view: [encode(evaluation, encoders) for evaluation in view.evaluations]


def evaluation_field(name: str) -> Encoder:
    return lambda view: getattr(view.evaluation, name)


def result(view: EvaluationView) -> dict[str, object]:
    return {metric: asdict(score) for metric, score in view.evaluation.result.items()}


def metric_names(view: EvaluationView) -> list[str]:
    return list(view.evaluation.result)


def evaluated_at(view: EvaluationView) -> str:
    return utc_text(view.event.ready_at)


def evaluation_tool_status(view: EvaluationView) -> str:
    return "improvement_required" if view.evaluation.failures else "no_improvement_required"


def failure_analysis(view: EvaluationView) -> str | None:
    failures = view.evaluation.failures
    return f"Synthetic: below the threshold on {', '.join(failures)}." if failures else None
