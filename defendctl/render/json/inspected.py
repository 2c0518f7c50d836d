"""The shapes of what is looked at without changing it: proofs, comparisons, manifests, check-ups."""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from defendctl.render.json.documents import AnyDocument, PlaceDocument


class ProvenDocument(TypedDict):
    path: str
    declared: Any
    served: Any
    verdict: Literal["same", "differs", "not_told"]


class ProofDocument(AnyDocument):
    kind: Literal["proof"]
    address: str
    workflow_id: str
    answer: Literal["proven", "differs", "not_yet"]
    why: str | None
    event_id: str | None
    at: str | None
    changed_at: str | None
    fields: list[ProvenDocument]


class EntryDocument(TypedDict):
    code: str
    title: str
    why: str
    what_to_do: str | None
    bad: str | None
    good: str | None
    file: str | None


class ExplanationDocument(AnyDocument):
    kind: Literal["explanation"]
    entries: list[EntryDocument]


class ContrastFieldDocument(TypedDict):
    """`before` is of the first environment, `after` of the second."""

    path: str
    before: Any
    after: Any
    direction: str


class ContrastDocument(TypedDict):
    address: str
    only_in: str | None
    direction: str
    fields: list[ContrastFieldDocument]


class ContrastSummaryDocument(TypedDict):
    loosens: int
    tightens: int
    indeterminate: int
    alike: int


class DifferenceDocument(TypedDict):
    """Of what no workflow says: a rule, a waiver, a setting. Null where it is not there on that side."""

    what: str
    before: Any
    after: Any
    direction: str


RenamedDocument = TypedDict("RenamedDocument", {"from": str, "to": str})


class BesidesPart(TypedDict):
    """Only of one environment at two revisions, and where there is any."""

    renamed: NotRequired[list[RenamedDocument]]
    besides: NotRequired[list[DifferenceDocument]]


class ComparisonDocument(AnyDocument, BesidesPart):
    kind: Literal["comparison"]
    first: str
    second: str
    differ: bool
    summary: ContrastSummaryDocument
    workflows: list[ContrastDocument]


class WaivedDocument(TypedDict):
    """A waiver as a manifest has it."""

    address: str
    rule: str
    field: str
    to: Any
    reason: str
    approver: str
    expires: str


class ManifestBody(TypedDict):
    version: Literal[1]
    workflows: dict[str, Any]
    waivers: NotRequired[list[WaivedDocument]]


class OriginsPart(TypedDict, total=False):
    """Address → path → place, where it was asked for."""

    origins: dict[str, dict[str, PlaceDocument]]


class ManifestDocument(AnyDocument):
    kind: Literal["manifest"]
    manifest: ManifestBody
    origins: NotRequired[dict[str, dict[str, PlaceDocument]]]


class CheckDocument(TypedDict):
    topic: str
    verdict: Literal["ok", "note", "problem"]
    message: str
    advice: str | None
    code: int


class ServedDocument(TypedDict):
    """What the server answers like."""

    read: int
    evidence: list[str]
    generation: str
    readable: list[str]
    unreadable: list[str]
    creatable: list[str]
    updatable: list[str]
    names: list[str]
    unknown: list[str]


class QuestionDocument(TypedDict):
    id: str
    question: str
    answer: str | None
    why: str
    settled: bool


class DoctorDocument(AnyDocument):
    kind: Literal["doctor"]
    healthy: bool
    checks: list[CheckDocument]
    server: ServedDocument | None
    questions: list[QuestionDocument]
