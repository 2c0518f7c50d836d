"""A state begins knowingly, once, and pins its lineage where it begins: a lost one is never a first run."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from defendctl.editing.pin import with_lineage
from defendctl.yamltext.loader import loads
from tests.conftest import custom

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Project, World

LINEAGE = "7f3a9c12-0000-4000-8000-000000000000"
WRITING = (["apply", "--yes"], ["import", "a", "wkfl_1"], ["test", "--create-canary"])


@pytest.fixture
def fresh(project: Project) -> Project:
    """A project file without a lineage, one workflow, and no state."""
    project.settings()
    project.declare({"a": custom()})
    return project


@pytest.mark.parametrize("command", WRITING, ids=" ".join)
def test_nobody_said_that_a_state_begins(fresh: Project, command: list[str]) -> None:
    fresh.env["DEFENDCTL_APPLY_NEW_STATE"] = fresh.env["DEFENDCTL_NEW_STATE"] = "1"
    ran = fresh.run_alone(*command)
    assert ran.code == 6
    assert f"there is no state at {fresh.state_file}" in ran.err
    assert "add --new-state" in ran.err
    assert not fresh.state_file.exists()
    assert fresh.server.count("POST") == 0


def test_an_apply_with_nothing_to_do_begins_nothing(project: Project) -> None:
    project.settings()
    assert project.run_alone("apply", "--yes").code == 0
    assert not project.state_file.exists()


def test_whoever_begins_a_state_pins_its_lineage(fresh: Project) -> None:
    text = "# ours\nversion: 1   # the form\nstate:\n  path: defendctl.state.json\n"
    (fresh.root / "defendctl.yaml").write_text(text)
    fresh.run_alone("apply", "--yes", "--new-state")
    lineage = fresh.state["lineage"]
    assert (fresh.root / "defendctl.yaml").read_text() == text + f"  lineage: {lineage}\n"
    fresh.state_file.unlink()
    ran = fresh.run_alone("apply", "--yes", "--new-state")
    assert (ran.code, fresh.server.count("POST")) == (6, 1), "whatever is said, a pinned state is not begun"


def test_the_lineage_is_durable_before_it_is_pinned_and_both_before_the_first_post(fresh: Project) -> None:
    """The POST fails, and what stands on disk is an empty state with the lineage of the project file."""
    fresh.server.fault("status", "POST", status=422, times=None)
    fresh.run_alone("apply", "--yes", "--new-state")
    assert fresh.state["bindings"] == {}
    assert fresh.state["lineage"] in (fresh.root / "defendctl.yaml").read_text()


def test_no_pin_prints_the_line(fresh: Project) -> None:
    before = (fresh.root / "defendctl.yaml").read_bytes()
    ran = fresh.run_alone("apply", "--yes", "--new-state", "--no-pin")
    assert f"state: {{lineage: {fresh.state['lineage']}}}" in ran.err
    assert (fresh.root / "defendctl.yaml").read_bytes() == before


def test_a_project_file_that_cannot_be_written_is_a_warning(fresh: Project) -> None:
    (fresh.root / "defendctl.yaml").write_text(
        "version: 1\nx-a: &a {path: defendctl.state.json}\nstate: *a\n"
    )
    ran = fresh.run_alone("apply", "--yes", "--new-state")
    assert ran.code == 0
    assert f"lineage: {fresh.state['lineage']}" in ran.err


def test_without_a_project_file_there_is_nothing_to_pin(project: Project) -> None:
    project.declare({"a": custom()})
    assert project.run_alone("apply", "--yes", "--new-state").err == ""
    assert not (project.root / "defendctl.yaml").exists()


def test_the_sandbox_needs_none_of_this(fresh: Project) -> None:
    before = (fresh.root / "defendctl.yaml").read_bytes()
    assert fresh.run_alone("apply", "--sandbox", "--yes").code == 0
    assert (fresh.root / "defendctl.yaml").read_bytes() == before
    assert not fresh.state_file.exists()


def test_new_state_where_one_is_there(fresh: Project) -> None:
    fresh.apply()
    ran = fresh.run_alone("apply", "--yes", "--new-state")
    assert ran.code == 64
    assert "run it without" in ran.err


def test_new_state_over_an_empty_one_does_no_harm(fresh: Project) -> None:
    fresh.ok("init", "--new-state")
    lineage = fresh.state["lineage"]
    assert fresh.run_alone("apply", "--yes", "--new-state").code == 0
    assert fresh.state["lineage"] == lineage


@pytest.mark.parametrize("command", [*WRITING, ["init"]], ids=" ".join)
def test_a_copy_of_a_lost_state_is_named(project: Project, command: list[str]) -> None:
    """Without a project file nothing is pinned; the copies that this machine kept know all the same."""
    project.declare({"a": custom()})
    project.apply()
    serial = project.state["serial"]
    project.state_file.unlink()
    ran = project.run_alone(*command)
    assert ran.code == 6
    assert "it was lost" in ran.err
    assert f"restore serial {serial} from {project.root / '.defendctl' / 'backups'}" in ran.err
    assert not project.state_file.exists()
    assert project.run_alone("doctor").code == 6


def test_new_state_alone_overrides_a_copy(project: Project) -> None:
    project.declare({"a": custom()})
    project.apply()
    project.state_file.unlink()
    assert project.run_alone("apply", "--yes", "--new-state").code == 0
    assert project.server.count("POST") == 2


def test_a_state_that_git_had_is_not_begun_anew(project: Project) -> None:
    """Also on another machine, which has no copy."""
    project.declare({"a": custom()})
    project.apply()
    git(project, "init", "-q")
    git(project, "add", "defendctl.state.json")
    git(project, "commit", "-qm", "state")
    git(project, "rm", "-q", "defendctl.state.json")
    git(project, "commit", "-qm", "gone")
    for copy in copies(project):
        copy.unlink()
    ran = project.run_alone("apply", "--yes")
    assert ran.code == 6
    assert "git restore --source" in ran.err


def test_copies_of_the_sandbox_say_nothing_of_the_project(project: Project) -> None:
    project.declare({"a": custom()})
    project.ok("apply", "--sandbox", "--yes")
    for copy in copies(project):
        copy.rename(copy.parent.parent / copy.name)  # as older versions kept them
    assert "it was lost" not in project.run_alone("apply", "--yes").err


def test_another_state_in_the_same_project_is_not_the_one_that_was_lost(project: Project) -> None:
    project.declare({"a": custom()})
    project.apply()
    project.settings(state={"path": "other.json"})
    ran = project.run_alone("apply", "--yes")
    assert ran.code == 6
    assert "it was lost" not in ran.err


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("\n", 1)])
@pytest.mark.parametrize("options", [[], ["--yes"]], ids=["asked", "yes"])
def test_a_terminal_is_asked_once(fresh: Project, options: list[str], answer: str, code: int) -> None:
    main, terminal = pty.openpty()
    os.write(main, answer.encode())
    ran = subprocess.run(
        [sys.executable, "-m", "defendctl", "apply", *options],
        cwd=fresh.root,
        env={**os.environ, **fresh.env},
        stdin=terminal,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    os.close(main)
    os.close(terminal)
    assert ran.returncode == code, ran.stderr
    assert "There is no state at" in ran.stderr
    assert fresh.server.count("POST") == (code == 0)


def test_init_begins_the_state_of_an_environment(project: Project) -> None:
    project.settings(environments={"staging": {"api": {"base_url": project.server.url}}, "production": None})
    project.env["DEFENDCTL_ENV"] = "production"
    project.declare({"a": custom()})
    assert "wrote  defendctl.staging.state.json" in project.ok("init", "--env", "staging").out
    assert not (project.root / "defendctl.production.state.json").exists()
    state = json.loads((project.root / "defendctl.staging.state.json").read_text())
    said = loads((project.root / "defendctl.yaml").read_text(), "")[0][0].data
    assert said["environments"]["staging"]["state"] == {"lineage": state["lineage"]}
    assert said["environments"]["production"] is None
    del project.env["DEEP_RAILS_BASE_URL"]
    assert project.run_alone("apply", "--yes", "--env", "staging").code == 0
    assert project.run_alone("apply", "--yes", "--env", "production").code == 6


def test_init_takes_the_environment_from_the_command_line_alone(project: Project) -> None:
    project.settings(environments={"staging": None})
    project.env["DEFENDCTL_ENV"] = project.env["DEFENDCTL_INIT_ENV"] = "staging"
    project.ok("init")
    assert not (project.root / "defendctl.staging.state.json").exists()
    project.ok("init", "--env", "stagin", code=64)


def test_a_plan_without_a_state_says_so_first_in_every_format(fresh: Project) -> None:
    assert fresh.ok("plan").out.startswith("No state yet: ")
    assert fresh.plan().json["state"] == "none"
    assert "\n\nNo state yet: " in fresh.ok("plan", "--format", "markdown").out
    assert "No state yet: " in fresh.ok("plan", "--format", "github").out.splitlines()[0]
    fresh.apply()
    assert "No state yet" not in fresh.ok("plan").out
    assert "state" not in fresh.plan().json


@pytest.mark.parametrize("command", ["validate", "plan", "doctor"])
def test_a_state_without_a_pinned_lineage_goes_on_with_a_warning(fresh: Project, command: str) -> None:
    (fresh.root / "defendctl.yaml").unlink()
    fresh.apply()
    (fresh.root / "defendctl.yaml").write_text("version: 1\n")
    ran = fresh.ok(command)
    assert f"state: {{lineage: {fresh.state['lineage']}}}" in ran.out + ran.err
    assert "is not pinned, so a lost state" in fresh.apply().err
    (fresh.root / "defendctl.yaml").write_text(f"version: 1\nstate: {{lineage: {fresh.state['lineage']}}}\n")
    ran = fresh.ok(command)
    assert "is not pinned, so a lost state" not in ran.out + ran.err


def test_validate_goes_by_the_project_file_alone(fresh: Project) -> None:
    assert "the first apply writes it here" in fresh.ok("validate").out
    assert fresh.ok("validate", "--sandbox").out == "All manifests are valid.\n"


def test_a_project_that_was_tried_on_one_host_moves_to_another(fresh: Project, world: World) -> None:
    """By the steps that are printed, one after the other."""
    fresh.apply()
    lineage, there = fresh.state["lineage"], world()
    fresh.env["DEEP_RAILS_BASE_URL"] = there.server.url
    told = fresh.run_alone("plan")
    assert told.code == 6
    assert "say another `path` or `url` under `state:`" in told.err
    assert "take its `lineage` out, then `defendctl init --new-state`" in told.err
    fresh.settings(state={"path": "there.state.json", "lineage": lineage})
    told = fresh.run_alone("plan")
    assert told.code == 6
    assert "out of the project file, then `defendctl init --new-state`" in told.err
    fresh.settings(state={"path": "there.state.json"})
    assert fresh.run_alone("init", "--new-state").code == 0
    assert fresh.run_alone("apply", "--yes").code == 0
    assert there.server.count("POST") == 1


PROJECTS = {
    "nothing": "version: 1\n",
    "no-newline": "version: 1",
    "flow": "{version: 1}",
    "state-null": "version: 1\nstate: ~ # c\n",
    "state-empty": "version: 1\nstate:\nlint: {}\n",
    "state-block": "version: 1\nstate:\n  path: x.json   # why\n# end\nlint: {}\n",
    "state-flow": "version: 1\nstate: {path: x.json}\n",
    "lineage-empty": "version: 1\nstate:\n  lineage:\n  path: x.json\n",
    "crlf": "version: 1\r\nstate:\r\n  path: x\r\n",
    "comments-at-the-end": "# c\n\nversion: 1 # c2\nmanifests:\n  - a\n\n# last\n",
}


@pytest.mark.parametrize("text", PROJECTS.values(), ids=PROJECTS)
def test_a_lineage_finds_its_place_and_nothing_else_moves(text: str) -> None:
    after = with_lineage(text, None, LINEAGE)
    assert after
    before, said = loads(text, "")[0][0].data, loads(after, "")[0][0].data
    assert said.pop("state") == {**(before.pop("state", None) or {}), "lineage": LINEAGE}
    assert said == before
    assert all(line in after for line in text.split() if line not in ("~", "}", "{version:", "1}", "x.json}"))
    assert with_lineage(after, None, "other") is None, "another lineage stands there"


def copies(project: Project) -> list[Path]:
    return [path for path in (project.root / ".defendctl" / "backups").rglob("*.json") if path.is_file()]


def git(project: Project, *arguments: str) -> str:
    identity = ["-c", "user.name=n", "-c", "user.email=e@x.invalid"]
    ran = subprocess.run(
        ["git", *identity, *arguments], cwd=project.root, capture_output=True, text=True, check=True
    )
    return ran.stdout


def test_a_project_file_that_nobody_can_look_at_is_not_taken_for_none(project: Project) -> None:
    """It may say where the state is."""
    project.declare({"a": custom()})
    (project.root / "defendctl.yaml").symlink_to("defendctl.yaml")
    ran = project.run_alone("apply", "--yes", "--new-state")
    assert ran.code == 1
    assert "defendctl.yaml" in ran.err
    assert not project.server.workflows()
