"""A corpus of bad input: what each command says, with which code, and that nothing is written.

After a change of wording: UPDATE_GOLDEN=1 pytest tests/bad, then read the difference.
"""

from __future__ import annotations

import shutil
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.bad.golden import SECONDS, assert_inert, expect, tree
from tests.bad.spoil_plans import PLANS
from tests.bad.spoil_states import LINEAGE, STATES, write_good
from tests.conftest import custom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Project, Ran

HERE = Path(__file__).parent
MANIFESTS = sorted((HERE / "manifests").glob("*.yaml"))
PROJECTS = sorted((HERE / "projects").glob("*.yaml"))
ON_STATES = (["plan"], ["apply", "--yes"], ["outputs"], ["state", "list"])


@contextmanager
def unharmed(project: Project) -> Iterator[None]:
    before, began = tree(project.root), time.process_time()
    yield
    assert tree(project.root) == before
    assert time.process_time() - began < SECONDS * 4


def refused(project: Project, *command: str, code: int) -> Ran:
    ran = project.ok(*command, code=code)
    assert_inert(ran.out + ran.err)
    return ran


def test_there_are_enough() -> None:
    assert len(MANIFESTS) + len(PROJECTS) + len(STATES) + len(PLANS) >= 200


@pytest.mark.parametrize("file", MANIFESTS, ids=lambda file: file.stem)
def test_manifest(offline: Project, file: Path) -> None:
    shutil.copy(file, offline.root / "workflows" / "bad.yaml")
    with unharmed(offline):
        said = refused(offline, "validate", code=1)
        assert refused(offline, "plan", code=1).err == said.out
    expect(file.with_suffix(".expected.txt"), said, offline.root)


@pytest.mark.parametrize("file", PROJECTS, ids=lambda file: file.stem)
def test_project(offline: Project, file: Path) -> None:
    offline.declare({"a": custom()})
    shutil.copy(file, offline.root / "defendctl.yaml")
    with unharmed(offline):
        said = refused(offline, "validate", code=1)
        errors = [line for line in said.out.splitlines() if "[unpinned-state]" not in line]
        for command in (["plan"], ["apply", "--yes"]):
            told = refused(offline, *command, code=1).err.splitlines()
            assert told[:-1] == errors[:-1], "the last line counts them"
    expect(file.with_suffix(".expected.txt"), said, offline.root)


@pytest.mark.parametrize("name", STATES)
def test_state(offline: Project, name: str) -> None:
    path = offline.root / "kept" / "state.json"
    offline.settings(state={"path": "kept/state.json", "lineage": LINEAGE})
    offline.declare({"a": custom()})
    write_good(path)
    (path.parent / ".defendctl").mkdir()  # of the lock
    STATES[name](path)
    reads_host = name != "other-host"
    with unharmed(offline):
        for command in ON_STATES if reads_host else ON_STATES[:2]:
            said = refused(offline, *command, code=6)
            assert said.out == ""
            expect(HERE / "states" / f"{name}.txt", said, offline.root)


@pytest.mark.parametrize("name", PLANS)
def test_plan(offline: Project, name: str) -> None:
    offline.declare({"a": custom(), "b": custom()})
    offline.ok("plan", "--out", "p.json")
    PLANS[name](offline.root / "p.json")
    with unharmed(offline):
        ran = offline.run("apply", "p.json")
        assert_inert(ran.out + ran.err)
    assert ran.code in (1, 6, 64)
    assert ran.out == ""
    expect(HERE / "plans" / f"{name}.txt", ran, offline.root)


def test_no_golden_is_left_over() -> None:
    for folder, names in (("states", STATES), ("plans", PLANS)):
        assert {path.stem for path in (HERE / folder).glob("*.txt")} == set(names)
