"""The project file and base URLs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from defendctl.model import ACTIONS, GENERATIONS, LEVELS, TYPES
from defendctl.project.load import find_project, load_project
from defendctl.project.project import Project
from defendctl.project.url import base_url_problem
from defendctl.schema import fields, models_manifest, models_project
from tests.conftest import Project as Offline
from tests.conftest import custom

SCHEMA = Path(__file__).parents[2] / "schemas" / "project.schema.json"

WHOLE = """version: 1
manifests: [workflows, "teams/*/*.yaml"]
x-note: mine
api:
  base_url: https://defend.example.com/v1
  generation: "2025-10-22"
state: {path: ../state.json, lineage: 7f3a}
custom_metrics: [tone]
"""


def loaded(folder: Path, text: str) -> tuple[Project, list[str]]:
    (folder / "defendctl.yaml").write_text(text, encoding="utf-8")
    project, diagnostics = load_project(None, folder)
    places = [(d.span.line, d.span.column) if d.span else (None, None) for d in diagnostics]
    told = [f"{line}:{column} {d.code}" for (line, column), d in zip(places, diagnostics, strict=True)]
    return project, told


def test_everything(tmp_path: Path) -> None:
    project, told = loaded(tmp_path, WHOLE)
    assert told == []
    assert project.manifests == ("workflows", "teams/*/*.yaml")
    assert [span.column for span in project.spans] == [13, 24]
    assert (project.base_url, project.generation) == ("https://defend.example.com/v1", "2025-10-22")
    assert (project.state_path, project.lineage) == (tmp_path.parent / "state.json", "7f3a")
    assert project.custom_metrics == ("tone",)


def test_defaults(tmp_path: Path) -> None:
    project, told = loaded(tmp_path, "version: 1\n")
    assert told == []
    assert project == Project(tmp_path, tmp_path / "defendctl.yaml", tmp_path / "defendctl.state.json")
    assert project.manifests == ("workflows",)


def test_it_is_found_in_a_parent(tmp_path: Path) -> None:
    (tmp_path / "defendctl.yaml").write_text("version: 1\n", encoding="utf-8")
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert find_project(below) == tmp_path / "defendctl.yaml"
    assert load_project(None, below)[0].root == tmp_path


def test_without_one(tmp_path: Path) -> None:
    project, diagnostics = load_project(None, tmp_path)
    assert (project.root, project.file, diagnostics) == (tmp_path, None, [])
    _, (missing,) = load_project(Path("other.yaml"), tmp_path)
    assert (missing.code, missing.span and missing.span.file) == ("not-found", "other.yaml")


BAD = {
    "": ["1:1 not-a-project"],
    "[]\n": ["1:1 not-a-project"],
    "version: 1\n---\nversion: 1\n": ["3:1 not-a-project"],
    "version: 1\nmanifest: [x]\n": ["2:1 unknown-key"],
    "version: 1\napi: {base: x}\nstate: {lineag: x}\n": ["2:7 unknown-key", "3:9 unknown-key"],
    "version: 1\nmanifests: workflows\n": ["2:12 wrong-type"],
    "version: 1\nmanifests: []\n": ["2:12 invalid-value"],
    "version: 1\nmanifests: [a, a, '']\n": ["2:16 duplicate-item", "2:19 invalid-value"],
    "version: 1\ncustom_metrics: [1]\n": ["2:18 wrong-type"],
    "version: 1\napi: {generation: latest}\n": ["2:19 invalid-value"],
    "version: 1\napi:\n": ["2:5 wrong-type"],
    "version: 1\napi: {base_url: ftp://x}\n": ["2:17 invalid-value"],
    "version: 1\napi: {base_url: ''}\n": ["2:17 invalid-value"],
    "version: 1\nstate: {path: 3}\n": ["2:15 wrong-type"],
    "manifests: [a]\n": ["1:1 missing-key"],
    "version: 1\nversion: 1\n": ["2:1 duplicate-key"],
    "version: [1\n": ["2:1 yaml-syntax"],
}


@pytest.mark.parametrize("text", BAD)
def test_faults(tmp_path: Path, text: str) -> None:
    project, told = loaded(tmp_path, text)
    assert told == BAD[text]
    assert project.root == tmp_path


def test_what_is_right_in_a_wrong_file_counts(tmp_path: Path) -> None:
    project, _ = loaded(tmp_path, "version: 2\nmanifests: [mine]\napi: 3\ncustom_metrics: [tone]\nx: y\n")
    assert (project.manifests, project.custom_metrics) == (("mine",), ("tone",))


def test_the_schema_rejects_nothing_else(tmp_path: Path) -> None:
    for number, text in enumerate((WHOLE, "version: 1\n", *BAD)):
        (tmp_path / f"{number}.yaml").write_text(text, encoding="utf-8")
    files = sorted(map(str, tmp_path.glob("*.yaml")))
    command = [sys.executable, "-m", "check_jsonschema", "--schemafile", str(SCHEMA), "-o", "json", *files]
    answer = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    rejected = {int(Path(error["filename"]).stem) for error in (*answer["errors"], *answer["parse_errors"])}
    assert rejected == set(range(2, 2 + len(BAD)))


@pytest.mark.parametrize(
    "url",
    [
        "https://api.deeprails.com",
        "HTTPS://api.deeprails.com:8443/v1/",
        "https://bücher.example",
        "https://[2001:db8::1]/",
        "http://localhost:8080",
        "http://127.0.0.1",
        "http://127.9.9.9:1/x",
        "http://[::1]:80",
    ],
)
def test_base_urls(url: str) -> None:
    assert base_url_problem(url) is None


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("", "https"),
        ("api.deeprails.com", "https"),
        ("ftp://x", "https"),
        ("https://", "host"),
        ("https://:80", "host"),
        ("https://a%62", "host"),
        ("https://user@x", "user"),
        ("https://:pw@x", "user"),
        ("https://x?a=1", "query"),
        ("https://x#", "fragment"),
        ("https://x:99999", "URL"),
        ("https://x:a", "URL"),
        ("https://[::1", "URL"),
        ("https://a b", "spaces"),
        ("https://a\\b", "backslash"),
        ("https://a\n", "control"),
        ("http://api.deeprails.com", "https"),
        ("http://localhost.example.com", "https"),
        ("http://127.0.0.1.example.com", "https"),
        ("http://2130706433", "https"),
        ("http://0.0.0.0", "https"),
    ],
)
def test_bad_base_urls(url: str, word: str) -> None:
    assert word in (base_url_problem(url) or "")


def test_the_words_are_those_of_the_model() -> None:
    generation = models_project.Api.model_fields["generation"].annotation
    assert get_args(generation) == ("auto", *GENERATIONS)
    assert get_args(fields.Level) == LEVELS
    assert get_args(get_args(fields.Action)[0]) == ACTIONS
    assert get_args(models_manifest.Untyped.model_fields["type"].annotation) == TYPES


def test_a_folder_of_that_name_is_no_project(tmp_path: Path) -> None:
    os.mkdir(tmp_path / "defendctl.yaml")  # noqa: PTH102
    found = find_project(tmp_path)
    assert found is None or found.parent != tmp_path


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("workflows/state.yaml", "`manifests` reads that file"),
        ("workflows/sub/../a.YML", "`manifests` reads that file"),
        ("team", "`manifests` reads that file"),
        ("rules/x.yml", "`policy.include` reads that file"),
        ("cases/x.yml", "`tests` reads that file"),
        ("defendctl.yaml", "that is the project file"),
        ("link", "that is the project file"),
        ("workflows/state.json", None),
        ("workflows/.hidden/state.yaml", None),
        ("state.yaml", None),
    ],
)
@pytest.mark.parametrize("environment", [None, "staging"])
def test_the_state_is_kept_where_nothing_else_is(
    tmp_path: Path, path: str, words: str | None, environment: str | None
) -> None:
    """One write of the state would take the place of a manifest, or be read as one."""
    (tmp_path / "workflows").mkdir()
    (tmp_path / "link").symlink_to("defendctl.yaml")
    section: dict[str, object] = {"state": {"path": path}}
    entries = {"manifests": ["workflows", "team"], "policy": {"include": ["rules"]}, "tests": ["cases"]}
    here = {"environments": {environment: section}} if environment else section
    (tmp_path / "defendctl.yaml").write_text(json.dumps({"version": 1, **entries, **here}))
    _, found = load_project(None, tmp_path)
    assert [(d.code, words in d.message) for d in found if words] == [("invalid-value", True)] * bool(words)
    assert all(d.span and d.span.column and d.span.column > 1 for d in found)
    assert bool(found) == bool(words)


@pytest.mark.parametrize("path", ["workflows", ".", "kept"])
def test_a_folder_at_the_place_of_the_state_is_told_by_validate(offline: Offline, path: str) -> None:
    (offline.root / "kept").mkdir()
    offline.declare({"bot": custom()})
    offline.settings(state={"path": path})
    found = offline.json("validate", code=1).json["diagnostics"]
    (told,) = [one for one in found if one["severity"] == "error"]
    assert (told["code"], told["line"], told["column"]) == ("invalid-value", 1, 34)
    assert "that is a folder" in told["message"]
    offline.ok("plan", code=6)
