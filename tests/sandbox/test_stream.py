"""A submission that streams: what an application hears, and when."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defendctl.sandbox.generations import GENERATIONS
from defendctl.sandbox.scores import parse_scores
from defendctl.sandbox.stream import _PIECE, NOT_STREAMED

from .bodies import CUSTOM, EVENT, NEWEST

if TYPE_CHECKING:
    import httpx

    from .conftest import Sandbox

OUTPUT = "I am good,  thank you!\nAnd you?"
SUBMITTED = {**EVENT, "model_output": OUTPUT}
BAD, GOOD = {"completeness": 0.1, "instruction_adherence": 0.9}, {"completeness": 0.9}
MODES = ("ultra_fast", "super_fast", "fast", "precision", "precision_codex", "smart")


def path_of(client: httpx.Client, **changes: Any) -> str:
    made = client.post("/defend", json={**NEWEST, **changes}).json()
    return f"/defend/{made['workflow_id']}/events"


def heard(text: str) -> list[tuple[str, Any]]:
    """As an application reads it: kind and data of each event."""
    told = []
    for event in text.removesuffix("\n\n").split("\n\n"):
        kind, data = event.split("\n")
        told.append((kind.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return told


def stream(client: httpx.Client, path: str, body: Any = SUBMITTED) -> list[tuple[str, Any]]:
    answer = client.post(path, json=body, params={"stream": "true"}, headers={"accept": "text/event-stream"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    return heard(answer.text)


def output(told: list[tuple[str, Any]]) -> str:
    return "".join(data["content"] for kind, data in told if kind == "token")


def test_an_output_that_passes_is_streamed_as_it_was(sandbox: Sandbox) -> None:
    client = sandbox(delay=0.0, scores=parse_scores({"good": GOOD}))
    path = path_of(client)
    told = stream(client, path)
    assert [kind for kind, _ in told] == ["status", "evaluation", *["token"] * 7, "complete"]
    assert output(told) == OUTPUT
    event = client.get(f"{path}/{told[0][1]['event_id']}").json()
    assert told[-1][1] == {
        "event_id": event["event_id"],
        "workflow_id": event["workflow_id"],
        "status": "Completed",
        "filtered": False,
    }
    assert told[1][1]["evaluation_result"] == event["evaluation_result"]


def test_an_output_that_fails_is_improved_and_streamed_as_it_became(sandbox: Sandbox) -> None:
    client = sandbox(delay=0.0, scores=parse_scores({"good": [BAD, GOOD]}))
    path = path_of(client)
    told = stream(client, path)
    event = client.get(f"{path}/{told[0][1]['event_id']}").json()
    assert [kind for kind, _ in told if kind != "token"] == ["status", "evaluation", "evaluation", "complete"]
    assert output(told) == event["improved_model_output"] != OUTPUT
    path = path_of(client, improvement_action="do_nothing")
    told = stream(client, path)
    assert output(told) == OUTPUT
    assert told[-1][1]["filtered"] is True


def test_an_event_that_was_streamed_is_as_any_other(sandbox: Sandbox) -> None:
    client = sandbox(delay=0.0)
    path = path_of(client)
    told = stream(client, path)
    listed = client.get(path.removesuffix("/events")).json()["events"]
    assert [each["event_id"] for each in listed] == [told[0][1]["event_id"]]


def test_the_first_event_is_there_while_the_evaluation_runs(sandbox: Sandbox) -> None:
    """It would take a minute, and nobody waits for it."""
    client = sandbox(delay=60.0)
    path = path_of(client)
    with client.stream("POST", path, json=SUBMITTED, params={"stream": "true"}) as answer:
        kind, status = heard(next(answer.iter_text()))[0]
    assert (kind, status["status"]) == ("status", "In Progress")
    assert client.get(f"{path}/{status['event_id']}").json()["status"] == "In Progress"


@pytest.mark.parametrize("run_mode", MODES)
def test_modes_that_stream(sandbox: Sandbox, run_mode: str) -> None:
    client = sandbox(delay=0.0)
    assert output(stream(client, path_of(client), {**SUBMITTED, "run_mode": run_mode}))


@pytest.mark.parametrize("run_mode", NOT_STREAMED)
def test_modes_that_do_not_stream(sandbox: Sandbox, run_mode: str) -> None:
    client = sandbox(delay=0.0)
    body = {**SUBMITTED, "run_mode": run_mode}
    answer = client.post(path_of(client), json=body, params={"stream": "true"})
    assert answer.json()["status"] == "In Progress"


@pytest.mark.parametrize("asked", ["false", "1", "", None])
def test_without_the_parameter_nothing_streams(client: httpx.Client, asked: str | None) -> None:
    answer = client.post(
        path_of(client), json=SUBMITTED, params={"stream": asked} if asked is not None else {}
    )
    assert answer.json()["status"] == "In Progress"


@pytest.mark.parametrize(
    "model_input", [{"prompt": "Hello"}, {"messages": [{"role": "user"}]}, {"system_prompt": "s"}]
)
def test_a_stream_takes_any_input(sandbox: Sandbox, model_input: dict[str, Any]) -> None:
    client = sandbox(delay=0.0)
    assert stream(client, path_of(client), {**SUBMITTED, "model_input": model_input})


@pytest.mark.parametrize("change", [{"model_input": {}}, {"run_mode": "odd"}, {"model_output": None}])
def test_what_is_refused_is_no_stream(client: httpx.Client, change: dict[str, Any]) -> None:
    answer = client.post(path_of(client), json={**SUBMITTED, **change}, params={"stream": "true"})
    assert answer.status_code == 422
    assert answer.json()["detail"]


@pytest.mark.parametrize("generation", GENERATIONS[:-1])
def test_older_generations_know_no_stream(sandbox: Sandbox, generation: str) -> None:
    client = sandbox(generation=generation)
    workflow_id = client.post("/defend", json=CUSTOM[generation]).json()["workflow_id"]
    answer = client.post(f"/defend/{workflow_id}/events?stream=true", json=EVENT)
    assert answer.json()["event_id"]


def test_a_stream_that_goes_wrong_says_so(sandbox: Sandbox) -> None:
    client = sandbox(delay=0.0, scores=parse_scores({"good": GOOD}))
    path = path_of(client)
    client.post("/_sandbox/faults", json={"kind": "stream-error", "path": "events$", "body": "Out of tokens"})
    told = stream(client, path)
    assert told[-1] == ("error", {"message": "Out of tokens"})
    assert "complete" not in dict(told)
    assert OUTPUT.startswith(output(told))


@pytest.mark.parametrize("kind", ["truncated", "lost-after", "drip", "slow-after", "ignore", "status-after"])
def test_faults_do_not_wait_for_the_evaluation(sandbox: Sandbox, kind: str) -> None:
    """It would take a minute. Meanwhile nobody else is held up, and nothing else is forgotten."""
    import httpx

    client = sandbox(delay=60.0)
    path = path_of(client)
    client.post("/_sandbox/faults", json={"kind": kind, "path": "events$"})
    try:
        client.post(path, json=SUBMITTED, params={"stream": "true"}, timeout=30)
    except httpx.RemoteProtocolError:
        assert kind in ("truncated", "lost-after")
    assert len(client.get("/_sandbox/workflows").json()) == 1


@given(st.text())
def test_pieces_are_the_whole(text: str) -> None:
    assert "".join(_PIECE.findall(text)) == text
