"""Finished events that a test gives the sandbox, and all stored events as they are."""

import sqlite3
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from defendctl.sandbox.server import embedded

from .bodies import EVENT, NEWEST
from .conftest import KEY, Sandbox


@pytest.fixture
def workflow_id(client: httpx.Client) -> str:
    made: str = client.post("/defend", json={**NEWEST, "max_improvement_attempts": 1}).json()["workflow_id"]
    return made


def give(client: httpx.Client, workflow_id: str, *events: dict[str, Any]) -> list[str]:
    answer = client.post("/_sandbox/events", json={"workflow_id": workflow_id, "events": events})
    assert answer.is_success, answer.text
    ids: list[str] = answer.json()["event_ids"]
    return ids


def test_as_given(client: httpx.Client, workflow_id: str) -> None:
    given = {
        "event_id": "evt_1",
        "created_at": "2026-01-31T13:00:00+01:00",
        "run_mode": "economy",
        "model_input": {"user_prompt": "u", "anything": [1]},
        "model_output": "o",
        "model_used": "m",
        "nametag": "t",
        "size": 10,
        "settings": {"max_improvement_attempts": 7, "custom_hallucination_threshold_values": {"x": 0.5}},
        "scores": [
            {"x": 0.25, "y": {"score": 0.4, "threshold": 0.3, "rationale": "r"}, "z": None},
            {"x": 7},
        ],
    }
    assert give(client, workflow_id, given) == ["evt_1"]
    event = client.get(f"/defend/{workflow_id}/events/evt_1").json()
    assert event["max_improvement_attempts"] == 7
    first, second = event["evaluation_history"]
    assert first["created_at"] == second["created_at"] == "2026-01-31T12:00:00.000000Z"
    assert (first["run_mode"], first["nametag"]) == ("economy", "t")
    assert first["model_input"] == given["model_input"]
    assert first["model_output"] == "o Syntheti"
    numbers = {name: (each["score"], each["threshold"]) for name, each in first["evaluation_result"].items()}
    assert numbers == {"x": (0.25, 0.5), "y": (0.4, 0.3), "z": (None, 0.7)}
    assert first["evaluation_result"]["y"]["rationale"] == "r"
    assert second["guardrail_metrics"] == ["x"]
    assert {name: each["score"] for name, each in second["evaluation_result"].items()} == {
        "x": 7,
        "y": 0.4,
        "z": None,
    }
    assert event["improvement_tool_status"] == "improved"


def test_nothing_is_required(client: httpx.Client, workflow_id: str) -> None:
    assert len(set(give(client, workflow_id, {}, {}))) == 2
    answer = client.get(f"/defend/{workflow_id}").json()
    assert answer["stats"]["outputs_processed"] == 2
    assert [event["status"] for event in answer["events"]] == ["completed"] * 2


def test_the_newest_is_the_latest_not_the_last_given(client: httpx.Client, workflow_id: str) -> None:
    days = ["2026-01-02", "2026-01-03", "2026-01-01", "2026-01-03"]
    first, second, third, fourth = give(client, workflow_id, *({"created_at": day} for day in days))
    events = client.get(f"/defend/{workflow_id}").json()["events"]
    assert [event["event_id"] for event in events] == [fourth, second, first, third]


def test_raw_events_are_the_whole_truth(client: httpx.Client, workflow_id: str) -> None:
    ids = give(client, workflow_id, *({"scores": {"completeness": score}} for score in (0.1, 0.9)))
    client.post(f"/defend/{workflow_id}/events", json=EVENT)
    stored = client.get("/_sandbox/events", params={"workflow_id": workflow_id}).json()
    assert [event["event_id"] for event in stored[:2]] == ids
    assert stored[2]["submission"] == EVENT
    assert stored[0].keys() == {
        "event_id",
        "billing_request_id",
        "created_at",
        "ready_at",
        "submission",
        "settings",
        "evaluations",
        "error",
    }
    (evaluation,) = stored[0]["evaluations"]
    assert evaluation == {
        "evaluation_id": evaluation["evaluation_id"],
        "output": None,
        "metrics": ["completeness"],
        "result": {"completeness": {**evaluation["result"]["completeness"], "score": 0.1, "threshold": 0.85}},
        "cost": 0.005,
    }
    other = client.post("/defend", json=NEWEST).json()["workflow_id"]
    give(client, other, {})
    assert len(client.get("/_sandbox/events").json()) == 4
    assert client.get("/_sandbox/events?workflow_id=wkfl_nope").json() == []


def test_stats_agree_with_the_raw_events(client: httpx.Client, workflow_id: str) -> None:
    client.patch(f"/_sandbox/workflows/{workflow_id}", json={"max_retries": 2})
    give(client, workflow_id, *({"model_output": f"Output {number}"} for number in range(200)))
    failed = [
        [any(s["score"] < s["threshold"] for s in each["result"].values()) for each in event["evaluations"]]
        for event in client.get(f"/_sandbox/events?workflow_id={workflow_id}").json()
    ]
    below = [story for story in failed if story[0]]
    improved = [story for story in below if not story[-1]]
    assert 0 < len(improved) < len(below) < 200, "every kind is there"
    assert client.get(f"/defend/{workflow_id}?limit=0").json()["stats"] == {
        "outputs_processed": 200,
        "outputs_below_threshold": len(below),
        "outputs_improved": len(improved),
    }


@pytest.mark.parametrize(
    ("event", "place"),
    [
        ({"colour": 1}, "colour"),
        ({"created_at": "yesterday"}, "created_at"),
        ({"created_at": "9999-12-31T23:59:59-14:00"}, "created_at"),
        ({"status": "done"}, "status"),
        ({"model_input": "text"}, "model_input"),
        ({"size": -1}, "size"),
        ({"scores": []}, "scores"),
        ({"scores": {"x": "high"}}, "scores.0.x"),
        ({"scores": {"x": {"threshold": 1}}}, "scores.0.x.score"),
        ({"settings": {"colour": 1}}, "settings.colour"),
    ],
)
def test_what_is_not_understood_is_refused(
    client: httpx.Client, workflow_id: str, event: dict[str, Any], place: str
) -> None:
    answer = client.post("/_sandbox/events", json={"workflow_id": workflow_id, "events": [{}, event]})
    assert answer.status_code == 422
    assert [".".join(each["loc"]) for each in answer.json()["detail"]] == [f"body.events.1.{place}"]
    assert client.get("/_sandbox/events").json() == []


def test_all_or_none(client: httpx.Client, workflow_id: str) -> None:
    give(client, workflow_id, {"event_id": "evt_1"})
    twice = {"workflow_id": workflow_id, "events": [{"event_id": "evt_2"}, {"event_id": "evt_1"}]}
    assert client.post("/_sandbox/events", json=twice).status_code == 422
    assert len(client.get("/_sandbox/events").json()) == 1
    assert client.post("/_sandbox/events", json={**twice, "workflow_id": "wkfl_nope"}).status_code == 404


def test_a_hundred_workflows_of_fifty_events_of_ten_kilobytes(sandbox: Sandbox) -> None:
    """Answering costs what is answered, whatever else is stored."""
    client = sandbox(delay=0)
    began = time.process_time()
    events = [{"size": 10_000, "scores": {"completeness": 0.5}} for _ in range(50)]
    for number in range(100):
        client.post("/_sandbox/workflows", json={"workflow_id": f"wkfl_{number}"})
        give(client, f"wkfl_{number}", *events)
    stored = time.process_time()
    answer = client.get("/defend/wkfl_50?limit=50")
    answered = time.process_time()
    assert len(answer.json()["events"]) == 50
    assert 500_000 < len(answer.content) < 1_000_000
    assert client.get("/defend/wkfl_99?limit=1").json()["stats"]["outputs_processed"] == 50
    assert stored - began < 15
    assert answered - stored < 1


def test_a_file_of_the_first_form_keeps_its_workflows(tmp_path: Path) -> None:
    data = str(tmp_path / "sandbox.sqlite")
    with embedded(data) as url:
        made = httpx.post(f"{url}/defend", json=NEWEST, headers=KEY).json()["workflow_id"]
    with sqlite3.connect(data) as database:
        database.executescript(
            "PRAGMA user_version = 0; DROP TABLE events; CREATE TABLE events (seq, event_id)"
        )
    with embedded(data) as url:
        assert httpx.get(f"{url}/defend/{made}", headers=KEY).json()["events"] == []
        assert httpx.post(f"{url}/defend/{made}/events", headers=KEY, json=EVENT).is_success
