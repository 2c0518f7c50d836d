"""The shapes of what defendctl prints as JSON. Minor versions add, major ones break."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from defendctl.plan.shapes import (  # noqa: TC001  pydantic looks for them here
    ChangeDocument,
    MoveDocument,
    OptionsDocument,
    SummaryDocument,
)

RangeDocument = Annotated[list[float], Field(min_length=2, max_length=2)]
WindowDocument = Annotated[list[str], Field(min_length=2, max_length=2)]
Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]


class FingerprintDocument(TypedDict):
    """One thing that the plan does, by which `apply --reviewed` knows it again. `field` is null where it is
    told as a whole."""

    address: str
    action: Literal["create", "adopt", "update", "replace", "retire", "move"]
    field: str | None
    fingerprint: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class DocsDocument(TypedDict):
    """The page about the code of a finding, of the version that found it."""

    url: str


class DiagnosticDocument(TypedDict):
    """One finding; `line` and `column` are null only where there is no place."""

    severity: Literal["error", "warning"]
    code: str
    message: str
    file: str | None
    line: int | None
    column: int | None
    docs: NotRequired[DocsDocument]


class VerdictsDocument(TypedDict):
    """Events of a metric that says yes or no, and gives no score."""

    true: int
    false: int


class DistributionDocument(TypedDict):
    """The scores of one metric: each distinct one and how often it was given. With `bin_width`, `scores` are
    the lower edges of bins that end at the next hundredth or at a threshold, whichever comes first; the edge
    belongs to its bin. `counts` and `verdicts` add up to `scored`. The share below any threshold is at most
    `dkw` from that of all events to come, for every threshold at once (95 %, Massart 1990)."""

    scores: list[float]
    counts: list[int]
    verdicts: VerdictsDocument
    bin_width: NotRequired[float]
    dkw: NotRequired[float]


class MetricReplayDocument(TypedDict):
    """One metric. `before` or `after` is null where it is not there on that side."""

    metric: str
    before: float | None
    after: float | None
    scored: int
    unscored: int
    fails_before: int
    fails_after: int
    ties: int
    distribution: NotRequired[DistributionDocument]


class HitsDocument(TypedDict):
    """So many of so many, with Wilson's interval, 95 %; null where nothing may be said of other events."""

    hits: int
    of: int
    interval: RangeDocument | None


class LabelledDocument(TypedDict):
    """What labels say of the flags of one side, of the events that were drawn in one way: of those that
    should be flagged the flagged ones (`caught`), of those that should pass the flagged ones
    (`false_alarms`), of the flagged ones those that should be (`right`). `metric` is null where the labels
    are of the whole verdict; `unknown` have no score that could tell, `missing` are answered 404, `unread`
    could not be read."""

    drawn: Literal["uniform", "flagged", "found"]
    metric: str | None
    caught: HitsDocument
    false_alarms: HitsDocument
    right: HitsDocument
    unknown: int
    unsure: int
    missing: int
    unread: int


class TogetherDocument(TypedDict):
    """Events that fail at least one metric. `flag_rate` is that of the known ones alone, and `interval`
    Wilson's of it, 95 %; `flag_rate_range` (and `bounds`) is the rate over all events, if none or if each of
    the unknown ones fails: what people are shown."""

    known: int
    unknown: int
    fails: int
    flag_rate: float | None
    flag_rate_range: NotRequired[RangeDocument | None]
    interval: RangeDocument
    bounds: RangeDocument | None
    labelled: NotRequired[list[LabelledDocument]]


class ReplayDocument(TypedDict):
    """What new thresholds would have done to recent events: flag rates. Whether a flag was right only
    `labelled` says, of labelled events.

    `why_not` says why a workflow cannot be replayed; then there are no numbers. Evaluations and costs are
    means an event, the least and the most. `asked` is less than `wanted` where the API gives fewer;
    `not_evaluated` are events whose evaluation did not come to an end; a gate needs `needed` events.
    """

    address: str
    workflow_id: str | None
    why_not: str | None
    wanted: NotRequired[int]
    asked: int
    events: int
    not_evaluated: NotRequired[int]
    needed: NotRequired[int]
    enough: bool
    window: WindowDocument | None
    run_modes: dict[str, int]
    metrics: list[MetricReplayDocument]
    before: TogetherDocument | None
    after: TogetherDocument | None
    newly_flagged: list[str]
    no_longer_flagged: list[str]
    evaluations_before: RangeDocument | None
    evaluations_after: RangeDocument | None
    cost_before: RangeDocument | None
    cost_after: RangeDocument | None


class WaiverDocument(TypedDict):
    """The one that lets a finding pass, as the manifest says it."""

    to: Any
    reason: str
    approver: str
    expires: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    file: str | None
    line: int | None
    column: int | None


class FindingDocument(TypedDict):
    """One rule of the policy that is broken, or could not be evaluated (`evaluated` false)."""

    rule: str
    verdict: Literal["denied", "warned", "waived"]
    message: str
    detail: str
    address: str | None
    field: str | None
    evaluated: bool
    file: str | None
    line: int | None
    column: int | None
    waiver: WaiverDocument | None
    remedy: str | None


class FileDocument(TypedDict):
    """A file of the repository that a workflow is to search. `content` stands in `file_search` for its id
    until it is uploaded, and `file_id` is null as long."""

    path: str
    content: Digest
    size: int
    file_id: str | None


class CaseDocument(TypedDict):
    """One case of a suite, and what came of it."""

    name: str
    verdict: Literal["passed", "failed", "flaky", "not_judged"]


class TestedDocument(TypedDict):
    """The recorded cases of one workflow: `of` what the plan proposes, of what is live, or of neither."""

    address: str
    of: Literal["proposed", "live", "other"]
    why: str | None
    cases: list[CaseDocument]


class TestsDocument(TypedDict):
    """The last recorded run of tests. `stale`: some of it speaks of another configuration."""

    at: str
    candidate: bool
    stale: bool
    workflows: list[TestedDocument]


@with_config(ConfigDict(extra="ignore"))
class PlanDocument(TypedDict):
    """`defendctl plan --format json`, and the plan file."""

    format_version: Annotated[str, Field(pattern=r"^1\.[0-9]+$")]
    kind: Literal["plan"]
    environment: NotRequired[str]
    digest: Digest | None
    lineage: str | None
    serial: int
    state: NotRequired[Literal["none"]]
    generation: str
    options: OptionsDocument
    summary: SummaryDocument
    changes: list[ChangeDocument]
    moves: NotRequired[list[MoveDocument]]
    fingerprints: NotRequired[list[FingerprintDocument]]
    diagnostics: list[DiagnosticDocument]
    files: NotRequired[list[FileDocument]]
    replay: NotRequired[list[ReplayDocument]]
    policy_replay: NotRequired[list[ReplayDocument]]
    tests: NotRequired[TestsDocument]
    policy: NotRequired[list[FindingDocument]]


class ConfigurationDocument(TypedDict):
    """What a workflow was when its cases were run."""

    address: str
    workflow_id: str
    digest: Digest


class ResultDocument(CaseDocument):
    address: str


@with_config(ConfigDict(extra="ignore"))
class ResultsDocument(TypedDict):
    """What `plan --tests` reads of `defendctl test --out FILE`."""

    host: str
    environment: NotRequired[str | None]
    at: str
    candidate: NotRequired[bool]
    configurations: list[ConfigurationDocument]
    cases: list[ResultDocument]


def document_schema(shape: Any, title: str) -> dict[str, Any]:
    """Draft-07, for those who read what is printed: `shape` is the TypedDict of one document."""
    from pydantic import TypeAdapter

    schema = TypeAdapter(shape).json_schema(ref_template="#/definitions/{model}")
    schema["definitions"] = schema.pop("$defs")
    head = {"$schema": "http://json-schema.org/draft-07/schema#", "title": title}
    return {**head, **{k: v for k, v in _untitled(schema).items() if k != "title"}}


def _untitled(node: Any) -> Any:
    """Automatic titles say nothing that the keys do not."""
    if isinstance(node, list):
        return [_untitled(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {k: _untitled(v) for k, v in node.items() if not (k == "title" and isinstance(v, str))}
