"""Files that results go to: a newer result takes the place of an older one, and of nothing else."""

from __future__ import annotations

import json
import os
import stat
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from defendctl.operations.schema import schema
from defendctl.render.registry import is_own
from tests.conftest import custom, few_quick
from tests.test_durable import disk_of

if TYPE_CHECKING:
    from tests.conftest import Project

TESTS = Path(__file__).parents[1]
FORMATS = {".txt": "text", ".text": "text", ".md": "markdown", ".json": "json", ".github": "github"}
FORMATS |= {".sarif": "sarif"}
KINDS = {"plan": "plan", "drift": "drift", "validate": "diagnostics"}
GOLDEN = sorted(
    (path, KINDS[path.stem], FORMATS[path.suffix])
    for path in (TESTS / "cases").rglob("*")
    if path.is_file() and path.stem in KINDS and path.suffix in FORMATS
)
ELSEWHERE = "choose another one, or remove it first"


@pytest.mark.parametrize(("path", "kind", "format"), GOLDEN, ids=lambda x: str(getattr(x, "parent", x))[-40:])
def test_every_result_is_known_again_and_taken_for_no_other(path: Path, kind: str, format: str) -> None:
    text = path.read_text()
    assert is_own(kind, format, text)
    if text:
        others = [(k, f) for k in KINDS.values() for f in FORMATS.values() if (k, f) != (kind, format)]
        own = [other for other in others if other not in _ALIKE and is_own(*other, text)]
        assert own == ([(k, "github") for k in KINDS.values() if k != kind] if format == "github" else [])


_ALIKE = {("plan", "sarif"), ("drift", "sarif"), ("diagnostics", "markdown")}
"""There are no such reports."""


@pytest.mark.parametrize(("kind", "format"), [("doctor", "text"), ("test-results", "junit"), ("plan", "new")])
def test_what_cannot_be_known_again_is_never_replaced(kind: str, format: str) -> None:
    assert not is_own(kind, format, "anything")


@pytest.mark.parametrize("kind", ["manifest", "overlay", "project", "policy", "tests", "plan"])
def test_schemas_are_known_again(kind: str) -> None:
    assert is_own(kind, "schema", schema(kind))
    foreign = {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "properties": {}}
    assert not is_own(kind, "schema", json.dumps(foreign))


@pytest.mark.parametrize("format", ["text", "json", "markdown", "github", "sarif", "schema"])
@pytest.mark.parametrize(
    "text",
    [
        "# Read me\n\n```\nPlan for api.example.com, generation 2025-12-07\nNo drift: nothing\n```\n",
        "version: 1\nworkflows: {}\n",
        '{"version": 1, "workflows": {}}',
        '{"format_version": "1.0", "kind": "state"}',
        '{"kind": "plan"',
        "[" * 100_000,
        "[]",
        "null",
        "\n",
        "::error::x\nrm -rf\n",
    ],
    ids=lambda text: text[:12],
)
def test_what_is_none_of_ours_is_not_taken_for_it(format: str, text: str) -> None:
    for kind in KINDS.values():
        assert not is_own(kind, format, text)


@pytest.fixture
def bound(project: Project) -> Project:
    project.settings(
        manifests=["workflows", "more"],
        tests=["tests"],
        policy={"include": ["rules.yaml"]},
        environments={"prod": {"state": {"path": "prod.json"}, "overlays": ["over"]}},
    )
    for folder in ("more", "tests", "over", "out"):
        (project.root / folder).mkdir()
    project.declare({"bot": custom()})
    (project.root / "more" / "empty.yaml").write_text("")
    (project.root / "over" / "o.yaml").write_text("")
    (project.root / "tests" / "t.yaml").write_text("")
    (project.root / "rules.yaml").write_text("version: 1\nrules: []\n")
    (project.root / "README.md").write_text("# Mine\n")
    (project.root / "binary").write_bytes(b"\xff\xfe\x00")
    (project.root / "empty").write_bytes(b"")
    (project.root / "link").symlink_to("prod.json")
    project.apply()
    return project


WRITERS = {
    "plan --out": ("plan", "--out", "{}"),
    "plan --report json": ("plan", "--report", "json:{}"),
    "plan --report text": ("plan", "--report", "text:{}"),
    "drift --report": ("drift", "--report", "markdown:{}"),
    "validate --report": ("validate", "--report", "sarif:{}"),
    "schema --output": ("schema", "plan", "--output", "{}"),
    "test --out": ("test", "--out", "{}"),
}


TAKEN = {
    "prod.json": "that is the state",
    "link": "that is the state",
    "out/../prod.json": "that is the state",
    "prod.json.journal": "that is the journal of the state",
    "defendctl.yaml": "that is the project file",
    "workflows/all.yaml": "that is a manifest",
    "more/empty.yaml": "that is a manifest",
    "over/o.yaml": "that is a manifest",
    "tests/t.yaml": "that is a file of tests",
    "rules.yaml": "that is a file of the policy",
    "workflows/new.yaml": "manifests, rules, tests or labels are read from there",
    "over/deep/new.YML": "there is no folder over/deep",
    "tests/new.yml": "manifests, rules, tests or labels are read from there",
    "README.md": ELSEWHERE,
    "binary": ELSEWHERE,
    "out": "that is a folder",
    "nowhere/p": "there is no folder nowhere",
}
"""Path → why no result goes there."""
ANY = "plan --out"


@pytest.mark.parametrize(
    "case",
    few_quick(
        product(WRITERS, TAKEN),
        *((ANY, path) for path in TAKEN),
        *((writer, "README.md") for writer in WRITERS if writer != ANY),
    ),
    ids=" ".join,
)
def test_nothing_else_is_replaced(bound: Project, case: tuple[str, str]) -> None:
    """Before anything is read or paid for."""
    writer, path = case
    before = bound.files()
    bound.server.forget_requests()
    ran = bound.ok(*(word.format(path) for word in WRITERS[writer]), code=64)
    assert TAKEN[path] in ran.err
    assert bound.files() == before
    assert not bound.server.requests()


def test_the_state_of_another_environment_is_safe_too(bound: Project) -> None:
    text = (bound.root / "defendctl.yaml").read_text()
    more = yaml.safe_load(text)
    more["environments"]["staging"] = {"state": {"path": "staging.json"}}
    (bound.root / "defendctl.yaml").write_text(json.dumps(more))
    for name in ("staging.json", "prod.json"):
        ran = bound.ok("plan", "--env", "prod", "--out", name, code=64)
        assert "that is the state" in ran.err


def test_a_state_that_is_not_there_yet_is_not_begun_by_a_plan(project: Project) -> None:
    project.declare({"bot": custom()})
    for name in ("defendctl.state.json", "defendctl.state.json.journal", "defendctl.yaml"):
        assert project.ok("plan", "--out", name, code=64).out == ""
        assert not (project.root / name).exists()


def test_what_is_kept_of_the_state_is_no_place_for_results(bound: Project) -> None:
    """A lock is an empty file, and a new one in its place would let a second run in."""
    lock = bound.root / ".defendctl" / "prod.json.lock"
    lock.parent.mkdir(exist_ok=True)
    lock.touch()
    before = lock.stat().st_ino
    for arguments in (["plan", "--out"], ["schema", "plan", "--output"]):
        assert "are kept there" in bound.ok(*arguments, str(lock), code=64).err
    assert lock.stat().st_ino == before


def test_a_newer_result_takes_the_place_of_an_older_one(bound: Project) -> None:
    options = [o for name in ("text", "markdown", "github") for o in ("--report", f"{name}:{name}.out")]
    for threshold in (0.8, 0.7, 0.8):
        bound.declare({"bot": custom(metrics={"completeness": threshold})})
        bound.ok("plan", "--out", "empty", *options)
        assert json.loads((bound.root / "empty").read_text())["kind"] == "plan"
    assert "that file holds something else" in bound.ok("drift", "--report", "json:empty", code=64).err


def test_a_result_keeps_the_mode_of_the_file_and_a_link(bound: Project) -> None:
    (bound.root / "out" / "p.json").touch(0o600)
    (bound.root / "p.json").symlink_to("out/p.json")
    bound.ok("plan", "--out", "p.json")
    assert (bound.root / "p.json").is_symlink()
    assert stat.S_IMODE((bound.root / "out" / "p.json").stat().st_mode) == 0o600


def test_a_full_disk_leaves_the_older_plan_and_tells_the_new_one(bound: Project) -> None:
    bound.ok("plan", "--out", "p.json")
    before = bound.files()
    bound.declare({f"bot-{n}": custom() for n in range(9)})
    with disk_of(2_000):
        ran = bound.ok("plan", "--out", "p.json", code=1)
    assert "p.json: File too large" in ran.err
    assert "bot-8" in ran.out
    assert bound.files() == before | {"workflows/all.yaml": bound.files()["workflows/all.yaml"]}


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(bound: Project) -> None:
    (bound.root / "out").chmod(0o500)
    assert "it cannot be written" in bound.ok("plan", "--out", "out/p.json", code=64).err


def test_devices_pipes_and_descriptors_are_written_to(bound: Project) -> None:
    bound.ok("plan", "--out", os.devnull)
    for name in ("/dev/stdout", "/dev/fd/1"):
        run = bound.spawn("plan", "--out", name, "--report", "json:/dev/stderr")
        out, err = run.communicate(timeout=60)
        assert run.returncode == 0, err
        assert '"kind": "plan"' in out
        assert '"kind": "plan"' in err
        assert "No changes" in out


@pytest.mark.parametrize(
    "command",
    [
        ["plan", "--out", "-"],
        ["plan", "--report", "json:-"],
        ["schema", "--output", "-"],
        ["test", "--out", "-"],
    ],
)
def test_a_dash_is_no_file(offline: Project, command: list[str]) -> None:
    offline.declare({"a": custom()})
    assert "`-` does not mean stdout here" in offline.ok(*command, code=64).err
    assert not (offline.root / "-").exists()
    if "plan" in command:
        offline.ok(*command[:2], command[2].removesuffix("-") + "./-")
        assert (offline.root / "-").is_file()
