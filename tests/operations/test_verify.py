"""verify over a real sandbox, in each generation; it only reads."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import GENERATIONS, custom

if TYPE_CHECKING:
    from tests.conftest import Project, World

MARK = "planted-marker"


def verified(project: Project, code: int) -> Any:
    project.server.forget_requests()
    found = project.json("verify", "a", code=code).json
    assert found["kind"] == "proof"
    assert {seen["method"] for seen in project.server.requests()} == {"GET"}
    project.ok("verify", "a", code=code)
    return found


def ready(world: World, generation: str = "2025-12-07") -> Project:
    project = world(generation=generation)
    project.pin(generation)
    project.declare({"a": custom(max_retries=3)})
    project.apply()
    return project


@pytest.mark.parametrize("generation", GENERATIONS)
def test_each_generation(world: World, generation: str) -> None:
    project = ready(world, generation)
    assert verified(project, 1)["answer"] == "not_yet"
    content = {"model_output": MARK, "model_input": {"user_prompt": MARK}, "nametag": MARK}
    project.server.give(project.bound("a"), content)
    lists = generation >= "2025-11-10"
    found = verified(project, 0 if lists else 1)
    if not lists:
        assert "lists no events" in found["why"]
        return
    retries = next(field for field in found["fields"] if field["path"] == "max_retries")
    assert retries["verdict"] == ("same" if generation == "2025-12-07" else "not_told")
    assert MARK not in project.ok("verify", "a").out


def test_what_was_served_before_proves_nothing(world: World) -> None:
    project = ready(world)
    project.server.give(project.bound("a"), {"created_at": "2020-01-01T00:00:00Z"})
    assert "not younger" in verified(project, 1)["why"]
    project.server.give(
        project.bound("a"),
        {"settings": {"max_improvement_attempts": 9, "metrics": {"x": 0.5}}},
    )
    found = verified(project, 2)
    differing = {field["path"]: field["served"] for field in found["fields"] if field["verdict"] == "differs"}
    assert differing == {"max_retries": 9, "metrics.completeness": None, "metrics.x": 0.5}
    assert "DIFFERS" in project.ok("verify", "a", code=2).out


def test_what_cannot_be_verified(world: World) -> None:
    project = ready(world)
    assert "not declared" in project.ok("verify", "b", code=1).err
    workflow_id = project.bound("a")
    project.declare({"a": custom(), "b": custom()})
    assert "not bound" in project.ok("verify", "b", code=1).err
    project.server.remove(workflow_id)
    assert "404" in project.ok("verify", "a", code=1).err


def test_a_canary_event_proves_what_is_served(world: World) -> None:
    """One event, submitted once; a colder eye than the newest one, which may be old."""
    project = world(delay=0.0)
    project.declare({"a": custom(max_retries=3)})
    project.apply()
    found = project.json("verify", "a", "--canary").json
    assert found["answer"] == "proven"
    [event] = project.server.events(project.bound("a"))
    assert event["event_id"] == found["event_id"]
    project.declare({"a": custom(metrics={"completeness": 0.6}, max_retries=3)})
    found = project.json("verify", "a", "--canary", code=2).json
    [other] = [field for field in found["fields"] if field["verdict"] == "differs"]
    assert (other["path"], other["served"]) == ("metrics.completeness", 0.8)


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        ({"kind": "lost-after"}, 1, "it is not sent again"),
        ({"kind": "status", "status": 422}, 1, "was not submitted"),
        ({"kind": "status", "status": 401}, 3, ""),
    ],
)
def test_a_canary_event_that_is_lost_or_refused(world: World, fault: Any, code: int, said: str) -> None:
    project = world(delay=0.0)
    project.declare({"a": custom()})
    project.apply()
    project.server.forget_requests()
    project.server.fault(method="POST", **fault)
    ran = project.ok("verify", "a", "--canary", code=code)
    assert said in ran.out + ran.err
    assert project.server.count("POST") == 1


def test_an_answer_of_another_workflow_proves_nothing(world: World) -> None:
    project = ready(world)
    project.server.fault("wrong-id", "GET", times=None)
    for command in (["verify", "a"], ["events", "submit", "a", "--input", "event.json"]):
        (project.root / "event.json").write_text(
            '{"model_output": "x", "model_used": "y", "user_prompt": "z"}'
        )
        project.server.forget_requests()
        assert "with another workflow_id" in project.ok(*command, code=1).err
        assert project.server.count("POST") == 0


def test_a_canary_event_that_is_gone_or_not_waited_for(world: World) -> None:
    project = world(delay=0.0)
    project.declare({"a": custom()})
    project.apply()
    project.server.fault("status", "GET", status=404, path="/events/", times=None)
    assert "404 for the event" in project.json("verify", "a", "--canary", code=1).json["why"]
    project.server.heal()
    project.server.fault("slow", "GET", path="/events/", seconds=30, times=None)
    project.server.forget_requests()
    process = project.spawn("verify", "a", "--canary")
    while not any("/events/" in seen["path"] for seen in project.server.requests("GET")[-1:]):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert f"{project.server.events(project.bound('a'))[-1]['event_id']} for a was submitted" in err
