"""Which files are read, what they declare together, and how long that takes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defendctl.diagnostics import Span
from defendctl.manifest.resolve import resolve
from defendctl.model import ACTIONS, LEVELS, METRICS, Workflow
from defendctl.project.load import load_project
from defendctl.project.project import Project
from defendctl.schema import editor, texts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from defendctl.manifest.desired import Desired

BODY = "{type: custom, metrics: {completeness: 0.8}, improvement_action: none}"


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., None]:
    def write(name: str, *addresses: str, text: str | None = None) -> None:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        lines = "".join(f"  {address}: {BODY}\n" for address in addresses)
        file.write_text(text if text is not None else f"version: 1\nworkflows:\n{lines}", encoding="utf-8")

    return write


def configured(folder: Path) -> Desired:
    project, diagnostics = load_project(None, folder)
    assert diagnostics == []
    return resolve(project, None, folder)


def told(desired: Desired) -> list[tuple[str, str, int | None]]:
    return [(d.code, d.span.file, d.span.line) for d in desired.diagnostics if d.span]


def test_a_folder_is_read_whole_and_in_order(tmp_path: Path, write: Callable[..., None]) -> None:
    write("workflows/b.yaml", "zeta")
    write("workflows/a/x.yml", "beta")
    write("workflows/a.yaml", "alpha")
    for ignored in ("workflows/.hidden.yaml", "workflows/.git/x.yaml", "workflows/notes.md"):
        write(ignored, text="[not yaml")
    desired = configured(tmp_path)
    assert told(desired) == []
    assert list(desired.workflows) == ["alpha", "beta", "zeta"]
    assert desired.spans["beta"].file == "workflows/a/x.yml"
    assert (desired.spans["beta"].line, desired.spans["beta"].column) == (3, 3)
    assert desired.workflows["zeta"] == Workflow("zeta", "custom", {"completeness": 0.8}, "none")


def test_globs_and_the_project_file(tmp_path: Path, write: Callable[..., None]) -> None:
    write("defendctl.yaml", text="version: 1\nmanifests: ['**/*.yaml', teams/*, '.', 'teams/a/x.yaml']\n")
    write("top.yaml", "top")
    write("teams/a/x.yaml", "x")
    write("teams/b/y.yaml", "y")
    write("teams/.c/z.yaml", "hidden")
    desired = configured(tmp_path)
    assert told(desired) == []
    assert list(desired.workflows) == ["top", "x", "y"]


def test_what_is_missing(tmp_path: Path, write: Callable[..., None]) -> None:
    write("defendctl.yaml", text="version: 1\nmanifests:\n  - none\n  - 'no/*.yaml'\n  - '**/*.yml'\n")
    assert told(configured(tmp_path)) == [("not-found", "defendctl.yaml", line) for line in (3, 4, 5)]
    desired = resolve(load_project(None, tmp_path)[0], [tmp_path / "gone", tmp_path / "*.yaml"], tmp_path)
    assert told(desired) == [("not-found", "*.yaml", None), ("not-found", "gone", None)]


def test_nothing_at_all(tmp_path: Path) -> None:
    (diagnostic,) = configured(tmp_path).diagnostics
    assert diagnostic.code == "not-found"
    assert "defendctl init" in diagnostic.message


def test_the_default_folder_without_project_file(tmp_path: Path, write: Callable[..., None]) -> None:
    write("workflows/a.yaml", "a")
    assert list(configured(tmp_path).workflows) == ["a"]


def test_paths_replace_what_is_configured(tmp_path: Path, write: Callable[..., None]) -> None:
    write("workflows/a.yaml", "a")
    write("other/b.yaml", "b")
    write("other/c.json", "c")
    project, _ = load_project(None, tmp_path)
    below = tmp_path / "other"
    desired = resolve(project, [below, below / "c.json", below / "b.yaml"], below)
    assert (list(desired.workflows), told(desired)) == (["b", "c"], [])
    assert {span.file for span in desired.spans.values()} == {"b.yaml", "c.json"}


def test_an_address_stands_once(tmp_path: Path, write: Callable[..., None]) -> None:
    write("workflows/b.yaml", "x", "y")
    write("workflows/a.yaml", "x")
    (diagnostic,) = configured(tmp_path).diagnostics
    assert (diagnostic.code, diagnostic.span) == ("duplicate-address", Span("workflows/b.yaml", 3, 3))
    assert "workflows/a.yaml:3" in diagnostic.message


def test_links(tmp_path: Path, write: Callable[..., None]) -> None:
    root = tmp_path / "project"
    write("project/workflows/deep/a.yaml", "a")
    write("outside/b.yaml", "b")
    (root / "workflows/loop").symlink_to("..")
    (root / "workflows/deep/loop").symlink_to("../..")
    (root / "workflows/again.yaml").symlink_to("deep/a.yaml")
    (root / "workflows/self.yaml").symlink_to("self.yaml")
    (root / "workflows/out").symlink_to(tmp_path / "outside")
    (root / "workflows/out.yaml").symlink_to(tmp_path / "outside/b.yaml")
    desired = configured(root)
    assert list(desired.workflows) == ["a"]
    assert told(desired) == [
        ("outside-project", "workflows/out", None),
        ("outside-project", "workflows/out.yaml", None),
        ("unreadable", "workflows/self.yaml", None),
    ]
    (root / "defendctl.yaml").write_text("version: 1\nmanifests: ['**/*.yaml', ../outside]\n")
    assert "b" in configured(root).workflows, "a path that says so may lead out"
    given = resolve(load_project(None, root)[0], [root / "workflows/out"], root)
    assert list(given.workflows) == ["b"]


def test_names_are_safe_to_print(tmp_path: Path, write: Callable[..., None]) -> None:
    write("workflows/a\n\x1b[31m\u202e.yaml", text="[")
    (diagnostic,) = configured(tmp_path).diagnostics
    assert diagnostic.span
    assert diagnostic.span.file == r"workflows/a\n\x1b[31m\u202e.yaml"


def test_custom_metrics(tmp_path: Path, write: Callable[..., None]) -> None:
    write("defendctl.yaml", text="version: 1\ncustom_metrics: [tone]\n")
    body = BODY.replace("completeness", "tone")
    write("workflows/a.yaml", text=f"version: 1\nworkflows:\n  a: {body}\n")
    assert configured(tmp_path).workflows["a"].metrics == {"tone": 0.8}


def test_two_thousand_workflows(tmp_path: Path, write: Callable[..., None]) -> None:
    write("one.yaml", *(f"a{i}" for i in range(2000)))
    for i in range(2000):
        write(f"many/{i}.yaml", f"b{i}")
    began = time.process_time()
    project, _ = load_project(None, tmp_path)
    desired = resolve(project, [tmp_path], tmp_path)
    assert time.process_time() - began < 4
    assert (len(desired.workflows), desired.diagnostics) == (4000, [])


def test_many_mistakes_take_no_longer(tmp_path: Path, write: Callable[..., None]) -> None:
    keys = "".join(f"    max_retrys{i}: 1\n" for i in range(50_000))
    write("workflows/a.yaml", text=f"version: 1\nworkflows:\n  a:\n{keys}")
    began = time.process_time()
    assert len(configured(tmp_path).diagnostics) == 1001
    assert time.process_time() - began < 5


def test_what_is_imported() -> None:
    code = (
        "import sys, defendctl.project.load, defendctl.manifest.resolve\n"
        "print([name for name in ('httpx', 'deepdiff', 'pydantic') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


words = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=20)
names = words.filter(lambda text: any(c.isprintable() and not c.isspace() for c in text))
thresholds = st.dictionaries(st.sampled_from(list(METRICS)), st.floats(0, 1), min_size=1)
levels = st.dictionaries(st.sampled_from(list(METRICS)), st.sampled_from(LEVELS), min_size=1)


@st.composite
def workflows(draw: st.DrawFn) -> Workflow:
    kind = draw(st.sampled_from(["custom", "automatic"]))
    metrics: dict[str, Any] = draw(thresholds) if kind == "custom" else draw(levels)
    return Workflow(
        name=draw(names),
        type=kind,
        metrics=dict(sorted(metrics.items())),
        improvement_action=draw(st.sampled_from(ACTIONS)),
        description=draw(words),
        max_retries=draw(st.integers(0, 10_000)),
        web_search=draw(st.booleans()),
        context_awareness=draw(st.booleans()),
        file_search=tuple(sorted(draw(st.sets(words.filter(bool), max_size=3)))),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("resolve")


ADDRESSES = st.from_regex(r"[a-z]([a-z0-9._-]{0,61}[a-z0-9])?", fullmatch=True)


@settings(derandomize=True, deadline=None)
@given(st.dictionaries(ADDRESSES, workflows(), max_size=4))
def test_what_is_written_is_what_is_read(folder: Path, desired: dict[str, Workflow]) -> None:
    bodies = {address: workflow.fields() for address, workflow in desired.items()}
    text = json.dumps({"version": 1, "workflows": bodies}, indent=1)
    (folder / "x.yaml").write_text(text, encoding="utf-8")
    read = resolve(Project(folder, None, folder / "s"), [folder / "x.yaml"], folder)
    assert read.diagnostics == []
    assert read.workflows == desired
    assert list(read.workflows) == sorted(desired)


WORDS = ["", " ", "custom", "low", "fixit", "regen", "x"]
SCALARS = st.sampled_from([None, True, 0, 1, 5.0, 0.5, -1, 20_000, *WORDS])
ITEMS = st.sampled_from(["completeness", "correctness", "completness", "", 1, None])
VALUES = (
    SCALARS
    | st.lists(ITEMS, max_size=3)
    | st.dictionaries(st.sampled_from(["completeness", "correctness", "x"]), SCALARS, max_size=2)
)
SOUND = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["custom", "automatic"]),
        "metrics": thresholds | levels | st.lists(ITEMS, max_size=3) | VALUES,
        "improvement_action": st.sampled_from(["fixit", "regen", None]),
    },
    optional={
        "tolerance": st.sampled_from(LEVELS),
        "max_retries": SCALARS,
        "max_improvement_attempts": SCALARS,
    },
)
SCHEMA = editor.manifest_schema()
KEYS = st.sampled_from([*texts.WORKFLOW, "x-a", "frobnicate"])
ODD = st.builds(lambda sound, odd: {**sound, **odd}, SOUND, st.dictionaries(KEYS, VALUES, max_size=2))


@settings(derandomize=True, deadline=None, max_examples=500)
@given(SOUND | ODD | VALUES, st.sampled_from(["a", "A", "bot-1", "bot-"]))
def test_the_schema_agrees_about_any_workflow(folder: Path, body: object, address: str) -> None:
    from jsonschema import Draft7Validator  # type: ignore[import-untyped]

    data = {"version": 1, "workflows": {address: body}}
    (folder / "y.yaml").write_text(json.dumps(data), encoding="utf-8")
    read = resolve(Project(folder, None, folder / "s"), [folder / "y.yaml"], folder)
    valid = Draft7Validator(SCHEMA).is_valid(data)
    assert valid == (read.diagnostics == []), read.diagnostics
