"""A state that lies in the project, and that its file does not name, is not passed over."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from defendctl.state.document import from_text, to_text
from defendctl.state.records import adopted
from tests.conftest import Project, custom
from tests.state.given import begun

if TYPE_CHECKING:
    from tests.conftest import Json

ENV = ("--env", "production")


@pytest.fixture
def grown(project: Project) -> Project:
    """A project with one state, whose user then took the first steps towards environments."""
    project.declare({"a": custom(), "b": custom()})
    project.apply()
    project.settings(environments={"production": None})
    return project


def lines(project: Project) -> str:
    lineage = project.state["lineage"]
    return f"  production:\n    state: {{path: defendctl.state.json, lineage: {lineage}}}\n"


BEGINNING = [["init"], ["apply", "--yes"], ["import", "a", "wkfl_1"], ["test", "--create-canary"]]


@pytest.mark.parametrize("command", BEGINNING, ids=" ".join)
def test_a_state_that_nobody_claims_is_named_with_the_lines_to_write(
    grown: Project, command: list[str]
) -> None:
    before = (grown.root / "defendctl.yaml").read_text()
    ran = grown.run_alone(*command, *ENV)
    assert ran.code == 6
    assert "defendctl.state.json holds the state of 2 workflows" in ran.err
    assert lines(grown) in ran.err
    assert (grown.root / "defendctl.yaml").read_text() == before
    assert not (grown.root / "defendctl.production.state.json").exists()
    assert grown.server.count("POST") == 2


def test_the_lines_that_are_printed_make_it_the_state_of_the_environment(grown: Project) -> None:
    text = "version: 1\nenvironments:\n" + lines(grown)
    (grown.root / "defendctl.yaml").write_text(text)
    assert "left   defendctl.state.json" in grown.ok("init", *ENV).out
    assert grown.plan(*ENV).json["changes"] == []
    grown.declare({"a": custom(description="new"), "b": custom()})
    assert grown.apply(*ENV).results() == {"a": "done"}
    assert grown.state["environment"] == "production"
    assert grown.server.count("POST") == 2


@pytest.mark.parametrize("command", [["init"], ["apply", "--yes"]], ids=" ".join)
def test_new_state_alone_begins_another_beside_it(grown: Project, command: list[str]) -> None:
    assert grown.run_alone(*command, *ENV, "--new-state").code == 0
    assert (grown.root / "defendctl.production.state.json").exists()


@pytest.mark.parametrize("what", ["tombstone", "journal", "elsewhere"])
def test_whatever_it_knows_and_wherever_it_lies_counts(project: Project, what: str) -> None:
    if what == "elsewhere":
        project.settings(state={"path": "kept/guardrails.json"})
    project.declare({"a": custom()})
    project.apply()
    if what == "tombstone":
        project.declare({})
        project.ok("apply", "--yes", "--target", "a")
    if what == "journal":
        leave_in_the_journal(project)
    path = "kept/guardrails.json" if what == "elsewhere" else "defendctl.state.json"
    beside = {"path": "kept/production.json"} if what == "elsewhere" else {}
    project.settings(environments={"production": {"state": beside}})
    ran = project.run_alone("init", *ENV)
    assert ran.code == 6
    assert f"{path} holds the state of 1 workflow of" in ran.err


def forget_copies(project: Project) -> None:
    shutil.rmtree(project.root / ".defendctl")


def leave_in_the_journal(project: Project) -> None:
    """As a run that is killed: what it did stands in the journal alone."""
    bound = from_text(project.state_file.read_text())
    binding = bound.bindings.pop("a")
    project.state_file.write_text(to_text(bound))
    journal = begun(project.journal, "j", (bound.lineage or "", bound.serial, bound.writer, None))
    journal.append([adopted("a", binding)])


def test_one_that_another_environment_claims_is_no_reason(grown: Project) -> None:
    state = {"path": "defendctl.state.json"}
    grown.settings(environments={"production": {"state": state}, "staging": None})
    assert grown.run_alone("init", "--env", "staging").code == 0


def test_nor_is_a_copy_of_one_that_is_claimed(grown: Project) -> None:
    grown.settings(environments={"production": {"state": {"path": "defendctl.state.json"}}, "staging": None})
    copy = grown.root / "copy.json"
    copy.write_bytes(grown.state_file.read_bytes())
    assert grown.run_alone("init", "--env", "staging").code == 0


def test_nor_is_one_of_another_host_or_environment_or_one_that_is_empty(grown: Project) -> None:
    given: Json = grown.state
    changes: list[Json] = [{"api_host": "api.example.com"}, {"environment": "staging"}, {"bindings": {}}]
    for change in changes:
        grown.state_file.write_text(json.dumps(given | change))
        ran = grown.run_alone("init", *ENV)
        assert ran.code == 0, change
        (grown.root / "defendctl.production.state.json").unlink()
        grown.settings(environments={"production": None})
        forget_copies(grown)


def test_a_project_without_environments_is_told_too(project: Project) -> None:
    project.declare({"a": custom()})
    project.apply()
    project.settings(state={"path": "other.json"})
    for command in (["apply", "--yes"], ["init"]):
        ran = project.run_alone(*command)
        assert ran.code == 6
        assert f"state: {{path: defendctl.state.json, lineage: {project.state['lineage']}}}" in ran.err


def test_init_of_a_new_project_looks_too(project: Project) -> None:
    project.declare({"a": custom()})
    project.apply()
    project.state_file.rename(project.root / "guardrails.json")
    forget_copies(project)
    ran = project.run_alone("init")
    assert ran.code == 6
    assert "guardrails.json holds the state of 1 workflow" in ran.err


def test_doctor_names_it_before_and_after_another_was_begun(grown: Project) -> None:
    told = grown.ok("doctor", *ENV, code=6).out
    assert all(line in told for line in lines(grown).splitlines())
    grown.ok("init", *ENV, "--new-state")
    assert "the project file does not name it" in grown.ok("doctor", *ENV).out


def test_validate_says_where_the_state_goes(grown: Project) -> None:
    grown.settings(environments={"production": None}, state={"lineage": "7f3a"})
    told = grown.ok("validate", code=1).out
    assert "[conflicting-keys]" in told
    assert "into the environment whose workflows it holds, with `path: defendctl.state.json`" in told


def test_a_plan_warns_of_it(grown: Project) -> None:
    assert "defendctl.state.json holds the state of 2 workflows" in grown.ok("plan", *ENV).err


def test_a_plan_warns_of_it_as_long_as_the_new_one_is_empty(grown: Project) -> None:
    """Whoever applies then makes each workflow a second time; once that is done it is too late."""
    grown.ok("init", *ENV, "--new-state")
    warned = grown.plan(*ENV).json["diagnostics"]
    assert [one["code"] for one in warned] == ["unclaimed-state"]
    grown.apply(*ENV)
    assert grown.plan(*ENV).json["diagnostics"] == []
