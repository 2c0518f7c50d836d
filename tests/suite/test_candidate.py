"""test --candidate over a real sandbox: one canary, made when asked for, and what its events prove."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from defendctl.event import Event
from defendctl.model import CANARY, Workflow
from defendctl.suite.candidate import as_canary, unlike
from tests.suite.test_suite import EXAMPLE, scripts

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Project, World


@pytest.fixture
def example(world: World) -> Any:
    def make(changes: Any = None, **options: Any) -> Project:
        project = world(scores=scripts(**(changes or {})), delay=0.0, **options)
        shutil.copytree(EXAMPLE, project.root, dirs_exist_ok=True)
        project.apply()
        return project

    return make


def manifest(project: Project) -> Path:
    return next((project.root / "workflows").glob("*.yaml"))


def loosen(project: Project, to: str = "0.05") -> None:
    """Every threshold goes down, in the manifest alone."""
    file = manifest(project)
    file.write_text(re.sub(r"(correctness|completeness): 0\.\d+", rf"\1: {to}", file.read_text()))


def live_but_the_canary(project: Project) -> list[Any]:
    return [each for each in project.server.workflows() if "canary" not in each["name"]]


def test_without_a_canary_it_says_how_to_make_one(example: Any) -> None:
    project = example()
    project.server.forget_requests()
    ran = project.ok("test", "--candidate", code=1)
    assert "defendctl test --create-canary" in ran.err
    assert project.server.count("POST") == project.server.count("PUT") == 0


def test_it_is_made_once_and_no_plan_knows_it(example: Any) -> None:
    project = example()
    ran = project.ok("test", "--create-canary", "--format", "json")
    [result] = ran.json["results"]
    assert (result["address"], result["outcome"]) == (CANARY, "done")
    assert "there is a canary already" in project.ok("test", "--create-canary", code=1).err
    assert len(project.server.workflows()) == len(live_but_the_canary(project)) + 1
    project.assert_settled()
    assert CANARY not in project.json("outputs").json["outputs"]
    listed = project.json("state", "list").json
    assert listed["canary"] == result["workflow_id"]
    assert CANARY not in [each["address"] for each in listed["bindings"]]
    assert f"{CANARY}  {result['workflow_id']}  for candidates" in project.ok("state", "list").out
    assert project.json("drift").json["drifted"] is False
    assert "already" in project.ok("import", "refunds", result["workflow_id"], code=1).err
    project.ok("state", "mv", CANARY, "somewhere", code=1)


def test_an_unknown_create_of_it_is_settled_as_any_other(example: Any) -> None:
    project = example()
    project.server.fault("lost-after", "POST")
    ran = project.ok("test", "--create-canary", code=7)
    assert f'defendctl state resolve "{CANARY}" --id WORKFLOW_ID' in ran.err
    assert f'state resolve "{CANARY}"' in project.ok("test", "--create-canary", code=7).err
    assert f'state resolve "{CANARY}"' in project.ok("test", "--candidate", code=7).err
    project.assert_settled()
    [made] = [each for each in project.server.workflows() if "canary" in each["name"]]
    project.ok("state", "resolve", CANARY, "--id", made["workflow_id"])
    project.ok("test", "--candidate")


def test_it_shows_what_new_thresholds_do_before_anything_live_changes(example: Any) -> None:
    project = example()
    project.ok("test", "--create-canary")
    assert project.json("test", "--candidate").json["summary"]["passed"] == 3
    loosen(project)
    before = live_but_the_canary(project)
    ran = project.ok("test", "--candidate", "--format", "json", code=2)
    assert ran.json["candidate"] is True
    assert ran.json["summary"]["failed"] >= 1
    assert live_but_the_canary(project) == before
    assert project.json("test").json["summary"]["passed"] == 3
    assert "on the canary of" in project.ok("test", "--candidate", code=2).out


def test_a_canary_that_does_not_take_the_candidate_judges_nothing(example: Any) -> None:
    project = example()
    project.ok("test", "--create-canary")
    loosen(project)
    canary = project.json("state", "list").json["canary"]
    project.server.fault("ignore", "PUT", times=None)
    ran = project.ok("test", "--candidate", "--format", "json", code=1)
    assert ran.json["summary"]["not_judged"] == 3
    assert "the canary could not be changed" in ran.json["cases"][0]["why"]
    assert not project.server.events(canary)


def test_a_generation_without_updates_says_that_it_cannot(world: World) -> None:
    project = world(generation="2025-11-10")
    shutil.copytree(EXAMPLE, project.root, dirs_exist_ok=True)
    file = project.root / "defendctl.yaml"
    file.write_text(file.read_text() + "api: {generation: 2025-11-10}\n")
    ran = project.ok("test", "--create-canary", code=5)
    assert "generation 2025-11-10 of the API cannot change a workflow's guardrail" in ran.err
    assert project.server.count("POST") == 0


def test_a_key_that_is_refused_ends_it(example: Any) -> None:
    project = example()
    project.ok("test", "--create-canary")
    project.server.fault("status", "PUT", status=401)
    ran = project.ok("test", "--candidate", "--format", "json", code=3)
    assert ran.json["stopped"] == "key"


WANTED = as_canary(Workflow("w", "custom", {"completeness": 0.6}, "fixit"), "prod")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"metrics": {"completeness": 0.6}, "improvement_action": "fixit"}, None),
        ({"metrics": {"completeness": 0.8}}, "metrics.completeness is 0.8, not 0.6"),
        ({"metrics": {"completeness": 0.6, "correctness": 0.1}}, "metrics.correctness is 0.1, not None"),
        ({"improvement_action": "none"}, "improvement_action is none, not fixit"),
        ({}, "does not record"),
    ],
)
def test_what_an_event_tells_of_its_judge(settings: Any, said: str | None) -> None:
    event = Event(event_id="e", status="completed", settings=settings)
    why = unlike(WANTED, event)
    assert said in why if said and why else why is None


def test_the_console_tells_what_it_is() -> None:
    assert WANTED.name == "defendctl canary (prod)"
