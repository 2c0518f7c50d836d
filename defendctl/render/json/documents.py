"""The shapes of the results that are only read by others: no schema is made of them, mypy holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NotRequired

from typing_extensions import TypedDict

from defendctl.plan.direction import Direction  # noqa: TC001  pydantic looks for it here
from defendctl.plan.shapes import FieldDocument, MoveDocument

if TYPE_CHECKING:
    from defendctl.render.json.contract import (
        DiagnosticDocument,
        FileDocument,
        ReplayDocument,
        TestsDocument,
    )


class EnvironmentPart(TypedDict, total=False):
    """The environment, of a project that has any."""

    environment: str


class AnyDocument(EnvironmentPart):
    format_version: str


class PlaceDocument(TypedDict):
    """All null where there is no place."""

    file: str | None
    line: int | None
    column: int | None


class BegunPart(TypedDict, total=False):
    """Whether a plan is the first one of its state."""

    state: Literal["none"]


class MovesPart(TypedDict, total=False):
    """Renames, where there are any."""

    moves: list[MoveDocument]


class BesidePart(TypedDict, total=False):
    """What is shown beside the changes of a plan, where there is any of it."""

    files: list[FileDocument]
    replay: list[ReplayDocument]
    policy_replay: list[ReplayDocument]
    tests: TestsDocument


class SightingDocument(TypedDict):
    """The event that told a value."""

    event_id: str
    at: str
    value: int


class KnownDocument(TypedDict):
    """Where one value comes from."""

    path: str
    value: Any
    source: Literal["live", "event", "applied", "unconfirmed", "assumed", "unknown"]
    event: SightingDocument | None
    recorded_at: str | None
    recorded_by: str | None
    event_age_seconds: int | None


class BoundDocument(TypedDict):
    address: str
    workflow_id: str


class DiagnosticsDocument(AnyDocument):
    kind: Literal["diagnostics"]
    valid: bool
    diagnostics: list[DiagnosticDocument]


class AppliedDocument(TypedDict):
    """What came of one address."""

    address: str
    action: str
    outcome: Literal["done", "failed", "unknown", "not_attempted"]
    workflow_id: str | None
    error: str | None


class ApplyDocument(AnyDocument):
    kind: Literal["apply"]
    summary: dict[str, int]
    results: list[AppliedDocument]
    moves: NotRequired[list[MoveDocument]]


class FatePart(TypedDict, total=False):
    """What a person must know of an edit, and what `--write` made of it."""

    note: str
    written: PlaceDocument | None
    not_written: str | None


class EditDocument(FieldDocument):
    """One difference between what was applied and what is live."""

    note: NotRequired[str]
    written: NotRequired[PlaceDocument | None]
    not_written: NotRequired[str | None]


class DriftedDocument(TypedDict):
    address: str
    workflow_id: str
    direction: Direction
    status: str
    fields: list[EditDocument]


class DriftDocument(AnyDocument):
    kind: Literal["drift"]
    drifted: bool
    workflows: list[DriftedDocument]


class RowDocument(TypedDict):
    """One value of a workflow from all sides."""

    path: str
    desired: Any
    live: Any
    applied: Any
    basis: str | None


class StatsPart(TypedDict):
    stats: NotRequired[dict[str, float]]
    """What the live workflow counts of itself, in the API's words."""


class WorkflowDocument(AnyDocument, StatsPart):
    kind: Literal["workflow"]
    address: str
    workflow_id: str | None
    status: str | None
    fields: list[RowDocument]
    unmanaged: NotRequired[list[str]]


class ProvenanceDocument(AnyDocument):
    kind: Literal["workflow"]
    address: str
    workflow_id: str | None
    status: str | None
    fields: list[RowDocument]
    unmanaged: list[str]
    provenance: list[KnownDocument]


class UnmanagedPart(TypedDict, total=False):
    """Fields that are left to the console, where there are any."""

    unmanaged: list[str]


class CanaryPart(TypedDict, total=False):
    """The workflow that candidates are tested on, where there is one."""

    canary: str


class UnresolvedDocument(TypedDict):
    """A create whose outcome is unknown."""

    address: str
    since: str


class StateDocument(AnyDocument):
    kind: Literal["state"]
    lineage: str | None
    serial: int
    bindings: list[BoundDocument]
    canary: NotRequired[str]
    unresolved: list[UnresolvedDocument]
    retired: list[BoundDocument]


class RunModesPart(TypedDict):
    run_modes: NotRequired[dict[str, str]]
    """By address, of those that have advice; not there where the manifests are not valid."""


class OutputsDocument(AnyDocument, RunModesPart):
    kind: Literal["outputs"]
    outputs: dict[str, str]
