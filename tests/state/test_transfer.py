"""state pull, push, versions, schema and paths: the document out of its place and back, and all refusals."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from defendctl.model import Intent
from defendctl.state import records
from defendctl.state.document import from_text, to_text
from defendctl.state.lines import encode, head, stamp
from tests.conftest import Project, custom

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from defendctl.model import State


@pytest.fixture
def bound(project: Project) -> Project:
    project.declare({"bot": custom(), "other": custom()})
    project.apply()
    project.settings()
    return project


def state_of(project: Project) -> State:
    return from_text(project.state_file.read_text())


def pushed(project: Project, *options: str, **changes: Any) -> Any:
    (project.root / "file.json").write_text(to_text(replace(state_of(project), **changes)))
    return project.run("state", "push", "file.json", *options)


def journal(project: Project, *left: Any) -> None:
    lines = [head("j", stamp(state_of(project))), *left]
    project.journal.write_bytes(b"".join(map(encode, lines)))


def test_pull_gives_the_document_byte_for_byte(bound: Project) -> None:
    assert bound.ok("state", "pull").out == bound.state_file.read_text()
    bound.ok("state", "pull", "--output", "copy.json")
    bound.ok("state", "pull", "--output", "copy.json")
    assert (bound.root / "copy.json").read_bytes() == bound.state_file.read_bytes()


def test_pull_folds_what_a_run_left_and_writes_nothing(bound: Project) -> None:
    journal(bound, records.retired("other"))
    before = bound.state_bytes()
    state = from_text(bound.ok("state", "pull").out)
    assert (set(state.bindings), state.folded) == ({"bot"}, "j")
    assert bound.state_bytes() == before


def test_what_is_pulled_beside_its_journal_is_not_folded_twice(bound: Project) -> None:
    journal(bound, records.retired("other"))
    bound.state_file.write_text(bound.ok("state", "pull").out)
    listed = bound.json("state", "list").json
    assert [one["address"] for one in listed["retired"]] == ["other"]
    bound.ok("apply", "--yes")


@pytest.mark.parametrize("spoil", [b"{", b"\xff", b""])
def test_a_damaged_state_is_not_pulled(bound: Project, spoil: bytes) -> None:
    bound.state_file.write_bytes(spoil)
    ran = bound.run("state", "pull")
    assert (ran.code, ran.out) == (6, "")


def test_no_state_is_not_an_empty_one(project: Project) -> None:
    project.settings()
    assert project.run("state", "pull").code == 6


@pytest.mark.parametrize(
    "name", ["defendctl.yaml", "defendctl.state.json", "workflows/all.yaml", "notes.txt"]
)
def test_pull_takes_the_place_of_no_other_file(bound: Project, name: str) -> None:
    (bound.root / "notes.txt").write_text("mine")
    before = (bound.root / name).read_bytes()
    assert bound.run("state", "pull", "--output", name).code == 64
    assert (bound.root / name).read_bytes() == before


def test_a_newer_one_is_pushed_as_it_is(bound: Project) -> None:
    ran = pushed(bound, serial=9, writer="another")
    assert ran.code == 0
    assert (bound.root / "file.json").read_bytes() == bound.state_file.read_bytes()
    bound.assert_settled()


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "the same serial": ({"writer": "another"}, 6, "already"),
    "an older one": ({"serial": 1}, 6, "--restore"),
    "another lineage": ({"lineage": "another", "serial": 9}, 6, "another project's"),
    "another environment": ({"environment": "staging", "serial": 9}, 6, "environment staging"),
    "another host": ({"api_host": "api.example.com", "serial": 9}, 6, "API host"),
    "one that moved": ({"moved_to": "git+origin?key=a", "serial": 9}, 6, "moved to"),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("pinned", [True, False])
def test_what_is_refused_leaves_what_is_there(bound: Project, case: str, pinned: bool) -> None:
    changes, code, why = REFUSED[case]
    if not pinned:
        bound.settings(state={})
    before = bound.state_bytes()
    ran = pushed(bound, **changes)
    assert (ran.code, ran.out) == (code, "")
    assert why in ran.err
    assert bound.state_bytes() == before


@pytest.mark.parametrize("restore", [(), ("--restore",)])
def test_a_journal_or_an_open_create_is_not_overwritten(bound: Project, restore: tuple[str, ...]) -> None:
    journal(bound, records.retired("other"))
    ran = pushed(bound, *restore, serial=9)
    assert ran.code == 6
    bound.journal.unlink()
    open_ = replace(
        state_of(bound), unresolved={"lost": Intent("0123abcd", "2031-01-01T00:00:00+00:00", {"name": "x"})}
    )
    bound.state_file.write_text(to_text(open_))
    before = bound.state_bytes()
    ran = pushed(bound, *restore, serial=9, unresolved={})
    assert ran.code == 7
    assert "state resolve lost" in ran.err
    assert bound.state_bytes() == before


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b"not a state"])
def test_a_file_that_is_no_state_is_not_pushed(bound: Project, content: bytes) -> None:
    before = bound.state_bytes()
    (bound.root / "file.json").write_bytes(content)
    ran = bound.run("state", "push", "file.json")
    assert ran.code == 6
    assert "file.json" in ran.err
    assert bound.run("state", "push", "nobody.json").code == 1
    assert bound.state_bytes() == before


def test_an_older_one_is_restored_above_all_that_is_known(bound: Project) -> None:
    older = bound.state_file.read_bytes()
    bound.declare({"bot": custom(), "other": custom(), "third": custom()})
    bound.apply()
    third, serial = bound.bound("third"), bound.state["serial"]
    (bound.root / "older.json").write_bytes(older)
    ran = bound.ok("state", "push", "older.json", "--restore")
    assert bound.state["serial"] == serial + 1
    assert f"only the state before knew third → {third}" in ran.out
    assert set(bound.json("outputs").json["outputs"]) == {"bot", "other"}
    assert bound.plan().actions() == {"third": "create"}
    bound.ok("import", "third", third)


@pytest.mark.parametrize("lose", [lambda path: path.unlink(), lambda path: path.write_bytes(b"{ damaged")])
def test_a_lost_state_is_restored_where_its_lineage_is_pinned(
    bound: Project, lose: Callable[[Path], Any]
) -> None:
    bound.ok("state", "pull", "--output", "kept.json")
    serial = bound.state["serial"]
    lose(bound.state_file)
    assert bound.run("state", "push", "kept.json").code == 6
    bound.ok("state", "push", "kept.json", "--restore")
    assert bound.state["serial"] == serial + 1
    bound.assert_settled()
    bound.apply()


@pytest.mark.parametrize("restore", [(), ("--restore",)])
def test_nothing_is_begun_where_no_lineage_is_pinned(bound: Project, restore: tuple[str, ...]) -> None:
    bound.ok("state", "pull", "--output", "kept.json")
    bound.settings(state={})
    bound.state_file.unlink()
    ran = bound.run_alone("state", "push", "kept.json", *restore)
    assert ran.code == 6
    assert "pin `lineage: " in ran.err
    assert not bound.state_file.exists()


def test_versions_are_listed_the_newest_first(bound: Project) -> None:
    assert "No earlier version" in bound.ok("state", "versions").out
    _git(bound.root, "init")
    for serial in (3, 4):
        bound.state_file.write_text(to_text(replace(state_of(bound), serial=serial)))
        _git(bound.root, "add", "--all")
        _git(bound.root, "commit", "--message", str(serial))
    found = bound.json("state", "versions").json["versions"]
    assert [one["serial"] for one in found] == [4, 3]
    assert "git restore" in bound.ok("state", "versions").out


def test_paths_name_the_files_that_a_job_must_commit(bound: Project) -> None:
    assert bound.ok("state", "paths").out == "defendctl.state.json\n"
    journal(bound, records.retired("other"))
    assert bound.ok("state", "paths").out == "defendctl.state.json\ndefendctl.state.json.journal\n"
    (bound.root / "workflows" / "x").mkdir()
    assert bound.json("state", "paths", "-C", "workflows").json["paths"][0] == "../defendctl.state.json"
    bound.settings(state={"url": "git+origin?key=checkout"})
    assert bound.ok("state", "paths").out == ""


def test_paths_name_a_journal_that_is_gone_while_git_has_it(bound: Project) -> None:
    journal(bound, records.retired("other"))
    _git(bound.root, "init")
    _git(bound.root, "add", "--all")
    bound.journal.unlink()
    assert "defendctl.state.json.journal\n" in bound.ok("state", "paths").out


def test_paths_of_every_environment(bound: Project) -> None:
    envs = {"staging": {}, "production": {"state": {"path": "kept/production.json"}}}
    bound.settings(environments={**envs, "elsewhere": {"state": {"url": "git+origin?key=a"}}})
    for env in envs:
        bound.ok("init", "--env", env, "--new-state")
    assert bound.run("state", "paths").code == 64
    assert bound.ok("state", "paths", "--env", "staging").out == "defendctl.staging.state.json\n"
    every = bound.ok("state", "paths", "--all-envs").out.splitlines()
    assert every == ["defendctl.staging.state.json", "kept/production.json"]
    assert json.loads(bound.ok("state", "paths", "--all-envs", "--format", "json").out)["paths"] == every


def _git(root: Path, *words: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *words], cwd=root, check=True, capture_output=True)
