"""What a generation of the sandbox stored from `encode(x)` is read back as x, but for what it cannot read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from defendctl.api.client import DefendApi, Speaking
from defendctl.api.decode import observe
from defendctl.api.dialects import DIALECTS
from defendctl.api.outcome import Created
from defendctl.model import FIELDS, GENERATIONS, Fields
from defendctl.plan.diff import differing
from defendctl.sandbox.server import embedded
from tests.strategies import workflows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from defendctl.model import Workflow

EXAMPLES = 12
UNREADABLE = {
    "2025-10-07": {"type", "metrics"},
    "2025-10-22": {"type", "metrics", "web_search", "file_search"},
    "2025-11-10": {"max_retries"},
    "2025-12-07": {"max_retries"},
}
PAIRS = [*((each, each) for each in GENERATIONS), ("2025-10-07", "2025-12-07"), ("2025-10-22", "2025-11-10")]


@pytest.fixture(scope="module", params=PAIRS, ids="-answers-".join)
def api(request: pytest.FixtureRequest) -> Iterator[tuple[Speaking, set[str]]]:
    """A client of a generation, and the fields that the answers hold."""
    accepts, answers = request.param
    with embedded(":memory:", accepts, answers) as url:
        client = DefendApi(url, "key")
        readable = set(DIALECTS[answers].support.read)
        yield client.speaking(DIALECTS[accepts]), readable
        client.close()


def _values(workflow: Workflow, generation: str) -> Fields:
    return {n: v for n, v in workflow.fields().items() if n in DIALECTS[generation].support.create}


@settings(
    derandomize=True,
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_what_was_created_is_read_back(api: tuple[Speaking, set[str]], data: st.DataObject) -> None:
    client, readable = api
    generation = client.dialect.support.generation
    sent = _values(data.draw(workflows(generation)), generation)
    made = client.create(sent, lambda: None)
    assert isinstance(made, Created), made
    seen = client.read(made.workflow_id)
    assert seen
    assert seen.workflow_id == made.workflow_id
    assert seen.status == "active"
    assert set(seen.fields) - {"context_awareness"} == readable - {"context_awareness"}
    both = sent.keys() & readable
    assert differing({n: seen.fields[n] for n in both}, {n: sent[n] for n in both}) == []


@settings(
    derandomize=True,
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_what_was_updated_is_read_back(api: tuple[Speaking, set[str]], data: st.DataObject) -> None:
    client, readable = api
    support = client.dialect.support
    first, second = (data.draw(workflows(support.generation)) for _ in range(2))
    made = client.create(_values(first, support.generation), lambda: None)
    assert isinstance(made, Created)
    client.update(made.workflow_id, second.fields())
    seen = client.read(made.workflow_id)
    assert seen
    expected = {**first.fields(), **{n: v for n, v in second.fields().items() if n in support.update}}
    both = readable & support.create
    assert differing({n: seen.fields[n] for n in both}, {n: expected[n] for n in both}) == []


@pytest.mark.parametrize("generation", GENERATIONS)
def test_what_is_unreadable(generation: str) -> None:
    support = DIALECTS[generation].support
    assert set(support.create - support.read) == UNREADABLE[generation]
    assert support.update <= support.create <= set(FIELDS)


@pytest.mark.parametrize(
    ("answer", "field", "value"),
    [
        ({"improvement_action": "regen"}, "improvement_action", "regenerate"),
        ({"improvement_action": "regenerate"}, "improvement_action", "regenerate"),
        ({"improvement_action": "do_nothing"}, "improvement_action", "none"),
        ({"improvement_action": None}, "improvement_action", "none"),
        ({"improvement_action": "brand_new"}, "improvement_action", "brand_new"),
        ({"max_improvement_attempt": 3}, "max_retries", 3),
        ({"max_improvement_attempts": 3.0}, "max_retries", 3),
        ({"max_retries": 0}, "max_retries", 0),
        ({"description": None}, "description", ""),
        ({"files": [{"file_id": "b"}, {"file_id": "a"}, {"file_id": "b"}]}, "file_search", ("a", "b")),
        ({"files": []}, "file_search", ()),
        ({"capabilities": ["web_search"]}, "web_search", True),
        ({"capabilities": [{"capability": "context_awareness"}]}, "context_awareness", True),
        ({"capabilities": []}, "web_search", False),
        (
            {
                "threshold_type": "custom",
                "custom_hallucination_threshold_values": {"completeness": 1, "gone": None},
                "automatic_hallucination_tolerance_levels": {"completeness": "low"},
            },
            "metrics",
            {"completeness": 1.0},
        ),
        ({"threshold_type": "automatic", "automatic_hallucination_tolerance_levels": None}, "metrics", {}),
    ],
)
def test_old_spellings(answer: Fields, field: str, value: object) -> None:
    assert observe({"workflow_id": "w", **answer}).fields[field] == value


@pytest.mark.parametrize(
    ("answer", "missing"),
    [
        ({}, set(FIELDS)),
        ({"max_retries": None, "name": 7}, {"max_retries", "name"}),
        ({"max_retries": True}, {"max_retries"}),
        ({"capabilities": None, "files": "x"}, {"web_search", "context_awareness", "file_search"}),
    ],
)
def test_what_an_answer_does_not_hold_is_not_known(answer: Fields, missing: set[str]) -> None:
    assert not observe({"workflow_id": "w", **answer}).fields.keys() & missing


@pytest.mark.parametrize(
    ("status", "shown"), [("archived", "inactive"), ("active", "active"), (None, "active"), ("new", "new")]
)
def test_status(status: str | None, shown: str) -> None:
    assert observe({"workflow_id": "w", "status": status}).status == shown


def test_run_data_is_dropped() -> None:
    answer = {
        "workflow_id": "w",
        "name": "n",
        "events": [{"event_id": "e", "improved_model_output": "planted"}],
        "stats": {"outputs_processed": 1},
        "files": [{"file_id": "f", "file_name": "planted", "presigned_url": "https://planted"}],
    }
    assert "planted" not in repr(observe(answer))
