"""What an editor says of each mistake, beside what check-jsonschema and `defendctl validate` say of it.

A file under `mistakes/` says in a comment at the very line what must be said there: `# ! sentence`. Nothing
may be said of any other line. It is golden as a whole: UPDATE_GOLDEN=1 pytest tests/editor.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import Project, Server, custom, environment_for
from tests.editor.server import ROOT, Editor, editor

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

pytestmark = pytest.mark.slow
MISTAKES = Path(__file__).parent / "mistakes"
KINDS = ("manifest", "overlay", "project", "policy", "tests", "labels")
FILES = sorted(MISTAKES.glob("*/*.yaml"))
DEMANDED = re.compile(r"# ! (.*)$")
Said = list[tuple[int, str]]
"""Lines from 1, and what is said of each."""


def schema(kind: str) -> Path:
    return ROOT / "schemas" / f"{kind}.schema.json"


@pytest.fixture(scope="module")
def speaking() -> Iterator[Editor]:
    with editor({schema(kind): f"**/mistakes/{kind}/*.yaml" for kind in KINDS}) as started:
        yield started


@pytest.fixture(scope="module")
def checked() -> dict[Path, list[str]]:
    """File → what check-jsonschema says of it."""
    said: dict[Path, list[str]] = {}
    for kind in KINDS:
        files = [str(file) for file in FILES if file.parent.name == kind]
        command = [sys.executable, "-m", "check_jsonschema", "--schemafile", str(schema(kind)), "-o", "json"]
        run = subprocess.run([*command, *files], capture_output=True, text=True, check=False)
        for error in json.loads(run.stdout)["errors"]:
            said.setdefault(Path(error["filename"]), []).append(f"{error['path']}: {error['message']}")
    return said


def demanded(file: Path) -> Said:
    lines = enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
    return [(number, found[1]) for number, line in lines if (found := DEMANDED.search(line))]


def validated(file: Path, project: Project) -> list[dict[str, Any]]:
    """What `defendctl validate` says of it, in the place where it belongs."""
    if file.parent.name == "manifest":
        shutil.copy(file, project.root / "workflows" / "it.yaml")
    elif file.parent.name == "overlay":
        shutil.copy(file, project.root / "over.yaml")
        project.settings(environments={"prod": {"overlays": ["over.yaml"]}})
        project.declare({"support-bot": custom()})
    elif file.parent.name == "project":
        shutil.copy(file, project.root / "defendctl.yaml")
        project.declare({"a": custom()})
    elif file.parent.name == "tests":
        shutil.copy(file, project.root / "tests.yaml")
        project.settings(tests=["tests.yaml"])
        project.declare({"support-bot": custom()})
    elif file.parent.name == "labels":
        shutil.copy(file, project.root / "labels.yaml")
        project.settings(labels=["labels.yaml"])
        project.declare({"support-bot": custom()})
    else:
        shutil.copy(file, project.root / "policy.yaml")
        project.settings(policy={"include": ["policy.yaml"]})
        project.declare({"a": custom()})
    told: list[dict[str, Any]] = project.json("validate", code=1).json["diagnostics"]
    return [each for each in told if each["severity"] == "error"]


@pytest.fixture
def offline(tmp_path: Path, http: httpx.Client) -> Project:
    (tmp_path / "workflows").mkdir()
    return Project(tmp_path, Server("", http), environment_for("http://127.0.0.1:9"))


def test_there_are_enough() -> None:
    assert len(FILES) >= 30


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_mistake(file: Path, speaking: Editor, checked: dict[Path, list[str]], offline: Project) -> None:
    shown: Said = [(d["range"]["start"]["line"] + 1, d["message"]) for d in speaking.diagnostics(file)]
    ours = validated(file, offline)
    _expect(file.with_suffix(".expected.txt"), shown, sorted(checked.get(file, ())), ours)
    wanted = demanded(file)
    assert wanted
    assert [each for each in wanted if not any(_is_said(each, one) for one in shown)] == []
    assert {line for line, _ in shown} == {line for line, _ in wanted}
    assert {each["line"] for each in ours} == {line for line, _ in wanted}
    assert file in checked, "the schema rejects it elsewhere too"


def _is_said(wanted: tuple[int, str], shown: tuple[int, str]) -> bool:
    """`…` stands for the names of keys, of which there may be more one day."""
    text = wanted[1]
    rest = shown[1].startswith(text[:-1]) if text.endswith("…") else shown[1] == text
    return wanted[0] == shown[0] and rest


def _expect(golden: Path, shown: Said, checked: list[str], ours: list[dict[str, Any]]) -> None:
    version = json.loads((Path(__file__).parent / "package.json").read_text())["dependencies"]
    sections = {
        f"yaml-language-server {version['yaml-language-server']}": [f"{n}: {text}" for n, text in shown],
        "check-jsonschema": checked,
        "defendctl validate": [f"{each['line']}:{each['column']}: {each['message']}" for each in ours],
    }
    text = "\n".join(f"{name}\n" + "".join(f"  {s}\n" for s in said) for name, said in sections.items())
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert golden.read_text(encoding="utf-8") == text, "if that is meant: UPDATE_GOLDEN=1 pytest tests/editor"
