"""The results of a test suite as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.render.json.dump import FORMAT_VERSION, named, place
from defendctl.render.setting import PLAIN
from defendctl.suite.configuration import digest

if TYPE_CHECKING:
    from defendctl.event import Score
    from defendctl.render.json.submitted import (
        CaseResultDocument,
        RepeatDocument,
        SuiteDocument,
        SuiteScoreDocument,
    )
    from defendctl.render.setting import Setting
    from defendctl.suite.models import CaseResult, Repeat, Suite


def suite(done: Suite, setting: Setting = PLAIN) -> SuiteDocument:
    return {
        "format_version": FORMAT_VERSION,
        "kind": "test-results",
        **named(done.environment),
        "digest": digest(done.configurations, done.host),
        "generation": done.generation,
        "host": done.host,
        "candidate": done.candidate,
        "at": done.at,
        "estimate": done.estimate,
        "max_cost": done.max_cost,
        "stopped": done.stopped,
        "configurations": [
            {"address": one.address, "workflow_id": one.workflow_id, "digest": one.digest}
            for one in done.configurations
        ],
        "summary": {
            "failed": done.count("failed"),
            "flaky": done.count("flaky"),
            "not_judged": done.count("not_judged"),
            "passed": done.count("passed"),
            "cost": done.cost,
            "seconds": round(done.seconds, 3),
        },
        "cases": [_case(result) for result in done.results],
    }


def _case(result: CaseResult) -> CaseResultDocument:
    case = result.case
    return {
        "name": case.name,
        "address": case.address,
        "expected": case.expect.result,
        "verdict": result.verdict,
        "why": result.why,
        "repeats": case.repeats,
        "quorum": case.quorum,
        "run_mode": case.submission.run_mode,
        "tags": list(case.tags),
        "cost": result.cost,
        **place(case.span),
        "runs": [_run(run) for run in result.runs],
    }


def _run(run: Repeat) -> RepeatDocument:
    return {
        "held": run.held,
        "submitted": run.submitted,
        "event_id": run.event_id,
        "ended": run.ended,
        "flagged": run.flagged,
        "improvement": run.improvement,
        "cost": run.cost,
        "why": list(run.why),
        "seconds": round(run.seconds, 3),
        "scores": {metric: _score(score) for metric, score in run.scores.items()},
    }


def _score(score: Score) -> SuiteScoreDocument:
    return {"score": score.score, "threshold": score.threshold, "flagged": score.flagged}
