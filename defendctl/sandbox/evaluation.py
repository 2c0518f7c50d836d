"""The story of an event: an initial evaluation, then attempts until all metrics pass or the limit is reached.

Scores are synthetic, unless a script gives them: the same output and metric always get the same one, and
every rationale says so. By the engine's page an attempt evaluates only the metrics that failed, and what had
passed is carried over ("assumed pass").
"""

import time
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from defendctl.sandbox.costs import evaluation_cost
from defendctl.sandbox.model import Evaluation, Event, Score, Workflow, new_id, utc_text
from defendctl.sandbox.scores import Script

# Invented: the vendor publishes no numbers behind its levels and moves them as events arrive.
EFFECTIVE_THRESHOLDS = {"low": 0.5, "medium": 0.7, "high": 0.9}
_UNKNOWN_LEVEL = 0.7  # the console may set anything
MAX_ATTEMPTS = 100  # invented, so that an event that can never pass comes to an end
_MADE_UP = "no model read this output"
_ASSUMED = "Carried over from an earlier evaluation (assumed pass): the sandbox evaluates only what failed."


def new_event(workflow: Workflow, submission: dict[str, Any], delay: float, script: Script) -> Event:
    now = time.time()
    return Event(
        event_id=new_id("evt"),
        billing_request_id=new_id("bill"),
        created_at=utc_text(now),
        ready_at=now + delay,
        submission=submission,
        settings=workflow,
        evaluations=Judge(workflow, submission, script).evaluations(),
    )


@dataclass(frozen=True)
class Judge:
    """Evaluates one output under the settings of its workflow; an empty script means synthetic scores."""

    workflow: Workflow
    submission: dict[str, Any]
    script: Script

    def evaluations(self) -> list[Evaluation]:
        story = [self._initial()]
        while story[-1].failures and len(story) <= _attempts_allowed(self.workflow):
            story.append(self._attempt(len(story), story[-1]))
        return story

    def _initial(self) -> Evaluation:
        metrics = list(self.workflow.metrics)
        scores = self._scores(0, self.submission["model_output"], metrics, {})
        return self.evaluation(None, metrics, scores)

    def _attempt(self, number: int, before: Evaluation) -> Evaluation:
        output = improved_output(self.workflow.improvement_action, number, self.submission["model_output"])
        scores = self._scores(number, output, before.failures, before.result)
        return self.evaluation(output, before.failures, carried_over(before, scores))

    def evaluation(self, output: str | None, metrics: list[str], result: dict[str, Score]) -> Evaluation:
        cost = evaluation_cost(len(metrics), self.submission["run_mode"], self.workflow)
        return Evaluation(new_id("eval"), output, metrics, result, cost)

    def _scores(
        self, number: int, output: str, metrics: list[str], before: dict[str, Score]
    ) -> dict[str, Score]:
        if self.script:
            given = self.script[min(number, len(self.script) - 1)]
            return {metric: self._scripted(metric, given[metric]) for metric in metrics if metric in given}
        return {metric: self._synthetic(metric, output, before.get(metric)) for metric in metrics}

    def _scripted(self, metric: str, score: float | bool | None) -> Score:
        said = "No score" if score is None else f"Score {score}"
        rationale = f"{said} as scripted for the sandbox: {_MADE_UP}."
        return Score(score, rationale, effective_threshold(self.workflow, metric))

    def _synthetic(self, metric: str, output: str, before: Score | None) -> Score:
        score = synthetic_score(metric, output)
        if before and self.workflow.improvement_action == "fixit":  # a repair closes part of the gap
            score = round(_number(before) + (1 - _number(before)) * score, 2)
        rationale = f"Synthetic score {score} from the sandbox: {_MADE_UP}."
        return Score(score, rationale, effective_threshold(self.workflow, metric))


def carried_over(before: Evaluation, scores: dict[str, Score]) -> dict[str, Score]:
    """The result of an attempt that scored these, in the order of the evaluation before it."""
    kept = {name: score for name, score in before.result.items() if name in scores or not score.failed}
    return {**{name: replace(score, rationale=_ASSUMED) for name, score in kept.items()}, **scores}


def improved_output(action: str, number: int, output: str) -> str:
    tool = {"fixit": "repair", "regenerate": "regeneration"}.get(action, "improvement")
    return f"[Synthetic {tool} {number}: no model wrote this.] {output}"


def effective_threshold(workflow: Workflow, metric: str) -> float:
    """The number behind a level is invented, and is seen only as `threshold` in results."""
    value: object = workflow.metrics.get(metric)
    if isinstance(value, int | float):
        return value
    return EFFECTIVE_THRESHOLDS.get(str(value), _UNKNOWN_LEVEL)


def synthetic_score(metric: str, output: str) -> float:
    digest = sha256(f"{metric}\0{output}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % 101 / 100


def _number(score: Score) -> float:
    return float(score.score or 0)


def _attempts_allowed(workflow: Workflow) -> int:
    limit: object = workflow.max_retries
    improves = workflow.improvement_action in ("fixit", "regenerate") and isinstance(limit, int)
    return min(workflow.max_retries, MAX_ATTEMPTS) if improves else 0
