"""doctor: everything in one run, one line of advice each, and nothing but GET."""

from __future__ import annotations

import json
import os
import socket
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import KEY, Project, custom

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import World


def found(project: Project, code: int) -> dict[str, dict[str, Any]]:
    """Topic → its last check. Whatever it found, it sent nothing but GET and wrote nothing."""
    before = project.files()
    told = project.json("doctor", code=code).json
    assert project.files() == before
    assert told["healthy"] == (code == 0)
    for check in told["checks"]:
        assert (check["advice"] is None) == (check["verdict"] == "ok"), check
        assert "\n" not in check["message"] + (check["advice"] or "")
    return {check["topic"]: check for check in told["checks"]}


@pytest.fixture
def applied(project: Project) -> Project:
    project.ok("init")
    project.declare({"bot": custom(), "other": custom(name="bot")}, "workflows/support-bot.yaml")
    project.apply()
    project.server.forget_requests()
    return project


def test_all_is_well(applied: Project) -> None:
    checks = found(applied, 0)
    assert {check["verdict"] for check in checks.values()} == {"ok"}
    methods = [each["method"] for each in applied.server.requests()]
    assert methods == ["GET"] * 4
    told = applied.json("doctor").json
    assert told["server"]["evidence"] == ["2025-12-07"]
    assert told["server"]["unreadable"] == ["max_retries"]
    assert told["server"]["unknown"] == []
    settled = {q["id"]: q["answer"] for q in told["questions"] if q["settled"]}
    assert settled["attempts-readable"].startswith("No")
    assert settled["limit-zero"] == "Yes, and no event is listed."
    assert settled["error-form"] == "A 404 holds an object with `detail`, a text."
    assert settled["unique-names"].startswith("No")
    text = applied.ok("doctor").out
    assert text.endswith("All is well.\n")
    assert "only a write could show it" in text
    assert KEY not in text


def test_events_settle_more_and_say_nothing(applied: Project) -> None:
    planted = "planted-prompt"
    applied.server.give(
        applied.bound("bot"),
        {"model_output": planted, "scores": {"completeness": {"score": 0.4, "rationale": planted}}},
    )
    ran = applied.json("doctor")
    settled = {q["id"] for q in ran.json["questions"] if q["settled"]}
    assert "updated-at-moves" in settled
    assert planted not in ran.out + ran.err


@pytest.mark.parametrize("generation", ["2025-10-07", "2025-10-22", "2025-11-10"])
def test_each_generation_is_told(world: World, generation: str) -> None:
    project = world(generation=generation)
    project.pin(generation)
    project.declare({"bot": custom()})
    project.apply()
    told = project.json("doctor").json["server"]
    assert told["generation"] == generation
    assert ("max_retries" in told["readable"]) == (generation < "2025-11-10")
    assert told["updatable"] == ["name", "description"]


def test_nothing_is_bound(project: Project) -> None:
    project.declare({"bot": custom()})
    checks = found(project, 0)
    assert checks["API"]["message"] == "nothing is bound, so nothing could be read"
    assert checks["key"]["verdict"] == "ok", "a read of what cannot exist tells that the key is taken"


def test_an_empty_folder(project: Project) -> None:
    (project.root / "workflows").rmdir()
    assert found(project, 1)["project"]["advice"] == "run `defendctl init`"


def damaged_state(project: Project) -> None:
    project.state_file.write_text("{")


def other_host(project: Project) -> None:
    from defendctl.state.document import from_text, to_text

    state = from_text(project.state_file.read_text())
    state.api_host = "elsewhere.example"
    project.state_file.write_text(to_text(state))


def rolled_back(project: Project) -> None:
    older = project.state_file.read_bytes()
    project.declare({"third": custom()}, "workflows/third.yaml")
    project.apply()
    project.state_file.write_bytes(older)


def unresolved(project: Project) -> None:
    project.declare({"lost": custom()}, "workflows/lost.yaml")
    project.server.fault("lost-after", "POST")
    project.apply(code=7)
    project.server.heal()


def held(project: Project) -> None:
    """By this process, until it ends."""
    from filelock import FileLock

    lock = FileLock(project.root / ".defendctl" / "defendctl.state.json.lock", thread_local=False)
    lock.acquire()
    HELD.append(lock)
    locked(project)


HELD: list[object] = []


def locked(project: Project, **changed: object) -> None:
    owner = {"id": "abc", "host": socket.gethostname(), "pid": os.getpid(), "user": "u", "started": "then"}
    record = project.root / ".defendctl" / "defendctl.state.json.lock.json"
    record.write_text(json.dumps({**owner, **changed}))


def gone(project: Project) -> None:
    project.server.remove(project.bound("bot"))


def old_schema(project: Project) -> None:
    (project.root / "schemas" / "manifest.schema.json").write_bytes(b"\xff")


def wrong_manifest(project: Project) -> None:
    project.declare({"bad": {"type": "custom"}}, "workflows/bad.yaml")


def wrong_project(project: Project) -> None:
    project.settings(manifest=["workflows"])


@pytest.mark.parametrize(
    ("spoil", "topic", "code"),
    [
        (damaged_state, "state", 6),
        (other_host, "host", 6),
        (rolled_back, "backups", 6),
        (unresolved, "unresolved", 7),
        (held, "lock", 6),
        (gone, "workflow", 1),
        (old_schema, "schema", 1),
        (wrong_manifest, "manifests", 1),
        (wrong_project, "project", 1),
    ],
)
def test_a_problem(applied: Project, spoil: Callable[[Project], None], topic: str, code: int) -> None:
    spoil(applied)
    applied.server.forget_requests()
    assert found(applied, code)[topic]["verdict"] == "problem"
    assert {each["method"] for each in applied.server.requests()} <= {"GET"}


def test_the_key_is_refused(world: World) -> None:
    project = world(api_key="another")
    project.declare({"bot": custom()})
    checks = found(project, 3)
    assert checks["key"]["code"] == 3
    assert KEY not in str(checks)


def test_everything_at_once_and_without_a_network(applied: Project) -> None:
    """The worst code wins, and all of it is told."""
    unresolved(applied)
    old_schema(applied)
    wrong_manifest(applied)
    applied.env |= {"DEEPRAILS_API_KEY": "", "DEEP_RAILS_BASE_URL": "http://api.example"}
    checks = found(applied, 7)
    wrong = {topic for topic, check in checks.items() if check["verdict"] == "problem"}
    assert wrong == {"unresolved", "schema", "manifests", "key", "base URL"}
    assert checks["API"]["message"] == "it was not asked"


def test_no_network(applied: Project, unused_port: int) -> None:
    applied.env |= {"DEEP_RAILS_BASE_URL": f"http://127.0.0.1:{unused_port}", "DEEPRAILS_BASE_URL": ""}
    other_host(applied)
    assert found(applied, 6)["host"]["verdict"] == "problem"


def test_notes_are_no_problems(applied: Project) -> None:
    locked(applied, pid=2**22 + 1)
    applied.server.edit(applied.bound("other"), status="inactive")
    (applied.root / "defendctl.state.json.0123.recovery").write_text("wkfl_1")
    checks = found(applied, 0)
    assert "ended without releasing" in checks["lock"]["message"]
    assert "inactive" in checks["workflow"]["message"]
    assert checks["recovery"]["verdict"] == "note"
    locked(applied, host="elsewhere")
    assert "state unlock abc" in found(applied, 0)["lock"]["advice"]


def test_what_a_server_calls_itself_is_inert(applied: Project) -> None:
    """Names of keys and statuses come from outside."""
    applied.server.edit(applied.bound("bot"), name="\x1b[31m::error::x", status="\x1b[2J")
    ran = applied.ok("doctor")
    assert all(line.isprintable() for line in ran.out.split("\n"))
