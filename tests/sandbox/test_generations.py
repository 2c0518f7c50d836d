"""Each generation takes its own create and answers in its own shape, as in the vendor's pages."""

import time
from typing import Any

import httpx
import pytest

from defendctl.sandbox.app import GENERATIONS, create_app

from .bodies import AUTOMATIC, CUSTOM, EVENT, LEVELS, NEWEST, THRESHOLDS
from .conftest import Sandbox

every_generation = pytest.mark.parametrize("generation", GENERATIONS)

OLD_READ = {
    "workflow_id": "…",
    "name": "Test Workflow",
    "description": "",
    "improvement_action": "fixit",
    "status": "active",
    "created_at": "…",
    "modified_at": "…",
    "success_rate": None,
}
NEW_READ: dict[str, Any] = {
    "workflow_id": "…",
    "name": "Test Workflow",
    "description": "",
    "status": "active",
    "created_at": "…",
    "updated_at": "…",
    "threshold_type": "custom",
    LEVELS: None,
    THRESHOLDS: {"completeness": 0.85, "instruction_adherence": 0.75},
    "improvement_action": "fixit",
    "events": [],
    "capabilities": [],
    "files": [],
    "stats": {"outputs_processed": 0, "outputs_below_threshold": 0, "outputs_improved": 0},
}
READ: dict[str, dict[str, Any]] = {
    "2025-10-07": {**OLD_READ, "max_retries": 10},
    "2025-10-22": {**OLD_READ, "max_improvement_attempts": 10},
    "2025-11-10": NEW_READ,
    "2025-12-07": NEW_READ,
}
VARYING = {
    "workflow_id",
    "event_id",
    "evaluation_id",
    "billing_request_id",
    "created_at",
    "updated_at",
    "modified_at",
}


def settled(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: "…" if name in VARYING else value for name, value in answer.items()}


def created(client: httpx.Client, body: dict[str, Any]) -> str:
    answer = client.post("/defend", json=body)
    assert answer.status_code == 200, answer.text
    workflow_id = answer.json()["workflow_id"]
    assert isinstance(workflow_id, str)
    return workflow_id


def stored(client: httpx.Client) -> dict[str, Any]:
    (workflow,) = client.get("/_sandbox/workflows").json()
    assert isinstance(workflow, dict)
    return workflow


def completed(client: httpx.Client, workflow_id: str, event_id: str) -> dict[str, Any]:
    """Polls until the event is evaluated, by the only sign that every generation gives."""
    for _ in range(100):
        event = client.get(f"/defend/{workflow_id}/events/{event_id}").json()
        if event.get("status", "Completed") == "Completed" and event["filtered"] is not None:
            assert isinstance(event, dict)
            return event
        time.sleep(0.02)
    raise AssertionError("still in progress")


@every_generation
def test_create_and_read(sandbox: Sandbox, generation: str) -> None:
    client = sandbox(generation=generation)
    workflow_id = created(client, CUSTOM[generation])
    answer = client.get(f"/defend/{workflow_id}").json()
    assert settled(answer) == READ[generation]
    assert answer["workflow_id"] == workflow_id
    assert answer["created_at"].endswith("Z")


@every_generation
def test_automatic_is_stored_as_levels(sandbox: Sandbox, generation: str) -> None:
    client = sandbox(generation=generation)
    created(client, AUTOMATIC[generation])
    assert stored(client)["type"] == "automatic"
    assert stored(client)["metrics"] == {"completeness": "high", "instruction_adherence": "high"}


@pytest.mark.parametrize(
    ("generation", "create", "update"),
    [
        ("2025-10-07", READ["2025-10-07"].keys(), READ["2025-10-07"].keys()),
        ("2025-10-22", READ["2025-10-22"].keys(), READ["2025-10-22"].keys()),
        ("2025-11-10", {"workflow_id", "status", "created_at"}, {"workflow_id", "status", "modified_at"}),
        (
            "2025-12-07",
            {"workflow_id", "status", "created_at"},
            {"workflow_id", "name", "status", "modified_at"},
        ),
    ],
)
def test_answers_to_writes(sandbox: Sandbox, generation: str, create: set[str], update: set[str]) -> None:
    client = sandbox(generation=generation)
    answer = client.post("/defend", json=CUSTOM[generation]).json()
    assert answer.keys() == create
    path = f"/defend/{answer['workflow_id']}"
    assert client.put(path, json={"description": "new"}).json().keys() == update
    assert client.get(path).json()["description"] == "new"


@every_generation
def test_update_moves_the_last_change(sandbox: Sandbox, generation: str) -> None:
    client = sandbox(generation=generation)
    path = f"/defend/{created(client, CUSTOM[generation])}"
    before = stored(client)
    answer = client.put(path, json={}).json()
    assert stored(client)["updated_at"] == answer["modified_at"] > before["updated_at"]
    assert {**stored(client), "updated_at": "…"} == {**before, "updated_at": "…"}


@pytest.mark.parametrize(
    ("generation", "words"),
    [
        ("2025-10-07", {"regenerate": "regenerate", "fixit": "fixit", "none": None}),
        ("2025-10-22", {"regenerate": "regen", "fixit": "fixit", "none": "do_nothing"}),
        ("2025-12-07", {"regenerate": "regen", "fixit": "fixit", "none": "do_nothing"}),
    ],
)
def test_actions_in_the_words_of_the_generation(
    sandbox: Sandbox, generation: str, words: dict[str, str | None]
) -> None:
    client = sandbox(generation=generation)
    for canonical, word in words.items():
        workflow_id = created(client, {**CUSTOM[generation], "improvement_action": word})
        assert client.get(f"/defend/{workflow_id}").json()["improvement_action"] == word
        assert client.get("/_sandbox/workflows").json()[-1]["improvement_action"] == canonical


@pytest.mark.parametrize(("generation", "word"), [("2025-10-07", "archived"), ("2025-12-07", "inactive")])
def test_inactive_in_the_words_of_the_generation(sandbox: Sandbox, generation: str, word: str) -> None:
    client = sandbox(generation=generation)
    workflow_id = created(client, CUSTOM[generation])
    client.patch(f"/_sandbox/workflows/{workflow_id}", json={"status": "inactive"})
    assert client.get(f"/defend/{workflow_id}").json()["status"] == word
    refused = client.post(f"/defend/{workflow_id}/events", json=EVENT)
    assert refused.status_code == 409
    assert "detail" in refused.json()


def test_old_create_new_read(sandbox: Sandbox) -> None:
    client = sandbox(generation="2025-10-07", answers="2025-12-07")
    answer = client.post("/defend", json={**AUTOMATIC["2025-10-07"], "improvement_action": None}).json()
    assert answer.keys() == {"workflow_id", "status", "created_at"}
    workflow = client.get(f"/defend/{answer['workflow_id']}").json()
    assert workflow["threshold_type"] == "automatic"
    assert workflow[LEVELS] == {"completeness": "high", "instruction_adherence": "high"}
    assert workflow["improvement_action"] == "do_nothing"
    assert client.post("/defend", json=NEWEST).status_code == 422


def test_capabilities_and_files(client: httpx.Client) -> None:
    extras = {"web_search": True, "context_awareness": True, "file_search": ["file_a", "file_b"]}
    answer = client.get(f"/defend/{created(client, {**NEWEST, **extras})}").json()
    names = [each["capability"] for each in answer["capabilities"]]
    assert names == ["web_search", "file_search", "context_awareness"]
    assert [file["file_id"] for file in answer["files"]] == ["file_a", "file_b"]
    assert answer["files"][0].keys() == {
        "file_name",
        "file_id",
        "file_size",
        "presigned_url",
        "presigned_url_expires_at",
    }


def test_files_of_2025_11_10_carry_no_url(sandbox: Sandbox) -> None:
    client = sandbox(generation="2025-11-10")
    body = {**CUSTOM["2025-11-10"], "file_search": ["file_a"]}
    (file,) = client.get(f"/defend/{created(client, body)}").json()["files"]
    assert file == {"file_name": "file_a.pdf", "file_id": "file_a", "file_size": 1024}


@pytest.mark.parametrize(("generation", "names"), [("2025-11-10", 3), ("2025-12-07", 5)])
def test_an_event_names_files_only_where_there_are_some(
    sandbox: Sandbox, generation: str, names: int
) -> None:
    client = sandbox(generation=generation, delay=0)
    for files in (["file_a"], []):
        workflow_id = created(client, {**CUSTOM[generation], "file_search": files})
        event_id = client.post(f"/defend/{workflow_id}/events", json=EVENT).json()["event_id"]
        event = client.get(f"/defend/{workflow_id}/events/{event_id}").json()
        assert [(file["file_id"], len(file)) for file in event.get("files", [])] == [
            (f, names) for f in files
        ]
        assert ("files" in event) is bool(files)


def test_update_replaces_maps_and_switches_mode(client: httpx.Client) -> None:
    path = f"/defend/{created(client, NEWEST)}"
    client.put(path, json={THRESHOLDS: {"correctness": 1}})
    assert client.get(path).json()[THRESHOLDS] == {"correctness": 1.0}
    client.put(path, json={"threshold_type": "automatic", LEVELS: {"completeness": "low"}})
    switched = client.get(path).json()
    assert (switched[THRESHOLDS], switched[LEVELS]) == (None, {"completeness": "low"})


def test_update_of_every_field(client: httpx.Client) -> None:
    path = f"/defend/{created(client, NEWEST)}"
    body = {
        "name": "n",
        "description": "",
        "improvement_action": "do_nothing",
        "max_improvement_attempts": 0,
        "web_search": True,
        "context_awareness": True,
        "file_search": ["f"],
    }
    assert client.put(path, json=body).status_code == 200
    changed = {**body, "improvement_action": "none", "max_retries": body.pop("max_improvement_attempts")}
    assert (
        stored(client).items() >= {name: changed[name] for name in changed if name in stored(client)}.items()
    )


@pytest.mark.parametrize("generation", ["2025-10-07", "2025-10-22"])
def test_old_event(sandbox: Sandbox, generation: str) -> None:
    client = sandbox(generation=generation)
    workflow_id = created(client, CUSTOM[generation])
    accepted = client.post(f"/defend/{workflow_id}/events", json={**EVENT, "run_mode": "smart"}).json()
    assert accepted.keys() == {"workflow_id", "event_id", "filtered", "evaluation_id", "attempt_number"}
    event = completed(client, workflow_id, accepted["event_id"])
    judged = {name: event[name] for name in ("filtered", "evaluation_id", "attempt_number")}
    assert event == {**accepted, **judged}
    assert (accepted["filtered"], accepted["attempt_number"]) == (None, 0)
    rate = client.get(f"/defend/{workflow_id}").json()["success_rate"]
    assert rate == (0.0 if event["filtered"] else 1.0)


ENTRY = {
    "attempt",
    "evaluation_status",
    "guardrail_metrics",
    "run_mode",
    "model_input",
    "model_output",
    "nametag",
    "progress",
    "error_message",
    "evaluation_result",
    "evaluation_total_cost",
    "created_at",
}
EVENT_READ = {
    "workflow_id",
    "event_id",
    "status",
    "improvement_action",
    "threshold_type",
    "filtered",
    "improvement_tool_status",
    "improved_model_output",
    "evaluation_result",
    "evaluation_history",
    LEVELS,
    THRESHOLDS,
    "capabilities",
}
ADDED = {"max_improvement_attempts", "analysis_of_failures", "key_improvements"}
ENTRY_ADDED = {"improvement_tool_status", "analysis_of_failures", "key_improvements"}


@pytest.mark.parametrize(
    ("generation", "accepted", "event", "entry", "listed"),
    [
        ("2025-11-10", set(), EVENT_READ, ENTRY | {"modified_at"}, set()),
        (
            "2025-12-07",
            {"billing_request_id"},
            EVENT_READ | ADDED,
            ENTRY | ENTRY_ADDED,
            {"status", "billing_request_id"},
        ),
    ],
)
def test_new_event(
    sandbox: Sandbox, generation: str, accepted: set[str], event: set[str], entry: set[str], listed: set[str]
) -> None:
    client = sandbox(generation=generation)
    workflow_id = created(client, CUSTOM[generation])
    submitted = client.post(f"/defend/{workflow_id}/events", json=EVENT).json()
    assert submitted["status"] == "In Progress"
    assert submitted.keys() == {"event_id", "workflow_id", "created_at", "status"} | accepted
    answer = completed(client, workflow_id, submitted["event_id"])
    assert answer.keys() == event
    assert answer["evaluation_history"][0].keys() == entry
    (summary,) = client.get(f"/defend/{workflow_id}").json()["events"]
    known = {"event_id", "evaluations", "improved_model_output", "improvement_tool_status"}
    assert summary.keys() == known | listed


def test_event_is_in_progress_first(client: httpx.Client) -> None:
    workflow_id = created(client, NEWEST)
    event_id = client.post(f"/defend/{workflow_id}/events", json=EVENT).json()["event_id"]
    running = client.get(f"/defend/{workflow_id}/events/{event_id}").json()
    assert (running["status"], running["filtered"], running["evaluation_result"]) == (
        "In Progress",
        False,
        {},
    )
    assert client.get(f"/defend/{workflow_id}").json()["events"][0]["status"] == "in_progress"
    assert client.get(f"/defend/{workflow_id}").json()["stats"]["outputs_processed"] == 0
    done = completed(client, workflow_id, event_id)
    assert "synthetic" in done["evaluation_result"]["completeness"]["rationale"].lower()
    assert client.get(f"/defend/{workflow_id}").json()["stats"]["outputs_processed"] == 1


def test_below_the_threshold_fails_and_equal_passes(client: httpx.Client) -> None:
    workflow_id = created(client, {**NEWEST, "improvement_action": "do_nothing"})
    submit = f"/defend/{workflow_id}/events"
    first = completed(client, workflow_id, client.post(submit, json=EVENT).json()["event_id"])
    score = first["evaluation_result"]["completeness"]["score"]
    for threshold, status in ((score, "no_improvement_required"), (score + 0.01, "improvement_required")):
        client.put(f"/defend/{workflow_id}", json={THRESHOLDS: {"completeness": threshold}})
        event = completed(client, workflow_id, client.post(submit, json=EVENT).json()["event_id"])
        assert event["evaluation_result"]["completeness"]["score"] == score
        assert event["filtered"] is (status == "improvement_required")
        assert event["improvement_tool_status"] == status


def test_an_event_keeps_the_settings_that_judged_it(client: httpx.Client) -> None:
    workflow_id = created(client, {**NEWEST, "max_improvement_attempts": 3})
    event_id = client.post(f"/defend/{workflow_id}/events", json=EVENT).json()["event_id"]
    client.put(f"/defend/{workflow_id}", json={"max_improvement_attempts": 4})
    assert client.get(f"/defend/{workflow_id}/events/{event_id}").json()["max_improvement_attempts"] == 3


def test_newest_events_come_first_and_are_limited(client: httpx.Client) -> None:
    workflow_id = created(client, NEWEST)
    submit = f"/defend/{workflow_id}/events"
    ids = [client.post(submit, json=EVENT).json()["event_id"] for _ in range(12)][::-1]
    for query, count in (("", 10), ("?limit=1", 1), ("?limit=0", 0), ("?limit=100", 12)):
        events = client.get(f"/defend/{workflow_id}{query}").json()["events"]
        assert [event["event_id"] for event in events] == ids[:count]


def test_unknown_generation() -> None:
    with pytest.raises(ValueError, match="2025-12-07"):
        create_app(generation="2024-01-01")
