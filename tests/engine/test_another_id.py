"""`wkfl_…` asked and `defend_…` answered, as in the vendor's own sample of a read."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from defendctl.plan.identity import another_id, import_command
from tests.conftest import KEY, custom

if TYPE_CHECKING:
    from tests.conftest import Project

ASKED, ANSWERED = "wkfl_xxxxxxxxxxxx", "defend_abc123"
SAID = f"the API answers for {ASKED} with another workflow_id, {ANSWERED}"
IMPORT = f"`defendctl import a {ANSWERED}`"
EVENT = {"model_output": "x", "model_used": "y", "user_prompt": "z"}


@pytest.fixture
def sample(project: Project) -> Project:
    """A server that knows one workflow under both ids, and answers with the second."""
    made = project.server.add(name="a", type="custom", metrics={"completeness": 0.5})
    answers(project, made, {ASKED: ANSWERED, ANSWERED: ANSWERED})
    project.declare({"a": custom(metrics={"completeness": 0.5})})
    (project.root / "event.json").write_text(json.dumps(EVENT))
    return project


def answers(project: Project, made: str, ids: dict[str, str]) -> None:
    """What a read of each id holds: the workflow that was made, under another one."""
    project.server.heal()
    url = f"{project.server.url}/defend/{made}"
    told = httpx.get(url, headers={"Authorization": f"Bearer {KEY}"}, trust_env=False).json()
    for asked, answered in ids.items():
        body = json.dumps({**told, "workflow_id": answered})
        project.server.fault("body", "GET", path=f"/defend/{asked}$", body=body, times=None)


def bound_to_the_first(project: Project) -> None:
    """As it was before the API answered with the other one."""
    [made] = [each["workflow_id"] for each in project.server.workflows()]
    answers(project, made, {ASKED: ASKED})
    project.ok("import", "a", ASKED)
    answers(project, made, {ASKED: ANSWERED, ANSWERED: ANSWERED})


def test_import_names_the_command_that_takes_it(sample: Project) -> None:
    err = sample.ok("import", "a", ASKED, code=1).err
    assert SAID in err
    assert IMPORT in err
    command = err[err.index("`") + 1 :].partition("`")[0]
    sample.ok(*shlex.split(command)[1:])
    assert sample.bound("a") == ANSWERED


def test_a_list_names_it_at_its_line(sample: Project) -> None:
    (sample.root / "ids.csv").write_text(f"address,workflow_id\na,{ASKED}\n")
    err = sample.ok("import", "--from", "ids.csv", code=1).err
    assert "ids.csv:2:" in err
    assert f"another workflow_id, {ANSWERED}; if that is the one, name it in this line. [other-id]" in err


def test_a_manifest_that_imports_it(sample: Project) -> None:
    imported = {"import": {"workflow_id": ASKED}}
    sample.declare({"a": custom(metrics={"completeness": 0.5}, **imported)})
    assert f"{SAID}; put the id" in sample.plan(code=1).change("a")["reason"]


@pytest.mark.parametrize(
    "command", [["verify", "a"], ["events", "submit", "a", "--input", "event.json"]], ids=["verify", "submit"]
)
def test_what_is_bound_is_forgotten_first(sample: Project, command: list[str]) -> None:
    bound_to_the_first(sample)
    sample.server.forget_requests()
    err = sample.ok(*command, code=1).err
    assert f"a: {SAID}" in err
    assert f"`defendctl state rm a`, then {IMPORT}" in err
    assert sample.server.count("POST") == 0
    sample.ok("state", "rm", "a")
    sample.ok("import", "a", ANSWERED)


def test_plan_drift_and_show_warn_and_go_on(sample: Project) -> None:
    bound_to_the_first(sample)
    [warning] = sample.plan().json["diagnostics"]
    assert (warning["code"], warning["message"]) == ("other-id", f"a: {SAID}")
    for command in (["drift"], ["show", "a"]):
        assert f"a: {SAID}" in sample.ok(*command).err
    out = sample.ok("doctor").out
    assert f"a: {SAID}" in out
    assert IMPORT in out


def test_an_unknown_create_is_resolved_by_it(project: Project) -> None:
    project.declare({"a": custom()})
    project.server.fault("lost-after", "POST")
    project.apply(code=7)
    [made] = project.server.workflows()
    answers(project, made["workflow_id"], {made["workflow_id"]: ANSWERED})
    err = project.ok("state", "resolve", "a", "--id", made["workflow_id"], code=1).err
    assert f"another workflow_id, {ANSWERED}" in err
    assert f"`defendctl state resolve a --id {ANSWERED}`" in err


@pytest.mark.parametrize("answered", ["", "two words", "..", "\x1b[2J", "x" * 257])
def test_what_can_be_no_id_is_not_named(answered: Any) -> None:
    assert another_id(ASKED, answered) == f"the API answers for {ASKED} with another workflow_id"
    assert import_command("a", answered) is None


def test_an_id_is_quoted_for_a_shell() -> None:
    assert "import a 'x;rm$y'`" in str(import_command("a", "x;rm$y"))
    assert import_command("@canary", ANSWERED) is None
