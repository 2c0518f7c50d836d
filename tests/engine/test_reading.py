"""What goes wrong while reading, how long it may take, and which generation is found."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from defendctl.api.answer import NotSent, Unanswered
from defendctl.api.patience import BUDGET, TRIES
from defendctl.api.transport import Transport
from tests.conftest import GENERATIONS, automatic, custom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Project, World


@pytest.fixture
def bound(project: Project) -> Project:
    project.declare({"a": custom(), "b": custom()})
    project.apply()
    return project


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 503},
        {"kind": "status", "status": 408},
        {"kind": "status", "status": 425},
        {"kind": "status", "status": 429},
        {"kind": "status", "status": 429, "headers": {"retry-after": "1"}},
        {"kind": "lost"},
        {"kind": "truncated"},
        {"kind": "gzip"},
        {"kind": "oversized", "bytes": 9 << 20},
    ],
    ids=lambda fault: f"{fault['kind']}-{fault.get('status', '')}",
)
def test_a_get_is_tried_again(bound: Project, fault: dict[str, Any]) -> None:
    bound.server.fault(method="GET", times=2, **fault)
    bound.assert_settled()


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"kind": "status", "status": 401}, 3),
        ({"kind": "status", "status": 403}, 3),
        ({"kind": "status", "status": 302, "headers": {"location": "/elsewhere"}}, 1),
        ({"kind": "status", "status": 418}, 1),
        ({"kind": "status", "status": 204}, 1),
        ({"kind": "not-json"}, 1),
        ({"kind": "no-id"}, 1),
        ({"kind": "body", "body": "[]"}, 1),
        ({"kind": "body", "body": ""}, 1),
        ({"kind": "body", "body": "[" * 100_000}, 1),
        ({"kind": "body", "body": '{"workflow_id": 7}'}, 1),
    ],
    ids=lambda value: str(value)[:50],
)
@pytest.mark.parametrize(
    "command",
    ["plan", pytest.param("drift", marks=pytest.mark.slow), pytest.param("show", marks=pytest.mark.slow)],
)
def test_a_get_that_fails(bound: Project, fault: dict[str, Any], code: int, command: str) -> None:
    bound.server.fault(method="GET", times=None, **fault)
    before = bound.state_bytes()
    bound.server.forget_requests()
    ran = bound.ok(command, *(["a"] if command == "show" else []), code=code)
    assert ran.out == ""
    assert ran.err.startswith("error: ")
    assert bound.state_bytes() == before
    assert all("elsewhere" not in request["path"] for request in bound.server.requests())


def test_a_failing_read_stops_apply_before_anything_is_done(bound: Project) -> None:
    bound.declare({"a": custom(name="A"), "c": custom()})
    bound.server.fault("status", "GET", path=bound.bound("a"), times=None)
    before = bound.state_bytes()
    bound.ok("apply", "--yes", code=1)
    assert bound.state_bytes() == before
    assert bound.server.count("POST") == 2
    assert bound.server.count("PUT") == 0


def test_every_failing_read_is_told(bound: Project) -> None:
    bound.server.fault("status", "GET", status=418, times=None)
    ran = bound.ok("plan", code=1)
    assert "a: " in ran.err
    assert "b: " in ran.err


@pytest.mark.parametrize(
    "answer",
    [
        {"status": None, "threshold_type": None, "capabilities": None, "files": None},
        {
            "status": ["x"],
            "capabilities": [None, 3, {"x": 1}, "web_search"],
            "files": [None, {}, {"file_id": 3}],
        },
        {"threshold_type": {"a": 1}, "custom_hallucination_threshold_values": [1], "improvement_action": {}},
        {"threshold_type": "hybrid", "custom_hallucination_threshold_values": {"completeness": {"x": []}}},
        {"max_improvement_attempts": 1e300, "improvement_action": True, "name": None, "created_at": 7},
        {"name": "\ud800", "description": "\x1b]52;c;\x07::error::x\u202e", "status": "\x1b[31mred"},
        {"metrics": {"completeness": 1}, "type": "automatic", "automatic_tolerance": ["low"]},
        {"events": [{"model_output": "planted"}], "extra": "planted", "updated_at": "planted"},
    ],
)
def test_answers_with_strange_contents(bound: Project, answer: dict[str, Any]) -> None:
    workflow_id = bound.bound("a")
    body = json.dumps({"workflow_id": workflow_id, **answer})
    bound.server.fault("body", "GET", path=workflow_id, times=None, body=body)
    for command in (["plan"], ["plan", "--format", "json"], ["drift"], ["show", "a"], ["show", "a", "-v"]):
        ran = bound.run(*command)
        assert ran.code in (0, 1, 2), ran
        assert "planted" not in ran.out + ran.err
        assert "\x1b" not in ran.out + ran.err
        assert "\u202e" not in ran.out + ran.err
        assert not any(line.startswith("::") for line in (ran.out + ran.err).splitlines())


def test_an_answer_about_another_workflow(bound: Project) -> None:
    bound.server.fault("wrong-id", "GET", path=bound.bound("a"))
    assert "other-id" in bound.ok("plan").err
    body = json.dumps({"workflow_id": bound.bound("b"), "name": "a"})
    bound.server.fault("body", "GET", path=bound.bound("a"), body=body)
    bound.ok("plan", code=1)


# --- time ---


def test_a_slow_answer_is_cut(bound: Project) -> None:
    bound.server.fault("slow", "GET", times=None, seconds=30)
    bound.server.forget_requests()
    ran = bound.ok("plan", "--timeout", "0.5", code=1)
    assert "0.5 s" in ran.err
    assert bound.server.count("GET") <= 2 * TRIES


def test_slow_bytes_are_cut(bound: Project) -> None:
    bound.server.fault("drip", "GET", times=None, seconds=0.2)
    bound.server.forget_requests()
    bound.ok("plan", "--timeout", "0.5", code=1)
    assert bound.server.count("GET") <= 2 * TRIES


def test_an_endless_answer_is_cut(bound: Project) -> None:
    bound.server.fault("oversized", "GET", times=None, bytes=1 << 34)
    bound.ok("plan", code=1)


def test_a_dead_server_with_fifty_bindings(project: Project, pauses: list[float], unused_port: int) -> None:
    _fifty(project)
    _move_to(project, unused_port)
    ran = project.ok("plan", code=1)
    assert len(pauses) <= 2 * BUDGET
    assert "more" in ran.err


def test_a_server_that_only_fails(project: Project) -> None:
    _fifty(project)
    project.server.fault("status", "GET", times=None)
    project.server.forget_requests()
    project.ok("plan", code=1)
    assert project.server.count("GET") <= 50 + 20


@pytest.mark.slow
@pytest.mark.parametrize("parallelism", ["1", "3", "10"])
def test_a_silent_server_with_fifty_bindings(project: Project, silent_port: int, parallelism: str) -> None:
    """It takes connections and never says a word: what is not tried needs no time."""
    _fifty(project)
    _move_to(project, silent_port)
    ran = project.ok("plan", "--parallelism", parallelism, code=1)
    assert "not tried, because the API does not answer" in ran.err


def test_a_deadline_that_passes_before_there_is_a_connection(silent_port: int) -> None:
    """It holds for what comes after: the request must not wait for ever."""
    transport = Transport(f"http://127.0.0.1:{silent_port}", "key")
    for _ in range(20):
        with pytest.raises((Unanswered, NotSent)):
            transport.send("POST", "/", seconds=0, before_send=lambda: None)
    transport.close()


# --- generations ---


@pytest.mark.parametrize("generation", GENERATIONS)
def test_auto_finds_the_generation(world: World, generation: str) -> None:
    project = world(generation=generation)
    made = project.server.add(name="a", metrics={"completeness": 0.8}, improvement_action="fixit")
    project.declare({"a": custom(), "b": custom()})
    project.ok("import", "a", made)
    expected = "2025-12-07" if generation == "2025-11-10" else generation
    assert project.plan().json["generation"] == expected
    assert project.state["generation"] == expected
    if generation != expected:  # nothing in a read tells it from the newest, so it must be pinned
        assert "context_awareness" in project.apply(code=1).result("b")["error"]
        return
    assert project.apply().results() == {"b": "done"}
    # With nothing read, the one that is remembered.
    project.declare({"a": custom(), "b": custom(), "c": custom()})
    assert project.plan("--target", "c").json["generation"] == expected


def test_auto_without_any_evidence_is_the_newest(project: Project) -> None:
    project.declare({"a": custom()})
    assert project.plan().json["generation"] == "2025-12-07"


def test_pinned_is_what_is_written(world: World) -> None:
    """A server that takes the oldest creates and answers the newest reads."""
    project = world(generation="2025-10-07", answers="2025-12-07")
    project.pin("2025-10-07")
    project.declare({"a": custom(), "b": automatic()})
    project.apply()
    project.assert_settled()
    project.server.edit(project.bound("a"), metrics={"completeness": 0.1})
    assert project.plan("--detailed-exitcode", code=2).actions() == {"a": "blocked"}


def test_answers_of_several_generations_bring_a_warning(world: World) -> None:
    project = world()
    project.declare({"a": custom(), "b": custom()})
    project.apply()
    old = {"workflow_id": project.bound("a"), "name": "a", "max_retries": 10}
    project.server.fault("body", "GET", path=project.bound("a"), times=None, body=json.dumps(old))
    plan = project.plan()
    assert plan.json["generation"] == "2025-12-07"
    assert [d["code"] for d in plan.json["diagnostics"]] == ["generations-differ"]
    project.pin("2025-12-07")
    assert project.plan().json["diagnostics"] == []


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A loopback port that takes connections and never answers."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(200)
    kept: list[socket.socket] = []

    def accept() -> None:
        with suppress(OSError):
            while True:
                kept.append(listener.accept()[0])

    threading.Thread(target=accept, daemon=True).start()
    yield int(listener.getsockname()[1])
    listener.close()
    for sock in kept:
        sock.close()


def _fifty(project: Project) -> None:
    project.declare({f"w{n:02}": custom() for n in range(50)})
    project.apply()


def _move_to(project: Project, port: int) -> None:
    """As if that server stood where the API was."""
    from defendctl.state.document import from_text, to_text

    state = from_text(project.state_file.read_text())
    state.api_host = f"127.0.0.1:{port}"
    project.state_file.write_text(to_text(state))
    project.env["DEEP_RAILS_BASE_URL"] = f"http://127.0.0.1:{port}"


def test_a_retire_does_not_lift_the_guard_against_a_wrong_key(project: Project) -> None:
    """Nothing was read but what answers 404, and the rest would be retired unread."""
    project.declare({"a": custom(), "b": custom()})
    project.apply()
    project.server.fault("status", "GET", status=404, times=None)
    project.declare({"a": custom()})
    before = project.state_bytes()
    for command in (["plan"], ["apply", "--yes"]):
        assert "is this the right key" in project.ok(*command, code=1).err
    assert project.state_bytes() == before


def test_one_of_several_that_is_gone_is_blocked_alone(project: Project) -> None:
    project.declare({"a": custom(), "b": custom()})
    project.apply()
    project.server.remove(project.bound("a"))
    assert project.plan("--target", "a", code=1).actions() == {"a": "blocked"}
    assert project.plan(code=1).actions() == {"a": "blocked"}
