"""What the API is not known to accept, the sandbox refuses, in FastAPI's form."""

import json
from typing import Any

import httpx
import pytest

from .bodies import AUTOMATIC, CUSTOM, EVENT, LEVELS, NEWEST, THRESHOLDS
from .conftest import Sandbox

ABSENT = object()
A, B, C, D = CUSTOM


def problems(answer: httpx.Response) -> set[tuple[str, str]]:
    """(place, type) of each problem."""
    assert answer.status_code == 422, answer.text
    detail = answer.json()["detail"]
    assert all(each.keys() == {"loc", "msg", "type"} for each in detail)
    return {(".".join(map(str, each["loc"])), each["type"]) for each in detail}


def body_with(body: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**body, **changes}.items() if value is not ABSENT}


CREATE = [
    (D, {"name": ABSENT}, "name", "missing"),
    (D, {"name": ""}, "name", "string_too_short"),
    (D, {"name": None}, "name", "string_type"),
    (D, {"description": None}, "description", "string_type"),
    (D, {"status": "inactive"}, "status", "extra_forbidden"),
    (D, {"type": "custom"}, "type", "extra_forbidden"),
    (D, {"max_retries": 3}, "max_retries", "extra_forbidden"),
    (D, {"threshold_type": "magic"}, "threshold_type", "literal_error"),
    (D, {"threshold_type": ["custom"]}, "threshold_type", "literal_error"),
    (D, {"threshold_type": ABSENT}, "threshold_type", "missing"),
    (D, {"improvement_action": ABSENT}, "improvement_action", "missing"),
    (D, {"improvement_action": None}, "improvement_action", "literal_error"),
    (D, {"improvement_action": "regenerate"}, "improvement_action", "literal_error"),
    (D, {THRESHOLDS: ABSENT}, THRESHOLDS, "missing"),
    (D, {THRESHOLDS: {}}, THRESHOLDS, "too_short"),
    (D, {THRESHOLDS: None}, THRESHOLDS, "dict_type"),
    (D, {THRESHOLDS: {"": 0.5}}, THRESHOLDS + ".", "string_too_short"),
    (D, {THRESHOLDS: {"completeness": 1.01}}, THRESHOLDS + ".completeness", "value_error"),
    (D, {THRESHOLDS: {"completeness": -0.01}}, THRESHOLDS + ".completeness", "value_error"),
    (D, {THRESHOLDS: {"completeness": True}}, THRESHOLDS + ".completeness", "float_type"),
    (D, {THRESHOLDS: {"completeness": "0.5"}}, THRESHOLDS + ".completeness", "float_type"),
    (D, {THRESHOLDS: {"completeness": "low"}}, THRESHOLDS + ".completeness", "float_type"),
    (D, {LEVELS: None}, LEVELS, "dict_type"),
    (D, {"max_improvement_attempts": -1}, "max_improvement_attempts", "greater_than_equal"),
    (D, {"max_improvement_attempts": True}, "max_improvement_attempts", "int_type"),
    (D, {"max_improvement_attempts": 5.0}, "max_improvement_attempts", "int_type"),
    (D, {"max_improvement_attempts": "5"}, "max_improvement_attempts", "int_type"),
    (D, {"web_search": 1}, "web_search", "bool_type"),
    (D, {"web_search": None}, "web_search", "bool_type"),
    (D, {"context_awareness": "true"}, "context_awareness", "bool_type"),
    (D, {"file_search": "file_a"}, "file_search", "list_type"),
    (D, {"file_search": [""]}, "file_search.0", "string_too_short"),
    (D, {"file_search": [1]}, "file_search.0", "string_type"),
    (C, {"context_awareness": False}, "context_awareness", "extra_forbidden"),
    (B, {"threshold_type": "custom"}, "threshold_type", "extra_forbidden"),
    (B, {"type": ABSENT}, "type", "missing"),
    (B, {"improvement_action": None}, "improvement_action", "literal_error"),
    (D, {"max_improvement_attempt": 3}, "max_improvement_attempt", "extra_forbidden"),
    (A, {"improvement_action": ABSENT}, "improvement_action", "missing"),
    (A, {"improvement_action": "regen"}, "improvement_action", "literal_error"),
    (A, {"metrics": ABSENT}, "metrics", "missing"),
    (A, {"metrics": {"completeness": 2}}, "metrics.completeness", "value_error"),
    (A, {"type": "automatic"}, "automatic_tolerance", "missing"),
    (A, {"automatic_tolerance": "severe"}, "automatic_tolerance", "literal_error"),
    (A, {"web_search": False}, "web_search", "extra_forbidden"),
]


@pytest.mark.parametrize(("generation", "changes", "place", "kind"), CREATE)
def test_create_refuses(
    sandbox: Sandbox, generation: str, changes: dict[str, Any], place: str, kind: str
) -> None:
    client = sandbox(generation=generation)
    answer = client.post("/defend", json=body_with(CUSTOM[generation], changes))
    assert problems(answer) == {(f"body.{place}", kind)}
    assert client.get("/_sandbox/workflows").json() == []


@pytest.mark.parametrize(
    "changes", [{THRESHOLDS: {"completeness": 5}}, {LEVELS: {}}, {LEVELS: {"x": "severe"}}]
)
def test_create_automatic_refuses(client: httpx.Client, changes: dict[str, Any]) -> None:
    assert client.post("/defend", json={**AUTOMATIC[D], **changes}).status_code == 422


ACCEPTED: list[tuple[str, dict[str, Any]]] = [
    (D, {THRESHOLDS: {"our own metric": 0, "completeness": 1}, "max_improvement_attempts": 0}),
    (D, {"file_search": [], "description": ""}),
    (A, {"improvement_action": None}),
    (A, {"automatic_tolerance": "low"}),
    (A, {"type": "automatic", "automatic_tolerance": "low", "metrics": {"completeness": 7.5}}),
    (B, {"web_search": True, "file_search": ["file_a"], "max_improvement_attempts": 3}),
    (B, {"max_improvement_attempt": 3}),
    (B, {LEVELS: {"completeness": "low"}}),
    (D, {LEVELS: {"completeness": "low"}}),
]


@pytest.mark.parametrize(("generation", "changes"), ACCEPTED)
def test_create_accepts(sandbox: Sandbox, generation: str, changes: dict[str, Any]) -> None:
    assert sandbox(generation=generation).post("/defend", json={**CUSTOM[generation], **changes}).is_success


def test_every_problem_is_listed_and_no_value_echoed(client: httpx.Client) -> None:
    answer = client.post("/defend", json={"name": 5, "improvement_action": "sekrit", "extra": "sekrit"})
    assert problems(answer) == {
        ("body.name", "string_type"),
        ("body.improvement_action", "literal_error"),
        ("body.threshold_type", "missing"),
        ("body.extra", "extra_forbidden"),
    }
    assert "sekrit" not in answer.text


NOT_JSON = [
    b"",
    b"{",
    b'{"name": NaN}',
    b'{"max_improvement_attempts": Infinity}',
    b'{"name": "\\ud800"}',
    b"\xff",
    b"[" * 100_000,
    b'{"max_improvement_attempts": ' + b"9" * 5000 + b"}",
]


@pytest.mark.parametrize("raw", NOT_JSON, ids=range(len(NOT_JSON)))
def test_what_is_not_json_is_refused(client: httpx.Client, raw: bytes) -> None:
    assert problems(client.post("/defend", content=raw)) == {("body", "json_invalid")}


def test_a_number_too_large_for_a_float_is_refused(client: httpx.Client) -> None:
    raw = b'{"name":"n","improvement_action":"fixit","threshold_type":"custom","%s":{"x":1e999}}'
    answer = client.post("/defend", content=raw % THRESHOLDS.encode())
    assert problems(answer) == {(f"body.{THRESHOLDS}.x", "finite_number")}


@pytest.mark.parametrize("body", [[], "text", 1, None])
def test_a_body_must_be_an_object(client: httpx.Client, body: object) -> None:
    assert problems(client.post("/defend", content=json.dumps(body))) == {("body", "dict_type")}


@pytest.mark.parametrize("generation", [A, B, C])
def test_old_updates_take_name_and_description_only(sandbox: Sandbox, generation: str) -> None:
    client = sandbox(generation=generation)
    path = f"/defend/{client.post('/defend', json=CUSTOM[generation]).json()['workflow_id']}"
    assert client.put(path, json={"name": "n", "description": "d"}).is_success
    refused = client.put(path, json={"improvement_action": "fixit"})
    assert problems(refused) == {("body.improvement_action", "extra_forbidden")}


@pytest.mark.parametrize(
    ("body", "place", "kind"),
    [
        ({"threshold_type": "automatic"}, LEVELS, "missing"),
        ({"threshold_type": "automatic", THRESHOLDS: {"x": 1}}, LEVELS, "missing"),
        (
            {"threshold_type": "automatic", LEVELS: {"x": "low"}, THRESHOLDS: {"x": 2}},
            f"{THRESHOLDS}.x",
            "value_error",
        ),
        ({THRESHOLDS: {}}, THRESHOLDS, "too_short"),
        ({"status": "inactive"}, "status", "extra_forbidden"),
        ({"name": None}, "name", "string_type"),
    ],
)
def test_update_refuses(client: httpx.Client, body: dict[str, Any], place: str, kind: str) -> None:
    path = f"/defend/{client.post('/defend', json=NEWEST).json()['workflow_id']}"
    before = client.get(path).json()
    assert problems(client.put(path, json=body)) == {(f"body.{place}", kind)}
    assert client.get(path).json() == before


@pytest.mark.parametrize(
    ("body", "mode", "own"),
    [
        ({LEVELS: {"x": "low"}}, "custom", NEWEST[THRESHOLDS]),
        ({LEVELS: {"x": "low"}, THRESHOLDS: {"x": 1}}, "custom", {"x": 1}),
        ({"threshold_type": "custom", LEVELS: {"x": "low"}, THRESHOLDS: {"x": 1}}, "custom", {"x": 1}),
        (
            {"threshold_type": "automatic", LEVELS: {"x": "low"}, THRESHOLDS: {"x": 1}},
            "automatic",
            {"x": "low"},
        ),
    ],
)
def test_an_update_with_both_maps(client: httpx.Client, body: dict[str, Any], mode: str, own: Any) -> None:
    """The one that is not needed is taken and not kept. The vendor's own test of a full PUT sends both."""
    path = f"/defend/{client.post('/defend', json=NEWEST).json()['workflow_id']}"
    assert client.put(path, json=body).is_success
    live = client.get(path).json()
    assert live["threshold_type"] == mode
    assert [live[LEVELS], live[THRESHOLDS]] == ([own, None] if mode == "automatic" else [None, own])


@pytest.mark.parametrize(
    ("generation", "changes", "place"),
    [
        (D, {"model_input": {"ground_truth": "g"}}, "model_input"),
        (D, {"model_input": {"user_prompt": "u", "other": 1}}, "model_input.other"),
        (D, {"model_input": {"user_prompt": "u", "context": "text"}}, "model_input.context"),
        (D, {"model_input": {"user_prompt": "u", "context": [{"who": "me"}]}}, "model_input.context.0.who"),
        (D, {"model_output": ABSENT}, "model_output"),
        (D, {"run_mode": "ultra"}, "run_mode"),
        (D, {"run_mode": ABSENT}, "run_mode"),
        (D, {"nametag": None}, "nametag"),
        (D, {"extra": 1}, "extra"),
        (C, {"model_input": {"user_prompt": "u", "context": []}}, "model_input.context"),
        (C, {"model_input": {"ground_truth": "g"}}, "model_input"),
        (C, {"run_mode": "fast"}, "run_mode"),
        (A, {"model_input": {"context": "c"}}, "model_input"),
    ],
)
def test_events_refuse(sandbox: Sandbox, generation: str, changes: dict[str, Any], place: str) -> None:
    client = sandbox(generation=generation)
    path = f"/defend/{client.post('/defend', json=CUSTOM[generation]).json()['workflow_id']}"
    ((where, _),) = problems(client.post(f"{path}/events", json=body_with(EVENT, changes)))
    assert where == f"body.{place}"


@pytest.mark.parametrize(
    ("generation", "changes"),
    [
        (D, {"model_input": {"user_prompt": "u", "context": ["a turn"]}, "nametag": ABSENT}),
        (D, {"model_input": {"user_prompt": "u", "context": [{"role": "user", "content": "a turn"}]}}),
        (D, {"run_mode": "precision_max_codex"}),
        (D, {"run_mode": "ultra_fast"}),
        (D, {"model_input": {"system_prompt": "s"}}),
        (C, {"model_input": {"system_prompt": "s"}}),
        (A, {"model_input": {"user_prompt": "u", "context": "c", "anything": [1]}}),
    ],
)
def test_events_accept(sandbox: Sandbox, generation: str, changes: dict[str, Any]) -> None:
    client = sandbox(generation=generation)
    path = f"/defend/{client.post('/defend', json=CUSTOM[generation]).json()['workflow_id']}"
    assert client.post(f"{path}/events", json=body_with(EVENT, changes)).is_success


@pytest.mark.parametrize("limit", ["-1", "101", "x", "1.5", "", "１", "9" * 5000])
def test_limits_refused(client: httpx.Client, limit: str) -> None:
    path = f"/defend/{client.post('/defend', json=NEWEST).json()['workflow_id']}"
    assert problems(client.get(path, params={"limit": limit})) == {("query.limit", "int_parsing")}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/defend/wkfl_nope", 404),
        ("PUT", "/defend/wkfl_nope", 404),
        ("POST", "/defend/wkfl_nope/events", 404),
        ("GET", "/defend/wkfl_nope/events/evt_nope", 404),
        ("GET", "/defend", 405),
        ("DELETE", "/defend/wkfl_nope", 405),
        ("POST", "/defend/", 404),
        ("GET", "/nowhere", 404),
        ("POST", "/defend/wkfl_nope/events?stream=true", 404),
    ],
)
def test_what_is_not_there(client: httpx.Client, method: str, path: str, status: int) -> None:
    answer = client.request(method, path, json=EVENT if "events" in path else {})
    assert answer.status_code == status
    assert isinstance(answer.json()["detail"], str)


def test_an_event_belongs_to_its_workflow(client: httpx.Client) -> None:
    one, other = (client.post("/defend", json=NEWEST).json()["workflow_id"] for _ in range(2))
    event_id = client.post(f"/defend/{one}/events", json=EVENT).json()["event_id"]
    assert client.get(f"/defend/{other}/events/{event_id}").status_code == 404


KEYS: list[tuple[str | None, str | None, int]]
KEYS = [(None, "Bearer any", 200), (None, "Bearer", 401), (None, None, 401), (None, "any", 401)]
KEYS += [("right", "Bearer right", 200), ("right", "Bearer wrong", 401), ("right", None, 401)]


@pytest.mark.parametrize(("api_key", "header", "status"), KEYS)
def test_keys(sandbox: Sandbox, api_key: str | None, header: str | None, status: int) -> None:
    client = sandbox(api_key=api_key)
    del client.headers["Authorization"]
    answer = client.post("/defend", json=NEWEST, headers={"Authorization": header} if header else {})
    assert answer.status_code == status
    assert status == 200 or isinstance(answer.json()["detail"], str)
