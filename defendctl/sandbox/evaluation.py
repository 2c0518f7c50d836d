"""Synthetic scores: the same output and metric always get the same one, and every rationale says so."""

import time
from hashlib import sha256
from typing import Any

from defendctl.sandbox.model import Evaluation, Event, Score, Workflow, new_id, utc_text

# Invented: the vendor publishes no numbers behind its levels and moves them as events arrive.
EFFECTIVE_THRESHOLDS = {"low": 0.5, "medium": 0.7, "high": 0.9}
_UNKNOWN_LEVEL = 0.7  # the console may set anything


def new_event(workflow: Workflow, submission: dict[str, Any], delay: float) -> Event:
    now = time.time()
    return Event(
        event_id=new_id("evt"),
        evaluation_id=new_id("eval"),
        billing_request_id=new_id("bill"),
        created_at=utc_text(now),
        ready_at=now + delay,
        submission=submission,
        settings=workflow,
        evaluations=evaluate(workflow, submission),
    )


def evaluate(workflow: Workflow, submission: dict[str, Any]) -> list[Evaluation]:
    """The initial evaluation. Improvement attempts, once there are any, are appended to it."""
    output = submission["model_output"]
    result = {metric: _score(metric, output, value) for metric, value in workflow.metrics.items()}
    return [Evaluation("Initial Evaluation", output, result)]


def _score(metric: str, output: str, value: float | str) -> Score:
    score = synthetic_score(metric, output)
    threshold = EFFECTIVE_THRESHOLDS.get(value, _UNKNOWN_LEVEL) if isinstance(value, str) else value
    return Score(score, f"Synthetic score {score} from the sandbox: no model read this output.", threshold)


def synthetic_score(metric: str, output: str) -> float:
    digest = sha256(f"{metric}\0{output}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % 101 / 100
