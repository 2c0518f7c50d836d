"""Each fault does what it says, and commits or does not."""

import asyncio
import time
import zlib
from typing import Any

import httpx
import pytest

from .bodies import NEWEST


def add(client: httpx.Client, kind: str, **options: Any) -> None:
    answer = client.post("/_sandbox/faults", json={"kind": kind, "path": "^/defend", **options})
    assert answer.is_success, answer.text


def create(client: httpx.Client) -> httpx.Response:
    return client.post("/defend", json=NEWEST)


def count(client: httpx.Client) -> int:
    return len(client.get("/_sandbox/workflows").json())


@pytest.mark.parametrize(("kind", "committed"), [("lost", 0), ("lost-after", 1)])
def test_lost(client: httpx.Client, kind: str, committed: int) -> None:
    add(client, kind)
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        create(client)
    assert count(client) == committed
    assert client.get("/_sandbox/requests").json()[-1]["status"] is None
    assert create(client).is_success


@pytest.mark.parametrize(("kind", "committed"), [("status", 0), ("status-after", 1)])
def test_status(client: httpx.Client, kind: str, committed: int) -> None:
    add(
        client, kind, status=429, headers={"Retry-After": "7", "Content-Type": "text/plain"}, body="slow down"
    )
    answer = create(client)
    assert (answer.status_code, answer.text) == (429, "slow down")
    assert (answer.headers["retry-after"], answer.headers["content-type"]) == ("7", "text/plain")
    assert count(client) == committed
    assert client.get("/_sandbox/requests").json()[-1]["status"] == 429


@pytest.mark.parametrize(("kind", "committed"), [("slow", 0), ("slow-after", 1)])
def test_slow_commits_before_or_after_the_wait(client: httpx.Client, kind: str, committed: int) -> None:
    add(client, kind, seconds=1)
    with pytest.raises(httpx.ReadTimeout):
        client.post("/defend", json=NEWEST, timeout=0.05)
    assert count(client) == committed
    while client.get("/_sandbox/workflows").json() == []:
        time.sleep(0.01)


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each pause of the sandbox is meant to be, in seconds."""
    found: list[float] = []
    sleep = asyncio.sleep

    async def recorded(seconds: float) -> None:
        found.append(seconds)
        await sleep(seconds)

    monkeypatch.setattr(asyncio, "sleep", recorded)
    return found


def test_slow_answers_in_the_end(client: httpx.Client, slept: list[float]) -> None:
    add(client, "slow", seconds=0.05)
    assert "workflow_id" in create(client).json()
    assert slept.count(0.05) == 1


def test_drip(client: httpx.Client, slept: list[float]) -> None:
    add(client, "drip", seconds=0.001)
    answer = create(client)
    assert "workflow_id" in answer.json()
    between = len(answer.content) - 1  # the pause after the last byte begins once the client has it
    assert slept.count(0.001) in (between, between + 1)


def test_truncated(client: httpx.Client) -> None:
    add(client, "truncated")
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
        create(client)
    assert count(client) == 1


def test_not_json(client: httpx.Client) -> None:
    add(client, "not-json")
    answer = create(client)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html")
    assert count(client) == 1


def test_body(client: httpx.Client) -> None:
    add(client, "body", body='{"workflow_id": 5}')
    answer = create(client)
    assert (answer.status_code, answer.json()) == (200, {"workflow_id": 5})
    assert answer.headers["content-type"] == "application/json"
    assert count(client) == 1


def test_oversized(client: httpx.Client) -> None:
    add(client, "oversized", bytes=1_000_000)
    assert len(create(client).json()["workflow_id"]) == 1_000_000
    add(client, "oversized")
    with client.stream("POST", "/defend", json=NEWEST) as answer:
        assert next(answer.iter_raw())
    assert count(client) == 2


def test_gzip(client: httpx.Client) -> None:
    add(client, "gzip")
    answer = create(client)
    assert answer.headers["content-encoding"] == "gzip"
    assert "workflow_id" in answer.json()


def test_gzip_bomb(client: httpx.Client) -> None:
    add(client, "gzip", bytes=10_000_000)
    with client.stream("POST", "/defend", json=NEWEST) as answer:
        packed = b"".join(answer.iter_raw())
    assert len(packed) < 100_000
    assert zlib.decompress(packed, wbits=31) == bytes(10_000_000)
    assert count(client) == 1


def test_ignore(client: httpx.Client) -> None:
    path = f"/defend/{create(client).json()['workflow_id']}"
    before = client.get(path).json()
    add(client, "ignore", method="PUT")
    answer = client.put(path, json={"name": "new"})
    assert (answer.status_code, answer.json()["name"]) == (200, "new")
    assert client.get(path).json() == before
    client.put(path, json={"name": "new"})
    assert client.get(path).json()["name"] == "new"


def test_no_id(client: httpx.Client) -> None:
    add(client, "no-id")
    assert create(client).json().keys() == {"status", "created_at"}
    assert count(client) == 1


def test_wrong_id(client: httpx.Client) -> None:
    workflow_id = create(client).json()["workflow_id"]
    add(client, "wrong-id", method="GET")
    assert client.get(f"/defend/{workflow_id}").json()["workflow_id"] != workflow_id


def test_faults_are_aimed_and_counted(client: httpx.Client) -> None:
    add(client, "status", method="POST", path="^/defend$", skip=1, times=2, status=503)
    assert client.get("/defend/wkfl_nope").status_code == 404
    assert [create(client).status_code for _ in range(5)] == [200, 503, 503, 200, 200]


def test_a_fault_may_hit_for_ever_until_cleared(client: httpx.Client) -> None:
    add(client, "status", times=None, status=500)
    assert {create(client).status_code for _ in range(5)} == {500}
    client.delete("/_sandbox/faults")
    assert create(client).is_success


def test_faults_are_met_before_the_key_is_checked(client: httpx.Client) -> None:
    add(client, "status", status=502)
    assert client.get("/defend/x", headers={"Authorization": ""}).status_code == 502


@pytest.mark.parametrize(
    "fault", [{"kind": "meteor"}, {}, {"kind": "lost", "when": 1}, {"kind": "lost", "path": "("}]
)
def test_unknown_faults_are_refused(client: httpx.Client, fault: dict[str, Any]) -> None:
    assert client.post("/_sandbox/faults", json=fault).status_code == 422
