"""Synthetic scores: the same output and metric always get the same one, and every rationale says so."""

from hashlib import sha256
from typing import Any

from defendctl.sandbox.model import Evaluation, Score, Workflow

# Invented: the vendor publishes no numbers behind its levels and moves them as events arrive.
EFFECTIVE_THRESHOLDS = {"low": 0.5, "medium": 0.7, "high": 0.9}


def evaluate(workflow: Workflow, submission: dict[str, Any]) -> list[Evaluation]:
    """The initial evaluation. Improvement attempts, once there are any, are appended to it."""
    output = submission["model_output"]
    result = {metric: _score(metric, output, value) for metric, value in workflow.metrics.items()}
    return [Evaluation("Initial Evaluation", output, result)]


def _score(metric: str, output: str, value: float | str) -> Score:
    score = synthetic_score(metric, output)
    threshold = EFFECTIVE_THRESHOLDS[value] if isinstance(value, str) else value
    return Score(score, f"Synthetic score {score} from the sandbox: no model read this output.", threshold)


def synthetic_score(metric: str, output: str) -> float:
    digest = sha256(f"{metric}\0{output}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % 101 / 100
