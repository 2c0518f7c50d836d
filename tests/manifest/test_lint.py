"""What is allowed and seldom meant: where it is told, how grave it is, and that a page explains it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from defendctl.manifest.lint import LINTS
from defendctl.schema.models_project import Lint

if TYPE_CHECKING:
    from tests.conftest import Project

PAGE = Path(__file__).parents[2] / "docs" / "lint.md"

LINTED = """version: 1
workflows:
  zero:
    type: custom
    metrics: {completeness: 0, correctness: 0.5}
    improvement_action: fixit
  one:
    type: custom
    metrics:
      completeness: 1.0
    improvement_action: none
    max_retries: 3
  listed:
    type: automatic
    tolerance: low
    metrics: [completeness, correctness]
    improvement_action: regenerate
    max_improvement_attempts: 0
  levels:
    name: zero
    type: automatic
    metrics: {correctness: low}
    improvement_action: fixit
"""
TOLD = [
    ("threshold-zero", 5),
    ("threshold-one", 10),
    ("retries-without-action", 12),
    ("correctness-in-automatic", 16),
    ("retries-zero", 18),
    ("correctness-in-automatic", 22),
    ("same-name", 3),
]


@pytest.fixture
def linted(project: Project) -> Project:
    folder = project.root / "workflows"
    folder.mkdir(exist_ok=True)
    (folder / "a.yaml").write_text(LINTED)
    return project


def told(project: Project, *arguments: str, code: int = 0) -> dict[tuple[str, int], str]:
    found = project.json("validate", *arguments, code=code).json["diagnostics"]
    return {(each["code"], each["line"]): each["severity"] for each in found}


def test_each_is_told_where_it_stands(linted: Project) -> None:
    assert told(linted) == dict.fromkeys(TOLD, "warning")


def test_a_workflow_that_says_none_of_it(project: Project) -> None:
    quiet: dict[str, Any] = {"type": "custom", "metrics": {"completeness": 0.5}, "improvement_action": "none"}
    project.declare({"a": quiet, "b": {**quiet, "improvement_action": "fixit", "max_retries": 1}})
    assert told(project) == {}


def test_the_command_line_goes_before_the_project_file(linted: Project) -> None:
    linted.settings(lint={"same-name": "error", "threshold-zero": "ignore", "threshold-one": "error"})
    levels = told(linted, "-W", "threshold-one", "-E", "retries-zero", code=1)
    assert levels == {
        ("unpinned-state", 1): "warning",
        **dict.fromkeys(TOLD[1:], "warning"),
        ("same-name", 3): "error",
        ("retries-zero", 18): "error",
    }


def test_an_error_wins_over_a_warning_of_the_same_code(linted: Project) -> None:
    assert told(linted, "-E", "same-name", "-W", "same-name", code=1)["same-name", 3] == "error"


def test_a_code_that_there_is_not(linted: Project) -> None:
    assert 'Did you mean "same-name"?' in linted.ok("validate", "-E", "same-nam", code=64).err
    assert "There are: correctness-in-automatic" in linted.ok("validate", "-W", "unknown-key", code=64).err


def test_a_level_that_there_is_not(linted: Project) -> None:
    linted.settings(lint={"same-name": "off", "same-nam": "error"})
    ran = linted.ok("validate", code=1)
    assert "`lint.same-name` must be error, warning or ignore" in ran.out
    assert 'The key `same-nam` is not known here. Did you mean "same-name"?' in ran.out


def test_nothing_is_linted_that_is_wrong_anyway(project: Project) -> None:
    project.declare({"a": {"type": "custom", "metrics": {"completeness": 0}, "improvement_action": "fix"}})
    assert {code for code, _ in told(project, code=1)} == {"invalid-value"}


def test_plan_does_not_lint(linted: Project) -> None:
    assert linted.plan().json["diagnostics"] == []


def test_each_code_has_its_page_and_its_setting() -> None:
    assert tuple(re.findall(r"^## (\S+)$", PAGE.read_text(), re.M)) == LINTS
    assert tuple(field.alias for field in Lint.model_fields.values()) == LINTS
