"""The results of a test suite as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from defendctl.render.json.results import document
from defendctl.render.setting import PLAIN
from defendctl.suite.configuration import digest
from defendctl.suite.models import VERDICTS

if TYPE_CHECKING:
    from defendctl.event import Score
    from defendctl.render.setting import Setting
    from defendctl.suite.models import CaseResult, Repeat, Suite


def suite(done: Suite, setting: Setting = PLAIN) -> str:
    names = ("generation", "environment", "host", "candidate", "at", "estimate", "max_cost", "stopped")
    return document(
        "test-results",
        digest=digest(done.configurations, done.host),
        **{name: getattr(done, name) for name in names},
        configurations=[
            {"address": one.address, "workflow_id": one.workflow_id, "digest": one.digest}
            for one in done.configurations
        ],
        summary={
            **{verdict: done.count(verdict) for verdict in VERDICTS},
            "cost": done.cost,
            "seconds": round(done.seconds, 3),
        },
        cases=[_case(result) for result in done.results],
    )


def _case(result: CaseResult) -> dict[str, Any]:
    case, span = result.case, result.case.span
    return {
        "name": case.name,
        "address": case.address,
        "verdict": result.verdict,
        "why": result.why,
        "repeats": case.repeats,
        "quorum": case.quorum,
        "run_mode": case.submission.run_mode,
        "tags": list(case.tags),
        "cost": result.cost,
        "file": span.file if span else None,
        "line": span.line if span else None,
        "column": span.column if span else None,
        "runs": [_run(run) for run in result.runs],
    }


def _run(run: Repeat) -> dict[str, Any]:
    names = ("held", "submitted", "event_id", "ended", "flagged", "improvement", "cost")
    return {
        **{name: getattr(run, name) for name in names},
        "why": list(run.why),
        "seconds": round(run.seconds, 3),
        "scores": {metric: _score(score) for metric, score in run.scores.items()},
    }


def _score(score: Score) -> dict[str, Any]:
    return {"score": score.score, "threshold": score.threshold, "flagged": score.flagged}
