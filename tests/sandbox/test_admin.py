"""The console's part: edits behind the API's back, and what the sandbox has seen."""

import httpx
import pytest

from .bodies import LEVELS, NEWEST, THRESHOLDS
from .conftest import Sandbox


def test_workflows_in_canonical_form(client: httpx.Client) -> None:
    workflow_id = client.post("/defend", json=NEWEST).json()["workflow_id"]
    (workflow,) = client.get("/_sandbox/workflows").json()
    assert workflow == {
        "workflow_id": workflow_id,
        "name": "Test Workflow",
        "description": "",
        "status": "active",
        "type": "custom",
        "metrics": {"completeness": 0.85, "instruction_adherence": 0.75},
        "improvement_action": "fixit",
        "max_retries": 10,
        "web_search": False,
        "context_awareness": False,
        "file_search": [],
        "created_at": workflow["created_at"],
        "updated_at": workflow["created_at"],
    }


def test_create_is_not_idempotent_and_names_are_not_unique(client: httpx.Client) -> None:
    for _ in range(3):
        client.post("/defend", json=NEWEST)
    workflows = client.get("/_sandbox/workflows").json()
    assert len({workflow["workflow_id"] for workflow in workflows}) == 3
    assert {workflow["name"] for workflow in workflows} == {"Test Workflow"}


def test_made_in_the_console(client: httpx.Client) -> None:
    made = client.post("/_sandbox/workflows", json={"name": "Console", "type": "automatic"}).json()
    answer = client.get(f"/defend/{made['workflow_id']}").json()
    assert (answer["name"], answer["threshold_type"]) == ("Console", "automatic")
    assert answer[LEVELS] == made["metrics"]


def test_edited_behind_the_back(client: httpx.Client) -> None:
    workflow_id = client.post("/defend", json=NEWEST).json()["workflow_id"]
    before = client.get(f"/defend/{workflow_id}").json()
    edit = {"status": "inactive", "max_retries": 3, "metrics": {"correctness": 0.5}, "name": "\x1b[31mred"}
    client.patch(f"/_sandbox/workflows/{workflow_id}", json=edit)
    after = client.get(f"/defend/{workflow_id}").json()
    assert (after["status"], after[THRESHOLDS], after["name"]) == (
        "inactive",
        {"correctness": 0.5},
        "\x1b[31mred",
    )
    assert after["updated_at"] > before["updated_at"]
    assert client.get("/_sandbox/workflows").json()[0]["max_retries"] == 3


def test_the_api_names_work_as_well(client: httpx.Client) -> None:
    workflow_id = client.post("/defend", json=NEWEST).json()["workflow_id"]
    edit = {
        "threshold_type": "automatic",
        LEVELS: {"x": "low"},
        "improvement_action": "regen",
        "max_improvement_attempts": 1,
    }
    workflow = client.patch(f"/_sandbox/workflows/{workflow_id}", json=edit).json()
    assert (workflow["type"], workflow["metrics"], workflow["max_retries"]) == ("automatic", {"x": "low"}, 1)
    assert workflow["improvement_action"] == "regenerate"


def test_removed(client: httpx.Client) -> None:
    workflow_id = client.post("/defend", json=NEWEST).json()["workflow_id"]
    client.delete(f"/_sandbox/workflows/{workflow_id}")
    assert client.get(f"/defend/{workflow_id}").status_code == 404
    assert client.patch(f"/_sandbox/workflows/{workflow_id}", json={}).status_code == 404


def test_unknown_fields_are_refused(client: httpx.Client) -> None:
    assert client.post("/_sandbox/workflows", json={"colour": "red"}).status_code == 422


@pytest.mark.parametrize("workflow_id", ["a/b", "a?b#c", "ä", "%2F", "a b", "wkfl_1/events/evt_1"])
def test_ids_are_opaque(client: httpx.Client, workflow_id: str) -> None:
    client.post("/_sandbox/workflows", json={"workflow_id": workflow_id})
    path = "/defend/" + "".join(f"%{byte:02X}" for byte in workflow_id.encode())
    assert client.get(path).json()["workflow_id"] == workflow_id


def test_requests_are_counted(client: httpx.Client) -> None:
    workflow_id = client.post("/defend", json=NEWEST).json()["workflow_id"]
    client.get(f"/defend/{workflow_id}?limit=1")
    assert client.get("/_sandbox/requests").json() == [
        {"n": 1, "method": "POST", "path": "/defend", "query": "", "status": 200},
        {"n": 2, "method": "GET", "path": f"/defend/{workflow_id}", "query": "limit=1", "status": 200},
    ]
    client.delete("/_sandbox/requests")
    assert client.get("/_sandbox/requests").json() == []


ROUTES = [
    ("GET", "/_sandbox/requests"),
    ("DELETE", "/_sandbox/requests"),
    ("GET", "/_sandbox/events"),
    ("POST", "/_sandbox/events"),
    ("GET", "/_sandbox/files"),
    ("GET", "/_sandbox/workflows"),
    ("POST", "/_sandbox/workflows"),
    ("PATCH", "/_sandbox/workflows/wkfl_1"),
    ("DELETE", "/_sandbox/workflows/wkfl_1"),
    ("POST", "/_sandbox/faults"),
    ("DELETE", "/_sandbox/faults"),
]


def test_every_route_is_tried() -> None:
    from defendctl.sandbox.admin import Admin
    from defendctl.sandbox.faults import Faults
    from defendctl.sandbox.store import Store

    store = Store()
    routes = Admin(store, Faults(store), {}, None).routes()
    there = {
        (method, route.path.format(workflow_id="wkfl_1"))
        for route in routes
        for method in route.methods or ()
    }
    assert there - {("HEAD", path) for _, path in there} == set(ROUTES)
    store.close()


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_the_console_needs_the_key(sandbox: Sandbox, method: str, path: str) -> None:
    client = sandbox(api_key="right")
    del client.headers["authorization"]
    for header in (None, "Bearer", "Bearer wrong", "Basic right", "right"):
        headers = {"authorization": header} if header else {}
        assert client.request(method, path, json={}, headers=headers).status_code == 401, header
    right = {"authorization": "Bearer right"}
    assert client.request(method, path, json={"kind": "lost"}, headers=right).status_code in (200, 404, 422)


def test_without_a_configured_key_any_will_do_but_none(client: httpx.Client) -> None:
    assert client.get("/_sandbox/requests").is_success
    del client.headers["authorization"]
    assert client.get("/_sandbox/requests").status_code == 401


FOREIGN = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1:1"},
    {"origin": "http://localhost"},
    {"origin": "https://{host}"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "odd"},
    {"host": "evil.example"},
    {"host": "evil.example:80", "origin": "http://evil.example:80", "sec-fetch-site": "same-origin"},
    {"host": "127.0.0.1.evil.example"},
    {"host": "localhost.evil.example"},
    {"host": "10.0.0.1"},
    {"host": "0.0.0.0"},
    {"host": "[::"},
    {"host": ""},
]
"""A page of another site, also one whose name was made to lead to this machine."""


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_the_console_takes_nothing_from_other_sites(client: httpx.Client, headers: dict[str, str]) -> None:
    host = client.base_url.netloc.decode()
    sent = {name: value.format(host=host) for name, value in headers.items()}
    for method, path in ROUTES:
        assert client.request(method, path, json={}, headers=sent).status_code == 403, (method, path)
    assert client.get("/_sandbox/workflows").json() == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://{host}"},
        {"origin": "http://{host}", "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {"host": "localhost:8000"},
        {"host": "localhost:8000", "origin": "http://localhost:8000"},
        {"host": "[::1]:8000"},
        {"host": "127.0.0.1"},
    ],
    ids=str,
)
def test_the_console_takes_what_is_of_this_machine(client: httpx.Client, headers: dict[str, str]) -> None:
    host = client.base_url.netloc.decode()
    sent = {name: value.format(host=host) for name, value in headers.items()}
    assert client.get("/_sandbox/workflows", headers=sent).is_success


def test_no_other_site_may_ask_whether_it_may(client: httpx.Client) -> None:
    asked = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    answer = client.options("/_sandbox/workflows", headers=asked)
    assert answer.status_code in (403, 405)
    assert not any(name.startswith("access-control") for name in answer.headers)
