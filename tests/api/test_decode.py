"""Answers that would cost too much, or that hold numbers which are none."""

from __future__ import annotations

from typing import Any

import pytest

from defendctl.api.decode import LONGEST, MOST_METRICS, observe
from defendctl.api.outcome import MOST_VALUES, json_object

THRESHOLDS = "custom_hallucination_threshold_values"


def answer(**fields: Any) -> dict[str, Any]:
    return {"workflow_id": "wkfl_1", "threshold_type": "custom", **fields}


@pytest.mark.parametrize("value", [10**400, float("inf"), float("nan"), True, [1]], ids=type)
def test_a_limit_that_is_no_number_is_not_known(value: Any) -> None:
    assert "max_retries" not in observe(answer(max_improvement_attempts=value)).fields


def test_a_threshold_that_is_no_number_is_shown_as_it_is() -> None:
    seen = observe(answer(**{THRESHOLDS: {"a": 10**400, "b": [1], "c": 0.5}})).fields["metrics"]
    assert seen == {"a": str(10**400), "b": "(a list)", "c": 0.5}


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"name": "x" * LONGEST}, "more than 2 MiB"),
        ({THRESHOLDS: {f"m{n}": 0.5 for n in range(MOST_METRICS + 1)}}, "more than 1,000 metrics"),
    ],
)
def test_too_much_is_refused(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        observe(answer(**fields))


@pytest.mark.parametrize("body", [b"[" * MOST_VALUES + b",", b"\xff", b"[]", b"[" * 5_000, b'{"a": 1'])
def test_what_is_no_object(body: bytes) -> None:
    assert json_object(body) is None
