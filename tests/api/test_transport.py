"""Connections and deadlines: what is kept, what is made anew, what is cut short and when."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from defendctl.api.answer import Unanswered
from defendctl.api.connection import SENDING, Request, connect
from defendctl.api.deadlines import Deadlines
from defendctl.api.network import read_network
from defendctl.api.transport import Transport
from defendctl.threads import NoThread
from tests.conftest import KEY
from tests.hostile.wire import OK, Listener, answering, listening
from tests.starving import starve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EMPTY = OK + b"content-length: 2\r\n\r\n{}"


@pytest.fixture
def transport() -> Iterator[Callable[[Listener], Transport]]:
    made: list[Transport] = []

    def make(listener: Listener) -> Transport:
        made.append(Transport(listener.url, KEY))
        return made[-1]

    yield make
    for each in made:
        each.close()


def get(transport: Transport) -> int:
    return transport.send("GET", "/defend/w", seconds=20, params={"limit": 1}).status


# --- connections ---


def test_what_is_read_one_after_the_other_needs_one_connection(
    transport: Callable[[Listener], Transport],
) -> None:
    with listening(answering(lambda request: EMPTY)) as api:
        wire = transport(api)
        assert {get(wire) for _ in range(20)} == {200}
        assert api.connections == 1


def test_of_a_connection_that_stands_one_step_is_told() -> None:
    """That it is about to send; the others cost more than they tell."""
    steps: list[str] = []
    with listening(answering(lambda request: EMPTY)) as api:
        line = connect(urlsplit(api.url), read_network(api.url))

        def told(name: str, info: dict[str, Any]) -> None:
            steps.append(name)
            if name.endswith(".connect_tcp.complete"):
                line.socket = info["return_value"].get_extra_info("socket")

        request = Request("GET", "/defend/w", [(b"Host", b"127.0.0.1")], b"")
        assert line.send(request, told).status == 200
        assert len(steps) > 1
        assert SENDING in steps
        steps.clear()
        assert line.send(request, told).status == 200
        assert steps == [SENDING]
        line.close()


def test_as_many_connections_are_kept_as_were_at_work(
    transport: Callable[[Listener], Transport],
) -> None:
    """Also by threads that came later."""
    meeting = threading.Barrier(5)

    def together(request: bytes) -> bytes:
        meeting.wait(timeout=30)
        return EMPTY

    with listening(answering(together)) as api:
        wire = transport(api)
        for _ in range(3):
            with ThreadPoolExecutor(5) as pool:
                assert set(pool.map(lambda _: get(wire), range(5))) == {200}
        assert api.connections == 5


@pytest.mark.parametrize("told", [True, False])
def test_a_connection_that_the_server_closed_is_not_used_again(
    transport: Callable[[Listener], Transport], told: bool
) -> None:
    closed = threading.Semaphore(0)

    def once(connection: socket.socket, listener: Listener) -> None:
        listener.request(connection)
        connection.sendall(OK + (b"connection: close\r\n" if told else b"") + b"content-length: 2\r\n\r\n{}")
        connection.shutdown(socket.SHUT_RDWR)
        closed.release()

    with listening(once) as api:
        wire = transport(api)
        for _ in range(3):
            assert get(wire) == 200
            assert closed.acquire(timeout=30)
        assert (api.connections, len(api.received)) == (3, 3)


def test_a_connection_that_lay_idle_for_long_is_not_used_again(
    transport: Callable[[Listener], Transport], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server may have closed it a moment ago, and the word of it be on its way."""
    monkeypatch.setattr("defendctl.api.connection._KEPT", 0.0)
    with listening(answering(lambda request: EMPTY)) as api:
        wire = transport(api)
        assert [get(wire) for _ in range(3)] == [200] * 3
        assert api.connections == 3


def test_a_connection_without_a_whole_answer_is_not_used_again(
    transport: Callable[[Listener], Transport],
) -> None:
    answers = [b"not HTTP\r\n\r\n", OK + b"content-encoding: gzip\r\ncontent-length: 1\r\n\r\nx", EMPTY]
    with listening(answering(lambda request: answers.pop(0))) as api:
        wire = transport(api)
        for _ in range(2):
            with pytest.raises(Unanswered):
                get(wire)
        assert get(wire) == 200
        assert api.connections == 3


def test_a_post_has_a_connection_of_its_own(transport: Callable[[Listener], Transport]) -> None:
    """Which stands when it is asked for the last time, and over which nothing else was sent."""
    over: list[bytes] = []

    def talk(connection: socket.socket, listener: Listener) -> None:
        requests = b""
        while request := listener.request(connection):
            requests += request[:4].split()[0] + b" "
            connection.sendall(EMPTY)
        over.append(requests)

    with listening(talk) as api:
        wire = transport(api)
        seen: list[tuple[int, int]] = []
        for _ in range(3):
            get(wire)
            wire.send(
                "POST",
                "/defend",
                seconds=20,
                json={},
                before_send=lambda: seen.append((api.connections, len(api.received))),
            )
        wire.close()
        assert [received for _, received in seen] == [1, 3, 5], "nothing had been sent"
        assert api.connections == 4
        assert b"POST " in over
        assert not [requests for requests in over if b"POST" in requests and requests != b"POST "]


def test_what_stands_twice_among_the_headers_is_one_text(transport: Callable[[Listener], Transport]) -> None:
    raw = OK + b"RateLimit: a\r\nratelimit: b\r\ncontent-length: 2\r\n\r\n{}"
    with listening(answering(lambda request: raw)) as api:
        assert transport(api).send("GET", "/", seconds=20).headers["ratelimit"] == "a, b"


def test_a_base_url_with_a_path_and_letters_of_the_world(transport: Callable[[Listener], Transport]) -> None:
    with listening(answering(lambda request: EMPTY)) as api:
        wire = Transport(f"{api.url}/ü b/%41/", KEY)
        get(wire)
        wire.close()
    assert api.received[0].startswith(b"GET /%C3%BC%20b/%41/defend/w?limit=1 HTTP/1.1\r\n")
    assert f"\r\nHost: 127.0.0.1:{api.port}\r\n".encode() in api.received[0]


def test_without_a_proxy_the_client_of_httpx_is_not_even_loaded() -> None:
    code = (
        "import sys; from defendctl.api.transport import Transport; "
        "Transport(sys.argv[1], 'key').send('GET', '/', seconds=20); "
        "print([name for name in ('httpx', 'httpcore') if name in sys.modules])"
    )
    with listening(answering(lambda request: EMPTY)) as api:
        command = [sys.executable, "-c", code, api.url]
        ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout == "['httpcore']\n"


# --- deadlines ---


class Cut:
    def __init__(self) -> None:
        self.after: list[float] = []
        self.happened = threading.Event()

    def __call__(self, seconds: float) -> None:
        self.after.append(seconds)
        self.happened.set()


def test_what_takes_too_long_is_cut_once() -> None:
    deadlines, long, short = Deadlines(), Cut(), Cut()
    with deadlines.within(300, long), deadlines.within(0.01, short):
        assert short.happened.wait(30)
    deadlines.close()
    assert (short.after, long.after) == ([0.01], [])


def test_one_thread_watches_over_all() -> None:
    deadlines, cuts = Deadlines(), [Cut() for _ in range(50)]

    def wait(cut: Cut) -> None:
        with deadlines.within(0.01, cut):
            assert cut.happened.wait(30)

    before = sum(thread.name == "deadlines" for thread in threading.enumerate())
    with ThreadPoolExecutor(len(cuts)) as pool:
        waiting = [pool.submit(wait, cut) for cut in cuts]
        assert sum(thread.name == "deadlines" for thread in threading.enumerate()) <= before + 1
        for each in waiting:
            each.result()
    deadlines.close()
    assert [cut.after for cut in cuts] == [[0.01]] * 50


def test_where_nobody_can_watch_nothing_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is it cut when there are threads again."""
    deadlines, early, late = Deadlines(), Cut(), Cut()
    with monkeypatch.context() as starved:
        starve(starved, 0)
        with pytest.raises(NoThread), deadlines.within(0.0, early):
            raise AssertionError("it began")
    with deadlines.within(0.01, late):
        assert late.happened.wait(30)
    deadlines.close()
    assert (early.after, late.after) == ([], [0.01])


def test_a_hurry_holds_for_what_is_under_way_and_for_what_follows_and_not_for_what_is_over() -> None:
    deadlines, over, under_way, next_ = Deadlines(), Cut(), Cut(), Cut()
    with deadlines.within(300, over):
        pass
    with deadlines.within(300, under_way):
        deadlines.hurry(0.01)
        assert under_way.happened.wait(30)
    with deadlines.within(300, next_):
        assert next_.happened.wait(30)
    deadlines.close()
    assert (over.after, under_way.after) == ([], [0.01])
    assert next_.after[0] <= 0.01


def test_what_is_under_way_is_watched_after_the_close_and_then_nobody_watches() -> None:
    deadlines, cut = Deadlines(), Cut()
    with deadlines.within(0.05, cut):
        (watch,) = [t for t in threading.enumerate() if t.name == "deadlines" and t.is_alive()][-1:]
        deadlines.close()
        assert cut.happened.wait(30)
    watch.join(30)
    assert not watch.is_alive()
