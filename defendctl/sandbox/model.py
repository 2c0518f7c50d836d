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
class File:
    """An uploaded file: all but what it holds."""

    file_id: str
    name: str
    size: int
    sha256: str
    created_at: str


@dataclass(frozen=True)
class Score:
    """How one metric judged an output: a number, a verdict (true passes), or null where it gave none."""

    score: float | bool | None
    rationale: str
    threshold: float | None

    @property
    def failed(self) -> bool:
        """Below the threshold fails, equal passes, by the engine's page. What was not scored cannot fail."""
        if isinstance(self.score, bool):
            return not self.score
        return self.score is not None and self.threshold is not None and self.score < self.threshold


@dataclass(frozen=True)
class Evaluation:
    """One evaluation of an event: of the submitted output, or of what an improvement attempt made of it.

    `metrics` are those evaluated this time; `result` also holds what was carried over from before.
    """

    evaluation_id: str
    output: str | None  # null: the submitted one, which is not stored twice
    metrics: list[str]
    result: dict[str, Score]
    cost: float

    @property
    def failures(self) -> list[str]:
        return [metric for metric, score in self.result.items() if score.failed]


@dataclass(frozen=True)
class Event:
    """A submitted output, the settings of its workflow at that time, and its evaluations, oldest first."""

    event_id: str
    billing_request_id: str
    created_at: str
    ready_at: float  # epoch seconds; until then the event is in progress
    submission: dict[str, Any]
    settings: Workflow
    evaluations: list[Evaluation]
    error: str | None = None  # why its last evaluation could not be finished

    @property
    def filtered(self) -> bool:
        """By the event's page: whether the latest evaluation failed at least one metric."""
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


FOREVER = datetime(9999, 12, 31, tzinfo=UTC).timestamp()


def utc_text(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
