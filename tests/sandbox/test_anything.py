"""Whatever is sent, the answer is a success or a refusal, never a crash; and what is stored can be read."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .bodies import AUTOMATIC, CUSTOM, EVENT
from .conftest import Sandbox

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
JSON: st.SearchStrategy[Any] = st.recursive(
    SCALARS | st.sampled_from(["custom", "automatic", "low", "fixit", "fast", "smart"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def like(*bodies: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """One of these bodies with some fields replaced or added."""
    names = sorted({name for body in bodies for name in body} | {"max_improvement_attempts", "file_search"})
    changes = st.dictionaries(st.sampled_from(names), JSON, max_size=3)
    return st.builds(lambda body, change: {**body, **change}, st.sampled_from(bodies), changes)


@pytest.fixture(params=CUSTOM)
def client_of_each(request: pytest.FixtureRequest, sandbox: Sandbox) -> httpx.Client:
    client = sandbox(generation=request.param)
    made = client.post("/_sandbox/workflows", json={"workflow_id": "wkfl_1"})
    assert made.is_success
    return client


def send(client: httpx.Client, method: str, path: str, body: object) -> httpx.Response:
    # Not `json=`: that refuses the NaN and the lone surrogates which a sloppy client may send.
    return client.request(method, path, content=json.dumps(body))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=JSON | like(*CUSTOM.values(), *AUTOMATIC.values()), event=JSON | like(EVENT))
def test_anything_is_answered(client_of_each: httpx.Client, body: object, event: object) -> None:
    client = client_of_each
    created = send(client, "POST", "/defend", body)
    updated = send(client, "PUT", "/defend/wkfl_1", body)
    submitted = send(client, "POST", "/defend/wkfl_1/events", event)
    assert {created.status_code, updated.status_code, submitted.status_code} <= {200, 422}
    workflow_id = created.json().get("workflow_id", "wkfl_1")
    assert client.get(f"/defend/{workflow_id}").is_success
