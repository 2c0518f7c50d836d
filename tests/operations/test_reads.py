"""A command reads each file once, but where it writes it, or means it in two environments."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from defendctl.yamltext import source
from tests.conftest import Project, custom

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = "defendctl.yaml"
BOT, OTHER, OVERLAY, POLICY = (
    "workflows/bot.yaml",
    "workflows/other.yaml",
    "over/one.yaml",
    "policy/rules.yaml",
)
ALL = {PROJECT: 1, BOT: 1, OTHER: 1, OVERLAY: 1, POLICY: 1}


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """File → how often it was read from the disk, for whatever it was read."""
    found: Counter[str] = Counter()
    on_disk = source._on_disk

    def counted(path: Path, shown: str) -> bytes:
        found["/".join(path.parts[-2:]) if path.name != PROJECT else PROJECT] += 1
        return on_disk(path, shown)

    monkeypatch.setattr(source, "_on_disk", counted)
    return found


@pytest.fixture
def fleet(project: Project) -> Project:
    """Two environments of two workflows each; the first has an overlay."""
    environments: dict[str, Any] = {"one": {"overlays": [OVERLAY]}, "two": {}}
    rule = {"id": "kept", "level": "warn", "no_retire": True}
    project.settings(environments=environments, policy={"include": ["policy"]})
    project.declare({"bot": custom(labels={"team": "x"})}, BOT)
    project.declare({"other": custom()}, OTHER)
    project.declare({"bot": {"metrics": {"correctness": 0.7}}}, OVERLAY)
    (project.root / "policy").mkdir()
    (project.root / POLICY).write_text(json.dumps({"version": 1, "rules": [rule]}))
    project.env["DEFENDCTL_ENV"] = "one"
    project.apply()
    return project


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("plan", ALL),
        ("plan --target bot --out plan.json --report markdown:plan.md", ALL),
        ("apply --yes", ALL),
        ("drift -l team=x", ALL),
        ("show bot", ALL),
        ("render", ALL),
        ("validate", ALL),
        ("doctor", ALL),
        ("outputs -l team=x", ALL),
        ("outputs", {PROJECT: 1, BOT: 1, OTHER: 1, OVERLAY: 1}),
        ("outputs --format env", {PROJECT: 1}),
        ("state list", {PROJECT: 1}),
        (f"plan -f {BOT}", ALL | {OTHER: 0}),
        ("drift --write", ALL),
        ("compare one two", ALL | {BOT: 2, OTHER: 2, POLICY: 2}),
    ],
)
def test_each_file_is_read_once(
    fleet: Project, reads: Counter[str], command: str, expected: dict[str, int]
) -> None:
    ran = fleet.run_alone(*command.split())
    assert (ran.code, reads) == (0, Counter(expected)), ran


def test_what_is_written_is_judged_by_reading_once_more(fleet: Project, reads: Counter[str]) -> None:
    """The file itself is read to be edited, the others to see what they say with it in each environment."""
    fleet.server.edit(fleet.bound("bot"), name="renamed")
    reads.clear()
    assert "written to over/one.yaml" in fleet.run_alone("drift", "--write").out
    assert reads == {PROJECT: 1, BOT: 3, OTHER: 3, OVERLAY: 2, POLICY: 3}


def test_what_other_files_declare_is_read_once(project: Project, reads: Counter[str]) -> None:
    """With -f, for two questions: was a rename taken back, and is an old address declared still?"""
    project.declare({"bot": custom()}, BOT)
    project.declare({"other": custom()}, OTHER)
    project.apply()
    project.declare({"robot": custom(name="bot", renamed_from="bot")}, BOT)
    project.apply()
    project.declare({"another": custom(name="other", renamed_from="other")}, OTHER)
    reads.clear()
    assert "Renamed (nothing is sent for this)" in project.run_alone("plan", "-f", OTHER).out
    assert reads == {BOT: 1, OTHER: 2}


def test_all_environments_at_once_need_one_project_file(fleet: Project, reads: Counter[str]) -> None:
    del fleet.env["DEFENDCTL_ENV"]
    assert fleet.run_alone("validate").code == 0
    assert reads == {PROJECT: 1, BOT: 2, OTHER: 2, OVERLAY: 1, POLICY: 2}
