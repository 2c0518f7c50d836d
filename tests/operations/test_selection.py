"""-l on every command that takes it, and what `outputs` prints for a dotenv file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from defendctl.policy.selector import selected
from defendctl.render.dotenv import assignments
from tests.conftest import custom

if TYPE_CHECKING:
    from tests.conftest import Project

LABELS = {"a": {"team": "support", "tier": "critical"}, "b": {"team": "sales"}, "c": {}}


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["team=support"], "a"),
        (["team==support"], "a"),
        (["team = support , tier"], "a"),
        (["team=support", "tier=critical"], "a"),
        (["team=support,team=sales"], ""),
        (["team"], "ab"),
        (["!team"], "c"),
        (["! team"], "c"),
        (["team!=support"], "bc"),
        (["team!=support,team"], "b"),
        (["team="], ""),
        (["example.com/owner"], ""),
    ],
)
def test_a_selector_means(given: list[str], meant: str) -> None:
    assert selected(given, LABELS, LABELS) == set(meant)


@pytest.mark.parametrize(
    "given", ["", ",", "team=", "=x", "!team=x", "a=b c", "a=b=c", "team in (a)", "a,,b"]
)
def test_what_is_no_selector_says_what_would_be(given: str) -> None:
    if given == "team=":
        assert selected([given], ["x"], {"x": {"team": ""}}) == {"x"}
        return
    with pytest.raises(ValueError, match="write `team=support`"):
        selected([given], LABELS, LABELS)


@pytest.fixture
def teams(project: Project) -> Project:
    project.declare(
        {"a": custom(labels={"team": "support"}), "b": custom(labels={"team": "sales"}), "c": custom()}
    )
    project.apply()
    return project


def test_all_others_are_outside_the_run(teams: Project) -> None:
    teams.declare({"a": custom(max_retries=3, labels={"team": "support"}), "b": custom(max_retries=3)})
    teams.server.forget_requests()
    made = teams.plan("-l", "team=support")
    assert made.actions() == {"a": "update"}, "neither b nor the retirement of c"
    assert made.json["options"] == {"target": [], "replace": [], "selector": ["team=support"]}
    assert teams.server.count("GET") == 1
    assert made.json["digest"] != teams.plan("--target", "a").json["digest"]
    teams.ok("plan", "-l", "team=support", "--out", "reviewed.json")
    teams.ok("apply", "reviewed.json", "-l", "team=support", code=64)
    teams.ok("apply", "--expect", made.json["digest"], "-l", "team=support,team", code=6)
    assert teams.json("apply", "reviewed.json").results() == {"a": "done"}
    assert teams.plan().actions() == {"b": "update", "c": "retire"}


def test_the_options_are_as_before_without_it(teams: Project) -> None:
    assert teams.plan().json["options"] == {"target": [], "replace": []}


def test_drift_outputs_and_state_list(teams: Project) -> None:
    for address in "ab":
        teams.server.edit(teams.bound(address), metrics={"completeness": 0.1})
    drifted = teams.json("drift", "-l", "team!=sales", code=2).json["workflows"]
    assert [each["address"] for each in drifted] == ["a"]
    assert list(teams.json("outputs", "-l", "team").json["outputs"]) == ["a", "b"]
    listed = teams.json("state", "list", "-l", "!team").json
    assert [each["address"] for each in listed["bindings"]] == ["c"]


def test_an_unresolved_create_is_named_where_it_is_meant(project: Project) -> None:
    project.declare({"a": custom(labels={"team": "support"}), "b": custom(labels={"team": "sales"})})
    project.server.fault("lost", "POST", times=1)
    project.apply("--parallelism", "1", code=7)
    assert "unknown outcome" in project.ok("outputs", "-l", "team=support").err
    assert "unknown outcome" not in project.ok("outputs", "-l", "team=sales").err
    assert "unknown outcome" not in project.ok("drift", "-l", "team=sales").err
    assert project.json("state", "list", "-l", "team=sales").json["unresolved"] == []


@pytest.mark.parametrize(
    "command", [("plan",), ("apply", "--yes"), ("drift",), ("outputs",), ("state", "list")]
)
def test_a_selector_without_a_workflow_is_a_typo(teams: Project, command: tuple[str, ...]) -> None:
    ran = teams.ok(*command, "-l", "team=suport", code=64)
    assert "selects no declared workflow. There are: team=sales, team=support" in ran.err
    assert "selects nothing: write" in teams.ok(*command, "-l", "team=a b", code=64).err


def test_what_does_not_go_together(teams: Project) -> None:
    assert "leave one of them out" in teams.ok("plan", "-l", "team", "--target", "a", code=64).err
    assert "-l selects" in teams.ok("plan", "-l", "team", "--replace", "c", code=64).err
    assert "names" in teams.ok("plan", "--target", "a", "--replace", "c", code=64).err
    teams.declare({"a": custom()})
    assert "None of them has labels" in teams.ok("plan", "-l", "team", code=64).err


def test_dotenv(teams: Project) -> None:
    ran = teams.ok("outputs", "--format", "dotenv", "-l", "team=sales")
    assert ran.out == f"DEFEND_WORKFLOW_B={teams.bound('b')}\n"
    assert assignments({"A": "x$y #z"}) == "A='x$y #z'\n"
    for strange in ("it's", "a\\b", "a\u202eb"):
        with pytest.raises(ValueError, match="cannot be written so"):
            assignments({"A": strange})


def test_an_id_that_no_dotenv_file_can_hold(project: Project) -> None:
    strange = project.server.add(
        workflow_id="it's", name="a", **{k: custom()[k] for k in ("type", "metrics")}
    )
    project.declare({"a": custom()})
    project.ok("import", "a", strange)
    assert "`--format json`" in project.ok("outputs", "--format", "dotenv", code=1).err
