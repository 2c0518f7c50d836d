"""A state that is a file in git: what a job wrote reaches the branch, whatever was pushed meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.ci.team import bot
from tests.conftest import Project, custom
from tests.operations.test_checkout import git

if TYPE_CHECKING:
    from pathlib import Path

STATE = "defendctl.state.json"


@pytest.fixture
def kept(project: Project, tmp_path: Path) -> Project:
    """One workflow is applied, and its state is committed on main of `origin`."""
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "origin.git")
    git(project.root, "init", "-q", "-b", "main")
    git(project.root, "remote", "add", "origin", str(tmp_path / "origin.git"))
    (project.root / ".gitignore").write_text(".defendctl/\n")
    project.declare({"a": bot(0.9)})
    project.apply()
    project.settings()
    pushed(project, "begun")
    return project


def pushed(project: Project, message: str) -> None:
    git(project.root, "add", "-A")
    git(project.root, "commit", "-qm", message)
    git(project.root, "push", "-q", "origin", "main")


def on_main(project: Project, file: str) -> str:
    git(project.root, "fetch", "-q", "origin")
    return git(project.root, "show", f"origin/main:{file}")


def elsewhere(project: Project, folder: Path, file: str, text: str) -> None:
    """Somebody else pushes to main."""
    git(folder, "clone", "-q", str(folder / "origin.git"), "other")
    (folder / "other" / file).write_text(text)
    git(folder / "other", "add", "-A")
    git(folder / "other", "commit", "-qm", "theirs")
    git(folder / "other", "push", "-q", "origin", "main")


def changed(project: Project) -> str:
    project.declare({"a": bot(0.8), "b": custom()})
    project.apply()
    return project.state_file.read_text().strip()


def test_the_state_goes_on_top_of_what_was_pushed_meanwhile(kept: Project, tmp_path: Path) -> None:
    head = git(kept.root, "rev-parse", "HEAD")
    assert kept.ok("ci", "keep-state", "--branch", "main", "--begin").out == "main takes pushes\n"
    assert git(tmp_path / "origin.git", "log", "-1", "--format=%s", "main") == "An apply begins (defendctl)"
    wrote = changed(kept)
    elsewhere(kept, tmp_path, "readme.md", "theirs")
    assert "main has the state now" in kept.ok("ci", "keep-state", "--branch", "main").out
    assert on_main(kept, STATE) == wrote
    assert on_main(kept, "readme.md") == "theirs"
    assert "0.9" in on_main(kept, "workflows/all.yaml"), "nothing but the state"
    assert git(kept.root, "rev-parse", "HEAD") == head, "this checkout is as it was"
    assert "has the state already" in kept.ok("ci", "keep-state", "--branch", "main").out


def test_the_journal_of_a_job_that_was_killed_is_kept_and_goes_with_the_next(kept: Project) -> None:
    kept.journal.write_text('{"torn')
    kept.ok("ci", "keep-state", "--branch", "main")
    assert on_main(kept, kept.journal.name) == '{"torn'
    git(kept.root, "reset", "-q", "--hard", "origin/main")
    kept.journal.unlink()
    kept.ok("ci", "keep-state", "--branch", "main")
    git(kept.root, "fetch", "-q", "origin")
    assert kept.journal.name not in git(kept.root, "ls-tree", "--name-only", "origin/main")


def test_a_state_that_another_run_wrote_is_not_written_over(kept: Project, tmp_path: Path) -> None:
    elsewhere(kept, tmp_path, STATE, "theirs")
    assert "written by another run" in kept.ok("ci", "keep-state", "--branch", "main", "--begin", code=6).err
    changed(kept)
    ran = kept.ok("ci", "keep-state", "--branch", "main", code=6)
    assert "defendctl import" in ran.err
    assert on_main(kept, STATE) == "theirs"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--begin"], "nothing was applied"),
        ([], f"artefact, for they hold ids that nothing else knows: {STATE}"),
    ],
)
def test_a_branch_that_takes_no_push(kept: Project, tmp_path: Path, options: list[str], words: str) -> None:
    hook = tmp_path / "origin.git" / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    changed(kept)
    ran = kept.ok("ci", "keep-state", "--branch", "main", *options, code=6)
    assert "main does not take this push" in ran.err
    assert words in ran.err


def test_there_is_nothing_to_keep_of_a_state_that_is_elsewhere(kept: Project) -> None:
    kept.settings(state={"url": "git+origin?key=k", "lineage": kept.state["lineage"]})
    assert "not in a file" in kept.ok("ci", "keep-state", "--branch", "main", code=1).err


def test_a_branch_that_is_not_there(kept: Project) -> None:
    assert "git:" in kept.ok("ci", "keep-state", "--branch", "trunk", code=1).err
    kept.ok("ci", "keep-state", "--branch=-x", code=1)
