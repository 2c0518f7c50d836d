"""An entry of the project file always leads to something: a gate that nobody finds is a gate that is off."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from defendctl.project import files
from tests.conftest import custom

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Project, Ran

RULES = {"version": 1, "rules": [{"id": "no-loosening", "level": "deny", "no_loosening": True}]}
OVERLAY = {"version": 1, "workflows": {"bot": {"max_retries": 3}}}
CASE = {
    "workflow": "bot",
    "model_used": "m",
    "input": {"user_prompt": "?"},
    "output": "!",
    "expect": "passes",
}
TESTS = {"version": 1, "tests": {"one": CASE}}
MANIFEST = {"version": 1, "workflows": {"other": custom()}}
UNFORMATTED = (
    "version: 1\nworkflows:\n  bot: {improvement_action: none, metrics: {completeness: 1}, type: custom}\n"
)

Made = tuple[dict[str, Any], dict[str, Any]]
KINDS: dict[str, Made] = {
    "manifest": ({"manifests": ["workflows", "{}"]}, MANIFEST),
    "policy file": ({"policy": {"include": ["{}"]}}, RULES),
    "overlay": ({"environments": {"staging": {"overlays": ["{}"]}}}, OVERLAY),
    "test file": ({"tests": ["{}"]}, TESTS),
}


def settings(kind: str, entry: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(KINDS[kind][0]).replace("{}", entry))
    return made


def errors(ran: Ran) -> list[dict[str, Any]]:
    return [each for each in ran.json["diagnostics"] if each["severity"] == "error"]


def write(file: Path, content: Any) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("entry", "holds"),
    [
        ("more", ()),
        ("more", ("more/README.md", "more/rules.yaml.bak")),
        ("more", ("more/.hidden.yaml", "more/.git/x.yaml")),
        ("more", ("more/sub/x.json",)),
        ("m*re", ()),
        ("more/*.yaml", ("more/a.yml",)),
        ("more/**/x.yaml", ("more/x.yml",)),
    ],
)
def test_an_entry_that_yields_no_file_is_an_error(
    offline: Project, kind: str, entry: str, holds: tuple[str, ...]
) -> None:
    offline.declare({"bot": custom()})
    (offline.root / "more").mkdir()
    for name in holds:
        write(offline.root / name, KINDS[kind][1])
    offline.settings(**settings(kind, entry))
    (told,) = errors(offline.json("validate", code=1))
    assert (told["code"], told["file"]) == ("not-found", "defendctl.yaml")
    assert told["line"]
    said = (f"There is no {kind} (*.yaml or *.yml) in `{entry}`.", f"No {kind} matches `{entry}`.")
    assert told["message"].startswith(said)
    if kind != "test file":  # tests are no part of a plan
        assert told["message"] in offline.ok("plan", code=1).err


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["A.YAML", "a.Yml", "sub/a.YML", "a.yAmL"])
@pytest.mark.parametrize("entry", ["more", "more/**/*.y*ml", "m*", "more/**/[aA].[yY]*"])
def test_a_suffix_in_any_case_is_read(offline: Project, kind: str, name: str, entry: str) -> None:
    offline.declare({"bot": custom()})
    write(offline.root / "more" / name, "{")
    offline.settings(**settings(kind, entry))
    (told,) = errors(offline.json("validate", code=1))
    assert (told["code"], told["file"]) == ("yaml-syntax", f"more/{name}")


@pytest.mark.parametrize(("entry", "name"), [("*.yaml", "A.YAML"), ("*.YAML", "a.yaml"), ("A.*", "A.Yaml")])
def test_a_glob_takes_a_suffix_in_any_case_and_a_name_in_its_own(
    offline: Project, entry: str, name: str
) -> None:
    write(offline.root / "more" / name, MANIFEST)
    write(offline.root / "more" / "b.txt", "no manifest")
    offline.settings(manifests=[f"more/{entry}"])
    offline.ok("validate")
    (offline.root / "more" / name).rename(offline.root / "more" / "x.txt")
    offline.ok("validate", code=1)


def test_a_manifest_that_is_renamed_is_not_retired(project: Project) -> None:
    project.declare({"bot": custom()}, "workflows/b.yml")
    project.apply()
    (project.root / "workflows/b.yml").rename(project.root / "workflows/b.YML")
    assert project.plan("--detailed-exitcode").json["changes"] == []
    (project.root / "workflows/b.YML").write_text(UNFORMATTED)
    assert project.ok("fmt", "--check", code=2).out == "workflows/b.YML\n"


def test_only_where_no_entry_is_said_an_empty_folder_declares_nothing(offline: Project) -> None:
    offline.settings()
    assert errors(offline.json("validate")) == []
    offline.settings(manifests=["workflows"])
    (told,) = errors(offline.json("validate", code=1))
    assert (told["code"], told["line"]) == ("not-found", 1)


@pytest.mark.parametrize("command", [["validate"], ["validate", "-f"], ["plan", "-f"], ["fmt", "--check"]])
def test_a_named_folder_without_manifests_is_an_error(offline: Project, command: list[str]) -> None:
    offline.declare({"bot": custom()})
    write(offline.root / "docs" / "notes.md", "no manifest")
    ran = offline.ok(*command, "docs", code=1)
    assert "docs: error: There is no manifest (*.yaml or *.yml) in here." in ran.out + ran.err


def test_a_named_folder_of_overlays_is_checked_as_its_files_are(offline: Project) -> None:
    offline.declare({"bot": custom()})
    write(offline.root / "over/staging.yaml", {"version": 1, "workflows": {"bot": {"max_retries": -1}}})
    offline.settings(environments={"staging": {"overlays": ["over"]}})
    for path in ("over", "over/staging.yaml"):
        (told,) = errors(offline.json("validate", path, code=1))
        assert (told["code"], told["file"]) == ("out-of-range", "over/staging.yaml")


@pytest.mark.parametrize("entry", ["..", "../**", "../**/*.yaml", "../**/**/**/x.yaml", "/", "/**"])
def test_what_lies_below_an_entry_is_bounded(
    offline: Project, entry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By count: a whole disk has more names than are looked at."""
    inner = offline.root / "project"
    for n in range(30):
        write(offline.root / f"{n}" / "x.yaml", "{")
        (offline.root / f"{n}" / "back").symlink_to("..")
    write(inner / "defendctl.yaml", {"version": 1, "manifests": [entry]})
    monkeypatch.setattr(files, "MAX_NAMES", 50)
    listed: list[object] = []
    scandir = os.scandir

    def counted(folder: Path) -> object:
        listed.append(folder)
        return scandir(folder)

    monkeypatch.setattr("os.scandir", counted)
    told = errors(offline.json("validate", "-C", "project", code=1))
    assert [d["code"] for d in told] == ["too-many-files"]
    assert len(listed) <= 50
