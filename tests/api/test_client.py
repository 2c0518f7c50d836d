"""The wire: what is sent, where to, and how often."""

from __future__ import annotations

import json
import socket
import struct
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from defendctl.api.answer import NotSent
from defendctl.api.client import DefendApi
from defendctl.api.dialects import DIALECTS
from defendctl.api.outcome import Created, Refused, Unknown, Unsent
from defendctl.api.transport import Transport
from defendctl.diagnostics import ApiError, Interrupted
from tests.conftest import KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

NEWEST = DIALECTS["2025-12-07"]
VALUES = {
    "name": "n",
    "type": "custom",
    "metrics": {"completeness": 0.5},
    "improvement_action": "none",
    "file_search": (),
}


class Wire:
    """A server that reads one request a connection and answers with given bytes."""

    def __init__(self, *answers: bytes, keep: bool = False, reset: bool = False) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._answers = list(answers)
        self._keep = keep
        self._reset = reset
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection:
            while request := _request(connection):
                self.requests.append(request)
                if self._reset:  # closing sends RST where nothing may linger
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
                if not self._answers:
                    return
                connection.sendall(self._answers.pop(0))
                if not self._keep:
                    return


def _request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (got := connection.recv(65536)):
            return b""
        data += got
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(h[15:]) for h in head.lower().split(b"\r\n") if h.startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def _answer(content: Any, status: str = "200 OK", *headers: str) -> bytes:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@contextmanager
def _api(wire: Wire, **options: Any) -> Iterator[DefendApi]:
    client = DefendApi(wire.url, KEY, **options)
    try:
        yield client
    finally:
        client.close()
        wire.close()


def test_what_a_request_says() -> None:
    wire = Wire(_answer({"workflow_id": "w"}))
    with _api(wire) as api:
        assert api.speaking(NEWEST).create(VALUES, lambda: None) == Created("w")
    head, _, body = wire.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /defend HTTP/1.1"
    said = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
    assert said["authorization"] == f"Bearer {KEY}"
    assert said["accept-encoding"] == "identity"
    assert said["content-type"] == "application/json"
    assert said["user-agent"].startswith("defendctl/")
    assert "cookie" not in said
    assert json.loads(body)["threshold_type"] == "custom"


def test_before_send_runs_on_a_connection_of_its_own_before_any_byte() -> None:
    wire = Wire(_answer({"workflow_id": "w1"}), _answer({"workflow_id": "w2"}), keep=True)
    seen: list[tuple[int, int]] = []
    with _api(wire) as api:
        for _ in range(2):
            api.speaking(NEWEST).create(VALUES, lambda: seen.append((wire.connections, len(wire.requests))))
    assert [requests for _, requests in seen] == [0, 1]
    assert wire.connections == 2


def test_what_before_send_raises_comes_out_and_nothing_is_sent() -> None:
    for error in (OSError("disk"), ValueError("x"), Interrupted("stop")):
        wire = Wire(_answer({"workflow_id": "w"}))

        def fail(error: Exception = error) -> None:
            raise error

        with _api(wire) as api, pytest.raises(type(error)):
            api.speaking(NEWEST).create(VALUES, fail)
        assert wire.requests == []


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 99999 What\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"a" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}",
        _answer(b"{}", "200 OK", "content-encoding: br"),
        _answer(b"", "301 Moved", "location: http://[bad"),
        _answer(b"", "302 Found", "location: \xff\xfe".encode("latin-1").decode("latin-1")),
        b'HTTP/1.0 200 OK\r\n\r\n{"workflow_id": "w',
    ],
    ids=lambda answer: repr(answer[:40]),
)
def test_answers_that_are_none(answer: bytes) -> None:
    wire = Wire(answer)
    with _api(wire) as api:
        assert isinstance(api.speaking(NEWEST).create(VALUES, lambda: None), Unknown)
    assert len(wire.requests) == 1


def test_a_connection_that_breaks_off_is_told_by_its_kind() -> None:
    """A reset, not an end: there is no answer to read, and nobody knows what was done."""
    wire = Wire(_answer({"workflow_id": "w"}), reset=True)
    with _api(wire) as api:
        lost = api.speaking(NEWEST).create(VALUES, lambda: None)
    assert isinstance(lost, Unknown)
    assert "the connection broke (ReadError)" in lost.why


def test_a_continue_before_the_answer_is_skipped() -> None:
    wire = Wire(b"HTTP/1.1 100 Continue\r\n\r\n" + _answer({"workflow_id": "w"}))
    with _api(wire) as api:
        assert api.speaking(NEWEST).create(VALUES, lambda: None) == Created("w")


def test_a_redirect_is_never_followed() -> None:
    trap = Wire(_answer({"workflow_id": "w"}))
    for status in ("307 Temporary", "308 Permanent"):
        with _api(Wire(_answer(b"", status, f"location: {trap.url}/x"))) as api:
            outcome = api.speaking(NEWEST).create(VALUES, lambda: None)
            assert isinstance(outcome, Refused)
            assert trap.url not in outcome.why
    with _api(Wire(_answer(b"", "302 Found", f"location: {trap.url}/x"))) as api, pytest.raises(ApiError):
        api.read("w")
    assert trap.requests == []
    trap.close()


def test_a_dropped_connection_is_made_anew_for_a_read() -> None:
    made = {"workflow_id": "w", "name": "n"}
    wire = Wire(_answer(made), _answer(made))
    with _api(wire) as api:
        assert api.read("w")
        assert api.read("w")
    assert wire.connections == 2


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ({"detail": f"The name 'Support bot' is taken, {KEY}"}, "The name '[…]' is taken, […]"),
        ({"detail": [{"loc": ["body", "name"], "msg": "Too long", "input": "planted"}]}, "name: Too long"),
        (b"<h1>planted</h1>", None),
    ],
)
def test_what_a_refusal_shows(answer: Any, shown: str | None) -> None:
    """Of a create, of an update, and of a read; none of it where an event is sent or read."""
    said = _answer(answer, "422 No")
    words = f"the API answered 422{f': {shown}' if shown else ''}"
    values = {**VALUES, "name": "Support bot"}
    with _api(Wire(said)) as api:
        assert api.speaking(NEWEST).create(values, lambda: None) == Refused(422, words)
    with _api(Wire(said)) as api, pytest.raises(ApiError) as caught:
        api.speaking(NEWEST).update("w", values)
    assert caught.value.message == f"updating w: {words}"
    with _api(Wire(said)) as api, pytest.raises(ApiError) as caught:
        api.read("w")
    assert caught.value.message.replace("Support bot", "[…]") == f"reading w: {words}"
    event = {"model_input": {"user_prompt": "planted"}}
    with _api(Wire(said)) as api:
        outcome = api.submit("w", event, lambda: None)
    assert isinstance(outcome, Refused)
    assert outcome.why in ("the API answered 422", "the API answered 422: name was refused")
    with _api(Wire(said)) as api, pytest.raises(ApiError) as caught:
        api.event("w", "e", content=True)
    assert caught.value.message == f"reading event e: {outcome.why}"
    with _api(Wire(said)) as api, pytest.raises(ApiError) as caught:
        api.recent("w", 5, content=False)
    assert caught.value.message == f"reading events of w: {outcome.why}"


def test_what_the_refusal_of_a_key_shows() -> None:
    for status, words in ((401, f"Unknown key {KEY}"), (403, "The plan has no Defend")):
        with _api(Wire(_answer({"detail": words}, f"{status} No"))) as api, pytest.raises(ApiError) as caught:
            api.read("w")
        shown = words.replace(KEY, "[…]")
        assert caught.value.message == f"reading w: the API refused the key ({status}): {shown}"
        assert caught.value.exit_code == 3


def test_what_the_refusal_of_an_upload_shows() -> None:
    """It quotes no name and no content of a file; of a large one it shows our words alone."""
    said = {
        "detail": [{"loc": ["body", "files"], "msg": "'q3.pdf' is no PDF: it begins with HELLO THE WORLD"}]
    }
    hidden = "uploading q3.pdf: the API answered 415: files: '[…]' is no PDF: it begins with […]"
    for size, message in (
        (0, hidden),
        (1 << 20, "uploading q3.pdf: the API answered 415: files was refused"),
    ):
        with _api(Wire(_answer(said, "415 No"))) as api, pytest.raises(ApiError) as caught:
            api.speaking(NEWEST).upload("q3.pdf", b"hello the world, " + b"x" * size)
        assert caught.value.message == message


def test_tls_that_fails_means_nothing_was_sent() -> None:
    plain = Wire(b"not tls at all")
    client = DefendApi(plain.url.replace("http:", "https:"), KEY)
    assert isinstance(client.speaking(NEWEST).create(VALUES, lambda: None), Unsent)
    client.close()
    plain.close()


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_ipv6() -> None:
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 here")
    transport = Transport(f"http://[::1]:{listener.getsockname()[1]}", KEY)
    listener.close()
    with pytest.raises(NotSent):
        transport.send("GET", "/", seconds=1)
    transport.close()


def test_a_stop_ends_what_waits_and_what_is_under_way() -> None:
    wire = Wire()
    listener = socket.create_server(("127.0.0.1", 0))
    wire.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with _api(wire) as api:
        threading.Timer(0.2, api._transport.hurry, (0.2,)).start()
        assert isinstance(api.speaking(NEWEST).create(VALUES, lambda: None), Unknown)
        api.stop()
        with pytest.raises(Interrupted):
            api.pause(30)
    listener.close()


@pytest.mark.parametrize(("again", "requests"), [("99999", 1), ("0", 2), ("-1", 2), ("nan", 2), ("soon", 2)])
def test_a_read_waits_no_longer_than_anybody_would(again: str, requests: int) -> None:
    wire = Wire(
        _answer({}, "429 Too Many Requests", f"retry-after: {again}"),
        _answer({"workflow_id": "w", "name": "n"}),
    )
    with _api(wire) as api:
        if requests == 1:
            with pytest.raises(ApiError, match="429"):
                api.read("w")
        else:
            assert api.read("w")
    assert len(wire.requests) == requests
