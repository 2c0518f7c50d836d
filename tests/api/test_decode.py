"""Answers that would cost too much, or that hold numbers which are none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


_texts = st.text(st.characters(exclude_categories=())) | st.sampled_from(
    ["\ud83d", "\ude00", "\ufeff", "\x00"]
)
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_texts, inner, max_size=4),
)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.dictionaries(_texts, _values, max_size=4), st.booleans(), st.data())
def test_an_answer_is_read_as_python_reads_it(
    answer: dict[str, Any], escaped: bool, data: st.DataObject
) -> None:
    """Whole or broken at any place, whichever reader took it."""
    body = bytearray(json.dumps(answer, ensure_ascii=escaped).encode("utf-8", "surrogatepass"))
    if data.draw(st.booleans()):
        place = data.draw(st.integers(0, len(body) - 1))
        body[place : place + 1] = data.draw(st.binary(max_size=2))
    assert repr(json_object(bytes(body))) == repr(_as_python_reads(bytes(body)))


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 2}',
        '{"a": 1e400, "b": -1e400, "c": 5e-324, "d": 0.1e-400, "e": -0.0, "f": -0}',
        '{"a": 9007199254740993.0, "b": 123456789012345678901234567890, "c": 0.30000001192092896}',
        f'{{"a": {"1" * 4_300}}}',
        f'{{"a": {"1" * 4_301}}}',
        f'{{"a": {"[" * 300}{"]" * 300}}}',
        '{"a": NaN, "b": -Infinity}',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_numbers_keys_and_encodings_too(text: str, encoding: str) -> None:
    body = text.encode(encoding)
    assert repr(json_object(body)) == repr(_as_python_reads(body))


def _as_python_reads(body: bytes) -> Any:
    try:
        data = json.loads(body)
    except ValueError:
        return None
    return data if isinstance(data, dict) else None
