"""Starting, stopping, and what survives it."""

import asyncio
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from uvicorn.protocols.http.h11_impl import H11Protocol

from defendctl.sandbox.server import BadData, embedded
from defendctl.sandbox.store import Store

from .bodies import NEWEST
from .conftest import KEY

PLAIN: dict[str, Any] = {"trust_env": False, "verify": False}  # certificates take long to load
ROOT = Path(__file__).parents[2]


def spawn(*options: str) -> tuple["subprocess.Popen[str]", str]:
    command = [sys.executable, "-m", "defendctl.sandbox", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout
    return process, process.stdout.readline().strip()


def create(url: str) -> str:
    workflow_id = httpx.post(f"{url}/defend", json=NEWEST, headers=KEY, **PLAIN).json()["workflow_id"]
    assert isinstance(workflow_id, str)
    return workflow_id


def status(url: str, workflow_id: str) -> int:
    return httpx.get(f"{url}/defend/{workflow_id}", headers=KEY, **PLAIN).status_code


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_quietly(number: signal.Signals) -> None:
    process, url = spawn()
    create(url)
    process.send_signal(number)
    out, err = process.communicate(timeout=5)
    assert (process.returncode, out, err) == (0, "", "")


_NOT_OURS = re.compile(
    r"Exception ignored in: <function _SelectorTransport\.__del__ at 0x[0-9a-f]+>\n"
    r"Traceback \(most recent call last\):\n"
    r"(  .*\n)*    self\._server\._detach\(self\)\n(  .*\n)*"
    r"TypeError: 'NoneType' object is not iterable\n"
)
"""What CPython 3.13.0 itself prints of a connection that outlives its server."""


def test_open_connections_and_waiting_requests_do_not_hold_it_up() -> None:
    process, url = spawn()
    fault = {"kind": "slow", "seconds": 60}
    with httpx.Client(base_url=url, headers=KEY, **PLAIN) as client:
        client.post("/_sandbox/faults", json=fault)
        with pytest.raises(httpx.ReadTimeout):
            client.post("/defend", json=NEWEST, timeout=0.05)
        address = (client.base_url.host, client.base_url.port)
        with socket.create_connection(address) as idle:
            idle.sendall(b"POST /defend HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n")
            process.terminate()
            _, err = process.communicate(timeout=2)
    assert (process.returncode, _NOT_OURS.sub("", err)) == (0, "")


def test_a_killed_process_loses_nothing(tmp_path: Path) -> None:
    data = str(tmp_path / "sandbox.sqlite")
    process, url = spawn("--data", data)
    workflow_id = create(url)
    process.kill()
    process.communicate()
    with embedded(data) as again:
        assert status(again, workflow_id) == 200


def _other_database(file: Path) -> None:
    with sqlite3.connect(file) as db:
        db.executescript("CREATE TABLE events (mine TEXT); INSERT INTO events VALUES ('kept');")


NO_DATA: dict[str, Callable[[Path], object]] = {
    "is a folder": Path.mkdir,
    "is not a database": lambda file: file.write_text("# Read me" * 99),
    "is a database that the sandbox did not make": _other_database,
}


@pytest.mark.parametrize("words", NO_DATA)
def test_what_holds_something_else_is_refused_and_left(tmp_path: Path, words: str) -> None:
    data = tmp_path / "data"
    NO_DATA[words](data)
    before = data.is_dir() or data.read_bytes()
    with pytest.raises(BadData, match=words):
        Store(str(data))
    assert (data.is_dir() or data.read_bytes()) == before
    assert [file.name for file in tmp_path.iterdir()] == ["data"]


def test_no_folder_is_made_for_the_data(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="there is no folder"):
        Store(str(tmp_path / "deep" / "sandbox.sqlite"))
    assert not any(tmp_path.iterdir())


def test_memory_is_forgotten() -> None:
    with embedded(":memory:") as url:
        workflow_id = create(url)
    with embedded(":memory:") as url:
        assert status(url, workflow_id) == 404


def test_embedded_starts_and_stops() -> None:
    """Without waiting for a connection that is kept open."""
    before = set(threading.enumerate())
    with httpx.Client(**PLAIN) as client:
        with embedded(":memory:") as url:
            assert client.get(f"{url}/_sandbox/requests", headers=KEY).is_success
        assert not set(threading.enumerate()) - before
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, **PLAIN)


def test_a_taken_port_is_an_error() -> None:
    with embedded(":memory:") as url:
        process, line = spawn("--port", url.rpartition(":")[2])
        process.communicate(timeout=5)
    assert (process.returncode, line) == (1, "")


def test_options_arrive() -> None:
    process, url = spawn("--generation", "2025-10-07", "--answers", "2025-12-07", "--api-key", "k")
    headers = {"Authorization": "Bearer k"}
    body = {"name": "n", "type": "custom", "metrics": {"x": 0.5}, "improvement_action": None}
    answer = httpx.post(f"{url}/defend", json=body, headers=headers, **PLAIN)
    process.terminate()
    process.communicate(timeout=5)
    assert answer.json().keys() == {"workflow_id", "status", "created_at"}


def test_an_answer_does_not_wait_for_acknowledgements(monkeypatch: pytest.MonkeyPatch) -> None:
    """With Nagle's algorithm on, each answer on a reused connection takes 40 ms."""
    is_off: list[int] = []
    made = H11Protocol.connection_made

    def looked_at(protocol: H11Protocol, transport: asyncio.Transport) -> None:
        found = transport.get_extra_info("socket")
        is_off.append(found.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        made(protocol, transport)

    monkeypatch.setattr(H11Protocol, "connection_made", looked_at)
    with embedded(":memory:") as url, httpx.Client(base_url=url, headers=KEY, **PLAIN) as client:
        assert client.post("/defend", json=NEWEST).is_success
    assert all(is_off)
    assert is_off
