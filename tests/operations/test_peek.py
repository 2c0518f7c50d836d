"""What a TAB sees of a project is what the commands read of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from defendctl.model import Binding, State
from defendctl.operations import peek
from defendctl.operations.peek import look
from defendctl.project.load import load_project
from defendctl.state.document import to_text

if TYPE_CHECKING:
    from pathlib import Path

    from defendctl.project.project import Project

USUAL = {
    "nothing said": "",
    "other sections": "api: {base_url: 'https://api.example.com'}\nlint: {same-name: error}\nx-own: 1\n",
    "manifests": "manifests: [one, 'two/*.yaml']\n",
    "a file": "state: {path: deep/er.json, lineage: abc}\n",
    "an empty section": "state:\n",
    "a place": "state: {url: 's3://bucket/key', options: {region: eu-central-1}, lineage: abc}\n",
    "a place that is none": "state: {url: 'ftp://bucket/key'}\n",
    "environments": "environments: {staging: , prod: {state: {path: p.json}, overlays: [o.yaml]}}\n",
    "places of environments": "environments: {a: {state: {url: 'git+origin?key=a'}}, b: {}}\n",
    "a name that is none": "environments: {Prod: {}, b: {}}\n",
}
UNUSUAL = {
    "no text": "manifests: [1]\n",
    "no list": "manifests: workflows\n",
    "a number for a path": "state: {path: 7}\n",
    "no mapping": "environments: [a, b]\n",
    "two documents": "---\nversion: 1\n",
    "no YAML": "state: [\n",
}


def seen(project: Project) -> list[tuple[object, ...]]:
    """All of it that a TAB asks for."""
    every = (project, *project.environments.values())
    return [(p.environment, p.root, p.state_path, p.place, p.lineage, p.manifests) for p in every]


@pytest.mark.parametrize("text", [*USUAL.values(), *UNUSUAL.values()], ids=[*USUAL, *UNUSUAL])
def test_a_peek_sees_what_is_loaded(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "defendctl.yaml").write_text(f"version: 1\n{text}")
    monkeypatch.chdir(tmp_path)
    found = look(None, None, None, sandbox=False).whole
    assert seen(found) == seen(load_project(None, tmp_path)[0])


@pytest.mark.parametrize("text", USUAL.values(), ids=USUAL)
def test_what_is_usual_is_not_loaded(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "defendctl.yaml").write_text(f"version: 1\n{text}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delattr(peek, "load_project")
    look(None, None, None, sandbox=False)


def test_without_a_project_file_the_defaults_are_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert seen(look(None, None, None, sandbox=False).whole) == seen(load_project(None, tmp_path)[0])


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, True),
        ({"lineage": "other"}, False),
        ({"environment": "prod"}, False),
        ({"moved_to": "s3://bucket/key"}, False),
    ],
    ids=["its own", "of another project", "of an environment", "moved"],
)
@pytest.mark.parametrize("journal", [False, True], ids=["folded", "with a journal"])
def test_a_state_is_seen_if_commands_would_go_on_from_it(
    changes: dict[str, Any], found: bool, journal: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "defendctl.yaml").write_text("version: 1\nstate: {lineage: abc}\n")
    bindings = {"bot": Binding("wkfl_1", {"name": "bot"})}
    state = State(**{"lineage": "abc", "serial": 1, "writer": "w", "bindings": bindings, **changes})
    (tmp_path / "defendctl.state.json").write_text(to_text(state))
    if journal:
        (tmp_path / "defendctl.state.json.journal").write_text("")
    monkeypatch.chdir(tmp_path)
    seen_states = [*look(None, None, None, sandbox=False).states()]
    assert [list(one.managed) for one in seen_states] == ([["bot"]] if found else [])
