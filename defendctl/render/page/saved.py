"""Several documents as one, and the shape of that of a fleet."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from defendctl.plan.direction import Direction  # noqa: TC001  pydantic looks for it here
from defendctl.plan.shapes import Action  # noqa: TC001
from defendctl.render.json.contract import PlanDocument, TogetherDocument, WindowDocument
from defendctl.render.json.documents import AnyDocument, DriftDocument
from defendctl.render.json.dump import FORMAT_VERSION
from defendctl.render.json.submitted import SuiteDocument
from defendctl.render.setting import PLAIN
from defendctl.render.tune.tune_json import TuneDocument

if TYPE_CHECKING:
    from defendctl.render.setting import Setting


@dataclass(frozen=True, slots=True)
class Saved:
    """Documents that were checked against the shapes of their kinds."""

    documents: tuple[Mapping[str, Any], ...]


class ReportDocument(AnyDocument):
    """`report --format json`; `report` reads it again."""

    kind: Literal["report"]
    documents: list[Mapping[str, Any]]


class CoverDocument(TypedDict):
    """What the policy has to do with one workflow: the rules that speak of it, and those that it breaks."""

    rules: int
    denied: list[str]
    warned: list[str]
    waived: list[str]


class LabelCountDocument(TypedDict):
    """Labels of one workflow. `until` is the last day that any was drawn from, `age_days` how long ago that
    was; both null where no block says it."""

    should_be_flagged: int
    should_pass: int
    unsure: int
    until: str | None
    age_days: int | None


class EvidenceDocument(TypedDict):
    """The recent events that a flag rate is of. `why_not` says why there is none. `age_days` is how long ago
    the newest was; `labels` is null where the workflow has none. An older defendctl told neither."""

    why_not: str | None
    events: int
    window: WindowDocument | None
    age_days: NotRequired[int | None]
    labels: NotRequired[LabelCountDocument | None]


class LastTestDocument(TypedDict):
    """Cases by what became of them, and what they speak of."""

    at: str
    of: Literal["proposed", "live", "other"]
    passed: int
    cases: int


class MemberDocument(TypedDict):
    """One workflow of the fleet. `direction` is what the next apply does to it, `drift` what was done to it
    behind our back; both null where nothing is."""

    address: str
    workflow_id: str | None
    action: Action
    direction: Direction | None
    drift: Direction | None
    missing: bool
    policy: CoverDocument
    before: TogetherDocument | None
    after: TogetherDocument | None
    evidence: EvidenceDocument
    test: LastTestDocument | None


@with_config(ConfigDict(extra="ignore"))
class FleetDocument(TypedDict):
    """`report --fleet`: every workflow, the worst first."""

    format_version: str
    kind: Literal["fleet"]
    environment: NotRequired[str]
    host: str
    workflows: list[MemberDocument]


SHAPES: Final[dict[str, Any]] = {
    "plan": PlanDocument,
    "drift": DriftDocument,
    "test-results": SuiteDocument,
    "tune": TuneDocument,
    "fleet": FleetDocument,
    "report": ReportDocument,
}
"""Kind → what a saved document must be."""


def report(result: Saved, setting: Setting = PLAIN) -> ReportDocument:
    return {"format_version": FORMAT_VERSION, "kind": "report", "documents": list(result.documents)}
