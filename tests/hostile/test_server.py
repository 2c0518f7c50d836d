"""A server that misbehaves on GET, PUT and POST: bounded in time and memory, and the key goes nowhere else.

What a lost, truncated or refused answer means is in tests/engine; what
the wire carries in tests/api/test_client.py; a dead server with fifty bindings in tests/engine too.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.bad.golden import assert_inert
from tests.conftest import KEY, custom
from tests.hostile.measured import Measured, measure
from tests.hostile.wire import OK, Listener, answering, listening, relaying, send, sending, wait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Project

MIB = 1 << 20
TIMEOUT = 1.0
SLACK = 2.0


def bind(project: Project, url: str, count: int = 1) -> None:
    """Apply to the sandbox, then move the state to the API at `url`."""
    project.declare({f"w{n}": custom() for n in range(count)})
    project.apply()
    move(project, url)


def move(project: Project, url: str) -> None:
    """To another API, as `resolve` or a hand might."""
    from defendctl.state.document import from_text, to_text

    state = from_text(project.state_file.read_text())
    state.api_host = url.removeprefix("http://").removeprefix("https://")
    project.state_file.write_text(to_text(state))
    shutil.rmtree(project.root / ".defendctl", ignore_errors=True)
    project.env["DEEP_RAILS_BASE_URL"] = url


def run(project: Project, *arguments: str, **env: str) -> Measured:
    ran = measure(project.root, *arguments, **{**project.env, **env})
    assert_inert(ran.out + ran.err)
    assert KEY not in ran.out + ran.err
    return ran


def body(content: bytes, *headers: bytes) -> bytes:
    lines = [b"content-length: %d" % len(content), *headers]
    return OK + b"\r\n".join(lines) + b"\r\n\r\n" + content


def asked_id(request: bytes) -> str:
    found = re.match(rb"\w+ (?:http://[^/]+)?/defend/([^? ]+)", request)
    return found[1].decode() if found else ""


def live(request: bytes, **more: Any) -> bytes:
    answer = {
        "workflow_id": asked_id(request),
        "name": asked_id(request),
        "threshold_type": "custom",
        "custom_hallucination_threshold_values": {"completeness": 0.8},
        "improvement_action": "fixit",
    }
    return body(json.dumps({**answer, **more}).encode())


# --- size ---

ANSWERS: dict[str, Callable[[], bytes]] = {
    "larger than is read": lambda: body(b'{"a": "' + b"x" * (9 * MIB) + b'"}'),
    "a length that is a lie": lambda: OK + b"content-length: 99999999999\r\n\r\n" + b"x" * (9 * MIB),
    "compressed": lambda: body(zlib.compress(b"\0" * 200 * MIB, 9), b"content-encoding: deflate"),
    "compressed twice": lambda: body(b"x", b"content-encoding: gzip, br"),
    "empty lists": lambda: body(b'{"workflow_id": "w", "a": [' + b"[]," * (2_600_000) + b"1]}"),
    "empty objects": lambda: body(b'{"workflow_id": "w", "a": [' + b"{}," * (2_600_000) + b"1]}"),
    "objects": lambda: body(b'{"workflow_id": "w", "a": [' + b'{"":0},' * (1_100_000) + b"1]}"),
    "deep": lambda: body(b'{"workflow_id": ' + b"[" * 4_000_000),
    "deep status": lambda: body(b'{"workflow_id": "w", "status": ' + b"[" * 900 + b"]" * 900 + b"}"),
    "metrics": lambda: body(
        b'{"workflow_id": "w", "threshold_type": "custom", "custom_hallucination_threshold_values": {'
        + b",".join(b'"m%d": 0.5' % n for n in range(400_000))
        + b"}}"
    ),
    "a long name of a metric": lambda: body(
        b'{"workflow_id": "w", "threshold_type": "custom", "custom_hallucination_threshold_values": {"'
        + b"x" * (4 * MIB)
        + b'": 1,'
        + b",".join(b'"m%d": 0.5' % n for n in range(900))
        + b"}}"
    ),
    "a long status line": lambda: b"HTTP/1.1 200 " + b"x" * (9 * MIB) + b"\r\n\r\n{}",
    "many headers": lambda: OK + b"x: y\r\n" * 500_000 + b"\r\n{}",
    "long texts": lambda: body(b'{"workflow_id": "w", "description": "' + b"x" * (8 * MIB - 50) + b'"}'),
    "a long text": lambda: body(b'{"workflow_id": "w", "description": "' + b"x" * (2 * MIB - 500) + b'"}'),
    "a huge number": lambda: body(b'{"workflow_id": "w", "max_retries": ' + b"9" * 100_000 + b"}"),
}


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) for n in ANSWERS])
@pytest.mark.parametrize("count", [1, 20])
def test_the_size_of_an_answer(project: Project, name: str, count: int) -> None:
    raw = ANSWERS[name]()
    with listening(sending(raw)) as api:
        bind(project, api.url, count)
        ran = run(project, "plan", "--timeout", "10")
    assert ran.code in (0, 1), ran
    assert len(ran.err) < 20_000
    assert ran.mib <= 300, ran.mib
    assert "defect" not in ran.err, ran.err


@pytest.mark.slow
def test_an_endless_answer(project: Project) -> None:
    with listening(
        sending(
            OK + b"transfer-encoding: chunked\r\n\r\n", b"10000\r\n" + b"x" * 65536 + b"\r\n", endless=True
        )
    ) as api:
        bind(project, api.url)
        ran = run(project, "plan", "--timeout", "5")
    assert ran.code == 1
    assert "8 MiB" in ran.err
    assert ran.mib <= 300


# --- time ---

DRIPS = {
    "status line": (b"H", b"T", b"T", b"P"),
    "headers": (OK, b"x: y\r\n"),
    "body": (OK + b"content-length: 1000\r\n\r\n", b"{"),
    "chunks": (OK + b"transfer-encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "100 continue": (b"HTTP/1.1 100 Continue\r\n\r\n",),
}


@pytest.mark.slow
@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
@pytest.mark.parametrize("name", DRIPS)
def test_slow_bytes(name: str, method: str) -> None:
    """One request, so that no second try adds its own deadline."""
    from defendctl.api.answer import Unanswered
    from defendctl.api.transport import Transport

    with listening(sending(*DRIPS[name], every=0.1, endless=True)) as api:
        transport = Transport(api.url, KEY)
        content = None if method == "GET" else {"name": "w"}
        before = (lambda: None) if method == "POST" else None
        with pytest.raises(Unanswered):
            transport.send(method, "/defend/w", seconds=TIMEOUT, json=content, before_send=before)
        transport.close()


# --- answers to each of the requests of an apply ---

CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"
BULK = b"x" * 65536
FLOODS: dict[str, tuple[bytes, ...]] = {
    "status line": (b"HTTP/1.1 200 ", BULK),
    "headers": (OK, b"x: " + BULK + b"\r\n"),
    "body to the end": (OK + b"\r\n", BULK),
    "chunks": (CHUNKED, b"10000\r\n" + BULK + b"\r\n"),
    "chunk extension": (CHUNKED + b"1;", BULK),
    "chunk sizes": (CHUNKED, b"1\r\n \r\n" * 8192),
    "trailers": (CHUNKED + b"0\r\n", b"x: " + BULK + b"\r\n"),
    "100 continue": (b"HTTP/1.1 100 Continue\r\n\r\n" * 1000,),
    "compressed": (
        OK + b"content-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n",
        b"10000\r\n" + BULK + b"\r\n",
    ),
}
TRICKLES = {f"{name}, dripping": parts for name, parts in DRIPS.items()}
NOTHING = "nothing"
PAUSES = 6.0
"""At most, before second tries, and with the start of a process."""


@dataclass
class Spoiler:
    """Stands between defendctl and the sandbox; spoils the next answers to these methods."""

    send: Callable[[socket.socket], None]
    methods: list[str] = field(default_factory=list)
    passed: dict[str, int] = field(default_factory=dict)
    """So many answers to a method are let pass before."""
    always: bool = False

    def __call__(self, request: bytes) -> Callable[[socket.socket], None] | None:
        method = request.split(b" ")[0].decode()
        if method not in self.methods:
            return None
        if self.passed.get(method):
            self.passed[method] -= 1
            return None
        if not self.always:
            self.methods.remove(method)
        return self.send


def endless(name: str) -> Callable[[socket.socket], None]:
    if name == NOTHING:
        return lambda connection: wait(connection)
    parts = {**FLOODS, **TRICKLES}[name]
    return lambda connection: send(connection, *parts, every=0.1 if name in TRICKLES else 0, endless=True)


@contextmanager
def spoiling(project: Project, spoiler: Spoiler) -> Iterator[Listener]:
    """`a` is bound and to be updated, and `b` to be created."""
    port = int(project.server.url.rpartition(":")[2])
    with listening(relaying(port, spoiler)) as api:
        project.env["DEEP_RAILS_BASE_URL"] = api.url
        methods, spoiler.methods = spoiler.methods, []
        project.declare({"a": custom()})
        project.apply()
        project.declare({"a": custom(description="d", max_retries=3), "b": custom()})
        project.server.forget_requests()
        spoiler.methods = methods
        yield api


def results(ran: Measured) -> dict[str, str]:
    return {each["address"]: each["outcome"] for each in json.loads(ran.out)["results"]}


def assert_bounded(ran: Measured, lost: int) -> None:
    assert ran.mib <= 300, ran.mib
    assert ran.cpu <= lost * (TIMEOUT + SLACK) + PAUSES, ran.cpu
    assert len(ran.err) < 20_000


APPLY = ("apply", "--yes", "--format", "json", "--timeout", str(TIMEOUT))


@pytest.mark.slow
@pytest.mark.parametrize("name", [NOTHING, *FLOODS, *TRICKLES])
def test_an_answer_without_an_end(project: Project, name: str) -> None:
    """One to a GET, one to a PUT and one to a POST: what may be repeated is, and the create is unknown."""
    with spoiling(project, Spoiler(endless(name), ["GET", "PUT", "POST"])):
        ran = run(project, *APPLY)
        assert_bounded(ran, 3)
        assert (ran.code, results(ran)) == (7, {"a": "done", "b": "unknown"}), ran
        assert (project.server.count("PUT"), project.server.count("POST")) == (2, 1)
        assert project.plan(code=7).actions() == {"b": "blocked"}


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[] if n == "compressed" else pytest.mark.slow) for n in ANSWERS]
)
def test_the_size_of_an_answer_to_a_write(project: Project, name: str) -> None:
    raw = ANSWERS[name]()
    with spoiling(project, Spoiler(lambda connection: send(connection, raw), ["PUT", "POST"])):
        ran = run(project, *APPLY)
        assert_bounded(ran, 2)
        done = results(ran)
        assert done["a"] == "done"
        assert ran.code == {"unknown": 7, "failed": 4, "done": 0}[done["b"]]
        assert project.server.count("PUT") <= 2
        assert project.server.count("POST") == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", [NOTHING, "chunks", "compressed", "body, dripping"])
def test_an_update_that_is_never_answered(project: Project, name: str) -> None:
    """It fails, whether it took effect or not, and the next apply brings it to its end."""
    spoiler = Spoiler(endless(name), ["PUT"], always=True)
    with spoiling(project, spoiler):
        ran = run(project, *APPLY, "--target", "a")
        assert_bounded(ran, 4)
        assert (ran.code, results(ran)) == (1, {"a": "failed"}), ran
        assert project.server.count("PUT") == 4
        spoiler.methods = []
        project.apply("--target", "a")
        assert project.server.count("PUT") == 5, "what cannot be read back is sent again"
        assert project.plan("--target", "a").actions() == {}


READS = ["to plan", "before the update", "back"]


@pytest.mark.slow
@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("name", ["chunks", "body, dripping"])
def test_a_read_that_is_never_answered(project: Project, name: str, read: str) -> None:
    before = READS.index(read)
    spoiler = Spoiler(endless(name), ["GET"], {"GET": before}, always=True)
    with spoiling(project, spoiler):
        ran = run(project, *APPLY, "--target", "a")
        assert_bounded(ran, 4)
        assert ran.code == 1
        assert project.server.count("PUT") == (1 if read == "back" else 0)
        spoiler.methods = []
        project.apply("--target", "a")
        assert project.plan("--target", "a").actions() == {}


# --- contents ---

STRANGE = {
    "html": b"<html>Sign in</html>",
    "a list": b"[]",
    "null": b"null",
    "text": b'"wkfl"',
    "nothing": b"",
    "no id": b"{}",
    "an id that is a number": b'{"workflow_id": 7}',
    "not utf-8": b'{"workflow_id": "\xff"}',
    "two objects": b"{}{}",
    "NaN": b'{"workflow_id": NaN}',
}


@pytest.mark.parametrize("name", STRANGE)
def test_an_answer_that_is_no_workflow(project: Project, name: str) -> None:
    with listening(answering(lambda request: body(STRANGE[name]))) as api:
        bind(project, api.url)
        ran = project.ok("plan", code=1)
    assert ran.err.startswith("error: ")
    assert_inert(ran.err)


MORE: list[dict[str, Any]] = [
    {"threshold_type": "quantum"},
    {"improvement_action": "delete"},
    {"status": "exploded"},
    {"status": [[[["x"]]]]},
    {"custom_hallucination_threshold_values": {"completeness": 1e308}},
    {"custom_hallucination_threshold_values": {"completeness": {"at": 1}}},
    {"capabilities": "all", "files": "all"},
    {"max_improvement_attempts": -1},
    {"name": None, "description": [1]},
    {"name": {"prompt": "planted"}, "improvement_action": ["planted"], "status": {"planted": "planted"}},
]


@pytest.mark.parametrize("more", MORE, ids=str)
def test_values_that_nobody_knows(project: Project, more: dict[str, Any]) -> None:
    with listening(answering(lambda request: live(request, **more))) as api:
        bind(project, api.url)
        for command in (["plan"], ["plan", "--format", "json"], ["drift"], ["show", "w0"]):
            ran = project.run(*command)
            assert ran.code in (0, 2), ran
            assert "planted" not in ran.out + ran.err


@pytest.mark.slow
@pytest.mark.parametrize("more", MORE, ids=str)
def test_an_update_of_values_that_nobody_knows(project: Project, more: dict[str, Any]) -> None:
    with listening(answering(lambda request: live(request, **more))) as api:
        bind(project, api.url)
        assert project.run("apply", "--yes").code in (0, 1, 4)


# --- where the key goes ---


@pytest.mark.parametrize(
    "status", [307, *(pytest.param(n, marks=pytest.mark.slow) for n in (301, 302, 303, 308))]
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_a_redirect_is_never_followed(project: Project, method: str, status: int) -> None:
    with listening(answering(live)) as elsewhere:
        project.declare({"a": custom()})
        project.apply(code=0)
        project.declare({"a": custom(description="d"), "b": custom()})
        headers = {"location": f"{elsewhere.url}/defend/x"}
        project.server.fault("status", method, status=status, times=None, headers=headers)
        ran = project.run("apply", "--yes", "-v")
        assert ran.code in (1, 4, 7)
        assert elsewhere.connections == 0
        assert elsewhere.url not in ran.out + ran.err


def test_ipv6(project: Project) -> None:
    with listening(answering(live), socket.AF_INET6) as api:
        bind(project, api.url)
        assert project.plan().json["summary"]["update"] == 1
    assert api.received[0].startswith(b"GET /defend/")


# --- in the middle of it ---


@pytest.mark.slow
def test_resets_midway(project: Project) -> None:
    count = 0

    def talk(connection: socket.socket, listener: Listener) -> None:
        nonlocal count
        while request := listener.request(connection):
            count += 1
            if count % 3 == 0:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                connection.sendall(live(request)[:50])
                return
            connection.sendall(live(request))

    with listening(talk) as api:
        bind(project, api.url, 12)
        ran = run(project, "plan")
    assert ran.code == 0, ran.err
