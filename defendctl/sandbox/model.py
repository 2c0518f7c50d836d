"""The canonical form: what the sandbox stores, whatever generation wrote it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4


@dataclass(frozen=True)
class Workflow:
    workflow_id: str
    name: str
    description: str
    status: str  # active | inactive
    type: str  # custom | automatic
    metrics: dict[str, float | str]  # custom: thresholds; automatic: low | medium | high
    improvement_action: str  # fixit | regenerate | none
    max_retries: int
    web_search: bool
    context_awareness: bool
    file_search: list[str]
    created_at: str
    updated_at: str


@dataclass(frozen=True)
class Score:
    score: float
    rationale: str
    threshold: float

    @property
    def failed(self) -> bool:
        return self.score < self.threshold


@dataclass(frozen=True)
class Evaluation:
    attempt: str
    model_output: str
    result: dict[str, Score]

    @property
    def failures(self) -> list[str]:
        return [metric for metric, score in self.result.items() if score.failed]


@dataclass(frozen=True)
class Event:
    """A submitted output, with the settings of its workflow at that time.

    The first evaluation is the initial one; improvement attempts would follow it.
    """

    event_id: str
    evaluation_id: str
    billing_request_id: str
    created_at: str
    ready_at: float  # epoch seconds; until then the event is in progress
    submission: dict[str, Any]
    settings: Workflow
    evaluations: list[Evaluation]

    @property
    def filtered(self) -> bool:
        return bool(self.evaluations[-1].failures)

    @property
    def failed_at_first(self) -> bool:
        return bool(self.evaluations[0].failures)

    @property
    def improved(self) -> bool:
        return self.failed_at_first and not self.filtered


# What a create leaves out, in every generation.
DEFAULTS: dict[str, Any] = {
    "description": "",
    "status": "active",
    "max_retries": 10,
    "web_search": False,
    "context_awareness": False,
    "file_search": [],
}


def new_workflow(values: dict[str, Any]) -> Workflow:
    now = utc_now()
    fresh = {"workflow_id": new_id("wkfl"), "created_at": now, "updated_at": now}
    return Workflow(**{**DEFAULTS, **fresh, **values})


def new_id(prefix: str) -> str:
    return f"{prefix}_{uuid4().hex}"


def utc_now() -> str:
    return utc_text(datetime.now(UTC).timestamp())


def utc_text(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
