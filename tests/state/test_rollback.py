"""A state that went back in time, or lacks what is known here, is gone on from by no command that writes."""

from __future__ import annotations

import json
import shlex
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from defendctl.state import records
from defendctl.state.document import from_text, to_text
from defendctl.state.lines import stamp
from tests.conftest import custom
from tests.state.given import begun

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Project

WRITING = (
    ["apply", "--yes"],
    ["state", "mv", "a", "x"],
    ["state", "rm", "a"],
    ["state", "resolve", "c", "--not-created", "--now"],
    ["import", "c", "FOUND"],
    ["import", "--from", "ids.json"],
    ["test", "--create-canary"],
)


@pytest.fixture
def taken_back(project: Project) -> Project:
    """a and z were applied, then b as well; the state of before is back."""
    workflow = custom()
    project.declare({"a": workflow, "z": workflow, "c": workflow})
    project.ok("apply", "--yes", "--target", "a", "--target", "z")
    old = project.state_file.read_bytes()
    project.declare({"a": workflow, "b": workflow, "z": workflow, "c": workflow})
    project.ok("apply", "--yes", "--target", "b")
    project.state_file.write_bytes(old)
    (project.root / "ids.json").write_text(json.dumps({"c": project.server.add(name="c")}))
    return project


@pytest.mark.parametrize("command", WRITING, ids=" ".join)
def test_every_writing_command_refuses_and_names_what_to_restore(
    taken_back: Project, command: list[str]
) -> None:
    kept, before = copies(taken_back), taken_back.files()
    found = json.loads((taken_back.root / "ids.json").read_text())["c"]
    ran = taken_back.ok(*[found if word == "FOUND" else word for word in command], code=6)
    assert "it was rolled back" in ran.err
    assert f"restore serial 3: `defendctl state push {kept[-1]} --restore`" in ran.err
    assert taken_back.files() == before
    assert taken_back.server.count("POST") == 3
    assert taken_back.ok("doctor", code=6)


def test_restored_it_goes_on(taken_back: Project) -> None:
    taken_back.state_file.write_bytes(copies(taken_back)[-1].read_bytes())
    taken_back.ok("apply", "--yes", "--target", "b")
    assert taken_back.server.count("POST") == 3


@pytest.mark.parametrize("gone", [False, True], ids=["rolled-back", "missing"])
def test_the_command_that_is_printed_restores_it(taken_back: Project, gone: bool) -> None:
    taken_back.settings()
    if gone:
        taken_back.state_file.unlink()
    ran = taken_back.ok("apply", "--yes", code=6)
    printed = ran.err.partition("restore serial 3: `defendctl ")[2].partition("`")[0]
    taken_back.ok(*shlex.split(printed))
    taken_back.ok("apply", "--yes", "--target", "b")
    assert taken_back.server.count("POST") == 3


def test_a_copy_is_never_replaced_by_that_of_another_writer(project: Project) -> None:
    project.declare({"a": custom()})
    project.apply()
    project.declare({"a": custom(), "b": custom()})
    project.apply()
    older, mine = copies(project)[-2:]
    before = mine.read_bytes()
    project.state_file.write_bytes(older.read_bytes())
    mine.rename(project.root / "hidden")
    project.ok("state", "mv", "a", "x")
    (project.root / "hidden").rename(mine)
    assert mine.read_bytes() == before
    assert len(copies(project)) == 4


def test_a_refused_apply_folds_no_journal(taken_back: Project) -> None:
    state = from_text(taken_back.state_file.read_text())
    journal = begun(taken_back.journal, "j", stamp(state))
    journal.append([records.retired("a")])
    journal.close()
    before = taken_back.state_bytes()
    taken_back.ok("apply", "--yes", code=6)
    assert taken_back.state_bytes() == before


def fork(project: Project, ahead: int, address: str) -> None:
    """The state as another machine wrote it, from the one before ours, `ahead` serials further."""
    state = from_text(copies(project)[-2].read_text())
    for n in range(ahead + 1):
        state.ancestors = (state.writer, *state.ancestors)
        state.serial, state.writer = state.serial + 1, f"other{n}"
    records.take(state, {"do": "moved", "address": address, "from": "a"})
    project.state_file.write_text(to_text(state))


@pytest.mark.parametrize("ahead", [1, 2, 9])
def test_a_fork_of_a_higher_serial_that_lacks_what_is_known_here(project: Project, ahead: int) -> None:
    project.declare({"a": custom()})
    project.apply()
    project.declare({"a": custom(), "b": custom()})
    project.apply()
    b = project.bound("b")
    fork(project, ahead, "moved")
    project.declare({"moved": custom(), "b": custom()})
    ran = project.ok("apply", "--yes", code=6)
    assert f"it lacks b → {b}" in ran.err
    assert "older-state" in project.ok("plan").err, "plan warns"


def test_a_state_that_came_from_ours_may_forget_what_we_know(project: Project) -> None:
    """`state rm` on another machine, and more: that is no fork."""
    project.declare({"a": custom(), "b": custom()})
    project.apply()
    state = from_text(project.state_file.read_text())
    for n in range(3):
        state.ancestors = (state.writer, *state.ancestors)
        state.serial, state.writer = state.serial + 1, f"other{n}"
    del state.bindings["b"]
    project.state_file.write_text(to_text(state))
    project.declare({"a": custom()})
    project.ok("apply", "--yes")


@pytest.fixture
def committed(project: Project) -> Project:
    """The state of each of two applies is a commit; then the first one is back, in a clone without copies."""
    project.declare({"a": custom()})
    git(project.root, "init", "-q")
    for names in (("a",), ("a", "b")):
        project.declare({name: custom() for name in names})
        project.apply()
        git(project.root, "add", "defendctl.state.json", "workflows")
        git(project.root, "commit", "-qm", " ".join(names))
    for copy in copies(project):
        copy.unlink()
    return project


def test_a_revert_is_noticed_where_no_copy_is(committed: Project) -> None:
    git(committed.root, "checkout", "HEAD~1", "--", "defendctl.state.json")
    git(committed.root, "commit", "-qm", "back")
    newest = git(committed.root, "rev-parse", "HEAD~1").strip()
    ran = committed.ok("apply", "--yes", code=6)
    assert "its serial 3 is in git" in ran.err
    assert f"git restore --source {newest[:12]}" in ran.err
    assert committed.server.count("POST") == 2
    assert "its serial 3 is in git" in committed.ok("doctor", code=6).out


@pytest.mark.parametrize("way", [["--detach"], ["-b", "again"], ["-B", "main"]])
def test_an_old_commit_that_is_checked_out_by_itself(
    committed: Project, tmp_path: Path, way: list[str]
) -> None:
    """As by a CI job that is run again, in a clone of its own: the branches know the newer state."""
    there = tmp_path / "clone"
    git(committed.root, "clone", "-q", str(committed.root), str(there))
    git(there, "checkout", "-q", *way, "HEAD~1")
    again = replace(committed, root=there)
    ran = again.ok("apply", "--yes", code=6)
    assert "its serial 3 is in git" in ran.err
    assert "older-state" in again.ok("plan").err


def test_an_older_copy_is_not_called_the_newest_good_one(committed: Project) -> None:
    """git has a newer one than the copies of this machine."""
    folder = committed.root / ".defendctl" / "backups" / committed.state_file.name
    old = git(committed.root, "show", "HEAD~1:defendctl.state.json")
    state = from_text(old)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{state.lineage}.{state.serial:08d}.{state.writer}.json").write_text(old)
    committed.state_file.write_text("{")
    ran = committed.ok("apply", "--yes", code=6)
    assert "restore serial 3: `git restore" in ran.err
    command = ran.err.split("`")[-2]
    subprocess.run(["sh", "-c", command], cwd=committed.root, check=True)
    committed.ok("apply", "--yes")


def test_a_journal_with_the_line_ends_of_windows_is_read(project: Project) -> None:
    left(project)
    project.journal.write_bytes(project.journal.read_bytes().replace(b"\n", b"\r\n"))
    assert project.json("state", "list").json["bindings"][-1]["workflow_id"] == "wkfl_c"
    project.run("apply", "--yes")
    assert not project.journal.exists()


def test_a_journal_with_marks_of_a_conflict_names_what_is_in_it(project: Project) -> None:
    left(project)
    lines = project.journal.read_bytes().splitlines(keepends=True)
    marked = [*lines[:1], b"<<<<<<< HEAD\n", *lines[1:], b"=======\n", b">>>>>>> other\n"]
    project.journal.write_bytes(b"".join(marked))
    for command in (["plan"], ["apply", "--yes"], ["outputs"]):
        ran = project.ok(*command, code=6)
        assert "it contains git merge conflict markers, the first on line 2" in ran.err
        assert "it binds c → wkfl_c; a create of d was under way" in ran.err
        assert "defendctl import ADDRESS WORKFLOW_ID" in ran.err


def test_init_keeps_git_from_touching_them(tmp_path: Path, project: Project) -> None:
    project.ok("init")
    git(project.root, "init", "-q")
    for name in ("defendctl.state.json", "defendctl.state.json.journal"):
        said = git(project.root, "check-attr", "text", "merge", "--", name).split("\n")
        assert [line.rpartition(": ")[2] for line in said[:2]] == ["unset", "unset"]


def left(project: Project) -> None:
    """What a run left that was killed: c is bound, and d may have been created."""
    from defendctl.model import Intent

    project.declare({"a": custom()})
    project.apply()
    journal = begun(project.journal, "j", stamp(from_text(project.state_file.read_text())))
    for address in ("c", "d"):
        intent = Intent(f"op{address}", "2026-01-01T00:00:00+00:00", {"name": address})
        journal.append([records.intent(address, intent)])
    journal.append([records.bound("c", "opc", "wkfl_c")])
    journal.close()


def copies(project: Project) -> list[Path]:
    return sorted((project.root / ".defendctl" / "backups" / project.state_file.name).iterdir())


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=n", "-c", "user.email=e@x.invalid"]
    ran = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return ran.stdout
