"""What tune found, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from defendctl.evidence.reasons import aim_of_cost, promise
from defendctl.render.json.contract import (  # noqa: TC001  pydantic looks for them here
    MetricReplayDocument,
    RangeDocument,
    WindowDocument,
)
from defendctl.render.json.documents import AnyDocument
from defendctl.render.json.dump import FORMAT_VERSION, named
from defendctl.render.json.plan import metric_document
from defendctl.render.setting import PLAIN

if TYPE_CHECKING:
    from defendctl.evidence.tuning import CostAt, Evidence, JudgedCost, JudgedGoal, Tuned, TunedMetric
    from defendctl.render.setting import Setting

CountsDocument = Annotated[list[int], Field(min_length=2, max_length=2)]
"""For certain, and at most."""
Standing = Literal["proven", "broken", "undecided"]


class GoalDocument(TypedDict):
    """`limit` as it was asked for; `hits` are what it limits: flags, misses. `n_eff`: so many independent
    examples say as much."""

    goal: str
    promise: str
    limit: float | None
    allowed: int | None
    needed: int
    n: int
    n_eff: int
    today_is: Standing
    hits_today: CountsDocument
    hits_suggested: CountsDocument | None


class CostAtDocument(TypedDict):
    """What thresholds make of the newer half of the labels: false alarms and misses, for certain and at most;
    what that costs a labelled event, and what all such events cost, with the confidence asked for."""

    false_alarms: CountsDocument
    misses: CountsDocument
    an_event: RangeDocument
    interval: RangeDocument


class CostDocument(TypedDict):
    """An estimate: `chosen_among` older labels, and shown by `n` newer ones. `today_is` is `broken` where
    what is suggested is looser and proven to cost less."""

    promise: str
    false_alarm: float
    miss: float
    chosen_among: int
    n: int
    today_is: Standing
    today: CostAtDocument
    suggested: CostAtDocument | None


class TunedMetricDocument(TypedDict):
    """`flagged`: events by any metric, for certain and at most; `range`: what is proven for all goals;
    `replay`: this metric alone, `before` today's and `after` what is suggested."""

    metric: str
    today: float
    today_is: Standing
    flagged: CountsDocument | None
    suggested: float | None
    range: RangeDocument | None
    status: Literal["proven", "estimate", "not_provable", "impossible"]
    direction: str
    replay: NotRequired[MetricReplayDocument]


class TuneEvidenceDocument(TypedDict):
    events: int
    unscored: int
    gaps: int
    window: WindowDocument | None
    run_mode: str | None
    drift_p: float
    inflation: float
    labels: int
    tests_digest: str | None


class WrittenDocument(TypedDict):
    metric: str
    value: float
    file: str
    line: int | None


class TuneDocument(AnyDocument):
    kind: Literal["tune"]
    address: str
    workflow_id: str
    confidence: float
    looks: int
    goals: list[GoalDocument]
    cost: NotRequired[CostDocument]
    metrics: list[TunedMetricDocument]
    evidence: TuneEvidenceDocument
    why: list[str]
    caveats: list[str]
    written: list[WrittenDocument]


def tune(found: Tuned, setting: Setting = PLAIN) -> TuneDocument:
    return {
        "format_version": FORMAT_VERSION,
        "kind": "tune",
        **named(setting.environment),
        "address": found.asked.address,
        "workflow_id": found.asked.workflow_id,
        "confidence": found.asked.confidence,
        "looks": found.asked.looks,
        "goals": [_goal(one) for one in found.goals],
        **_priced(found.cost),
        "metrics": [_metric(one, found) for one in found.metrics],
        "evidence": _evidence(found.evidence),
        "why": list(found.why),
        "caveats": list(found.caveats),
        "written": [
            {"metric": one.metric, "value": one.value, "file": one.file, "line": one.line}
            for one in found.written
        ],
    }


def _goal(one: JudgedGoal) -> GoalDocument:
    goal = one.goal
    return {
        "goal": goal.name,
        "promise": promise(goal),
        "limit": round(1 - goal.limit, 8) if goal.limit and goal.name == "min_recall" else goal.limit,
        "allowed": goal.allowed,
        "needed": goal.needed,
        "n": goal.of,
        "n_eff": goal.effective,
        "today_is": one.today_is,
        "hits_today": list(one.hits),
        "hits_suggested": list(one.suggested) if one.suggested else None,
    }


class _Priced(TypedDict, total=False):
    cost: CostDocument


def _priced(found: JudgedCost | None) -> _Priced:
    if found is None:
        return {}
    return {
        "cost": {
            "promise": aim_of_cost(found.prices),
            "false_alarm": found.prices.false_alarm,
            "miss": found.prices.miss,
            "chosen_among": found.chosen_among,
            "n": found.of,
            "today_is": found.today_is,
            "today": _cost_at(found.today),
            "suggested": _cost_at(found.suggested) if found.suggested else None,
        }
    }


def _cost_at(at: CostAt) -> CostAtDocument:
    return {
        "false_alarms": list(at.false_alarms),
        "misses": list(at.misses),
        "an_event": [round(each, 6) for each in at.an_event],
        "interval": [round(each, 6) for each in at.interval],
    }


def _metric(one: TunedMetric, found: Tuned) -> TunedMetricDocument:
    flagged = next((list(goal.hits) for goal in found.goals if goal.goal.name == "max_flag_rate"), None)
    return {
        "metric": one.metric,
        "today": one.today,
        "today_is": found.today_is,
        "flagged": flagged,
        "suggested": one.suggested,
        "range": list(one.range) if one.range else None,
        "status": found.status,
        "direction": one.direction,
        "replay": metric_document(one.seen),
    }


def _evidence(seen: Evidence) -> TuneEvidenceDocument:
    return {
        "events": seen.events,
        "unscored": seen.unscored,
        "gaps": 0,
        "window": list(seen.window) if seen.window else None,
        "run_mode": seen.run_mode,
        "drift_p": round(seen.drift_p, 6),
        "inflation": round(seen.inflation, 4),
        "labels": seen.labels,
        "tests_digest": seen.tests_digest,
    }
