"""The shapes of what is said of events: those of a workflow, and those of a suite."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from defendctl.render.json.contract import ConfigurationDocument  # noqa: TC001
from defendctl.render.json.documents import AnyDocument, PlaceDocument


class ContentPart(TypedDict, total=False):
    """What an event says, where it was asked for."""

    content: Any


class ScoreDocument(TypedDict):
    metric: str
    score: float | bool | None
    threshold: float | None
    flagged: bool | None
    carried: bool


class EvaluationDocument(TypedDict):
    """The initial evaluation is attempt 0."""

    attempt: int
    flagged: bool | None
    cost: float | None
    at: str | None
    broken: bool
    scores: list[ScoreDocument]
    content: NotRequired[Any]


class EventBody(TypedDict):
    event_id: str
    status: str
    filtered: bool | None
    flagged: bool | None
    improvement: str | None
    attempts: int | None
    cost: float | None
    at: str | None
    run_mode: str | None
    billing_request_id: NotRequired[str | None]
    settings: dict[str, Any]
    evaluations: list[EvaluationDocument]
    content: NotRequired[Any]


class ReadPart(TypedDict):
    read: NotRequired[int]
    """Among how many of the last events these were looked for."""


class EventsDocument(AnyDocument, ReadPart):
    kind: Literal["events"]
    address: str
    workflow_id: str
    wanted: int
    asked: int
    events: list[EventBody]


class EventDocument(AnyDocument, EventBody):
    kind: Literal["event"]
    address: str
    workflow_id: str


class SubmissionDocument(AnyDocument):
    kind: Literal["submission"]
    address: str
    workflow_id: str
    outcome: Literal["accepted", "refused", "not_sent", "unknown"]
    event_id: str | None
    why: str | None


class SuiteScoreDocument(TypedDict):
    score: Annotated[float, Field(allow_inf_nan=False)] | bool | None
    threshold: float | None
    flagged: bool | None


class RepeatDocument(TypedDict):
    held: Literal["as_expected", "otherwise", "not_judged"]
    submitted: Literal["yes", "no", "unknown"]
    event_id: str | None
    ended: bool
    flagged: bool | None
    improvement: str | None
    cost: float | None
    why: list[str]
    seconds: float
    scores: dict[str, SuiteScoreDocument]


class CaseResultDocument(PlaceDocument):
    """All of one case; `plan --tests` reads a part of it."""

    name: str
    address: str
    expected: NotRequired[Literal["flagged", "passes"] | None]
    """Of all metrics together; None where it speaks of some alone."""
    verdict: Literal["passed", "failed", "flaky", "not_judged"]
    why: str | None
    repeats: int
    quorum: int
    run_mode: str
    tags: list[str]
    cost: float | None
    runs: list[RepeatDocument]


class SuiteSummaryDocument(TypedDict):
    """Counts of cases, and what they took."""

    failed: int
    flaky: int
    not_judged: int
    passed: int
    cost: float | None
    seconds: float


class SuiteDocument(AnyDocument):
    """What `plan --tests` reads as a `ResultsDocument`."""

    kind: Literal["test-results"]
    digest: str
    generation: str
    host: str
    candidate: bool
    at: str
    estimate: float | None
    max_cost: float | None
    stopped: Literal["budget", "interrupted", "key"] | None
    configurations: list[ConfigurationDocument]
    summary: SuiteSummaryDocument
    cases: list[CaseResultDocument]
