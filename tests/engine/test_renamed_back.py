"""A rename that is taken back in git moves the binding back; nothing is made a second time."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from tests.conftest import custom

if TYPE_CHECKING:
    from tests.conftest import Project

WORKFLOW = custom(name="Bot")


def rename(project: Project, *names: str) -> None:
    """From one address to the next, each applied."""
    project.declare({names[0]: WORKFLOW})
    project.apply()
    for old, new in itertools.pairwise(names):
        project.declare({new: {**WORKFLOW, "renamed_from": old}})
        project.apply()


@pytest.mark.parametrize("names", [("a", "b"), ("a", "b", "c"), ("a", "b", "c", "d")], ids="".join)
def test_the_revert_moves_the_binding_back(project: Project, names: tuple[str, ...]) -> None:
    rename(project, *names)
    made = project.bound(names[-1])
    project.declare({"a": WORKFLOW})
    plan = project.plan().json
    assert plan["moves"] == [{"from": names[-1], "to": "a", "workflow_id": made}]
    assert plan["summary"]["create"] == plan["summary"]["retire"] == 0
    project.apply()
    assert project.bound("a") == made
    project.declare({names[-1]: WORKFLOW})
    project.apply()
    assert project.bound(names[-1]) == made, "and forth again, without a word in the manifest"
    assert project.server.count("POST") == 1


def test_the_newest_former_address_has_it(project: Project) -> None:
    rename(project, "a", "b", "c")
    made = project.bound("c")
    project.declare({"a": WORKFLOW, "b": custom()})
    project.apply()
    assert project.bound("b") == made
    assert project.bound("a") != made


def test_an_address_that_another_binding_took_is_no_former_one(project: Project) -> None:
    rename(project, "a", "b")
    made = project.bound("b")
    project.declare({"a": custom(name="other"), "b": WORKFLOW})
    project.apply()
    project.declare({"a": custom(name="other")})
    assert project.plan().actions() == {"b": "retire"}
    project.apply()
    assert project.bound("a") != made


def test_state_rm_forgets_them(project: Project) -> None:
    rename(project, "a", "b")
    project.ok("state", "rm", "b")
    assert "former" not in project.state
    project.declare({"a": WORKFLOW})
    assert project.plan().actions() == {"a": "create"}


def test_a_rename_and_a_retire_that_are_both_taken_back(project: Project) -> None:
    """Only a tombstone remembers it: it is bound again, and not made a second time."""
    rename(project, "a", "b")
    made = project.bound("b")
    project.declare({"other": custom()})
    project.apply()
    project.declare({"a": WORKFLOW, "other": custom()})
    assert project.plan().actions() == {"a": "adopt"}
    project.apply()
    assert project.bound("a") == made


def test_state_mv_is_remembered_too(project: Project) -> None:
    project.declare({"a": WORKFLOW})
    project.apply()
    project.ok("state", "mv", "a", "b")
    assert project.plan().json["moves"][0]["to"] == "a"


def test_with_f_a_former_address_is_left_to_the_file_that_is_not_read(project: Project) -> None:
    rename(project, "a", "b")
    (project.root / "apart").mkdir()
    project.declare({"a": custom(name="new")}, "apart/a.yaml")
    assert project.plan("-f", "apart/a.yaml").actions() == {"a": "create"}


def test_drift_and_show_go_by_it(project: Project) -> None:
    rename(project, "a", "b")
    project.declare({"a": WORKFLOW})
    project.server.edit(project.bound("b"), description="by hand")
    drifted = project.json("drift", code=2).json["workflows"]
    assert [each["address"] for each in drifted] == ["a"]
    assert project.json("show", "a").json["workflow_id"] == project.bound("b")


def test_a_probable_move_names_the_line_for_the_manifest_first(project: Project) -> None:
    """A pull request cannot run a command."""
    project.declare({"a": WORKFLOW})
    project.apply()
    project.declare({"b": WORKFLOW})
    told = next(d["message"] for d in project.plan().json["diagnostics"] if d["code"] == "probable-move")
    assert told.index("`renamed_from: a`") < told.index("`defendctl state mv a b`")
