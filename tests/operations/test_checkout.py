"""A checkout that is older than the one last applied: plan warns, apply refuses."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.conftest import Project, custom

if TYPE_CHECKING:
    from pathlib import Path

DATED = iter(range(1_700_000_000, 1_800_000_000, 60))


def git(folder: Path, *arguments: str) -> str:
    """Each commit a minute later than the one before."""
    when = f"{next(DATED)} +0000"
    ran = subprocess.run(
        ["git", "-c", "user.name=n", "-c", "user.email=e@x.invalid", *arguments],
        cwd=folder,
        env={**os.environ, "GIT_COMMITTER_DATE": when, "GIT_AUTHOR_DATE": when},
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout.strip()


def commit(project: Project, message: str) -> str:
    git(project.root, "add", "-A", ":!*.state.json*")
    git(project.root, "commit", "-qm", message)
    return git(project.root, "rev-parse", "HEAD")


@pytest.fixture
def repository(project: Project) -> Project:
    """A project in git whose state is not in it, as on a shared engine; one commit is applied."""
    project.declare({"a": custom(metrics={"completeness": 0.7})})
    git(project.root, "init", "-q", "-b", "main")
    (project.root / ".gitignore").write_text(".defendctl/\n*.state.json*\n")
    project.apply()
    project.settings()
    commit(project, "first")
    return project


def applied(project: Project, threshold: float, **more: object) -> str:
    """Declares, commits and applies; returns the commit."""
    project.declare({"a": custom(metrics={"completeness": threshold}), **more})
    made = commit(project, f"{threshold}")
    project.apply()
    return made


def codes(project: Project) -> set[str]:
    found = {d["code"] for d in project.plan().json["diagnostics"]}
    return {code for code in found if code.endswith("-checkout")}


def test_the_state_says_from_which_commit_it_was_applied(repository: Project) -> None:
    repository.env |= {
        "GITHUB_RUN_ID": "7",
        "GITHUB_SERVER_URL": "https://ci.invalid",
        "GITHUB_REPOSITORY": "o/r",
    }
    made = applied(repository, 0.9)
    told = repository.state["last_attempted_revision"]
    assert told["commit"] == made
    assert told["ref"] == "main"
    assert told["run"] == "https://ci.invalid/o/r/actions/runs/7"
    assert str(told["time"]) == git(repository.root, "log", "-1", "--format=%ct")
    assert repository.state["last_applied_revision"] == told


def test_yesterdays_checkout_neither_loosens_nor_creates(repository: Project) -> None:
    newest = applied(repository, 0.9, b=custom())
    git(repository.root, "checkout", "-q", "HEAD~1")
    assert codes(repository) == {"older-checkout"}
    posts = repository.server.count("POST")
    ran = repository.ok("apply", "--yes", code=6)
    assert f"older than the one last applied, {newest[:12]} on main" in ran.err
    assert (repository.server.count("PUT"), repository.server.count("POST")) == (1, posts)
    repository.env["DEFENDCTL_APPLY_OLDER_CHECKOUT"] = "1"
    repository.ok("apply", "--yes", code=6)
    repository.apply("--older-checkout")
    assert repository.server.count("PUT") == 2


def test_a_descendant_goes_on(repository: Project) -> None:
    applied(repository, 0.9)
    repository.declare({"a": custom(metrics={"completeness": 0.8})})
    commit(repository, "next")
    assert codes(repository) == set()
    repository.apply()


def test_a_revert_is_a_new_commit_and_goes_on(repository: Project) -> None:
    applied(repository, 0.9)
    git(repository.root, "revert", "--no-edit", "HEAD")
    assert codes(repository) == set()
    repository.apply()


def test_an_ancestor_that_differs_in_nothing_that_is_read(repository: Project) -> None:
    """Other files of the repository moved, as where there are several projects in it."""
    applied(repository, 0.9)
    (repository.root / "README.md").write_text("words")
    commit(repository, "docs")
    repository.declare({"a": custom(metrics={"completeness": 0.9}, description="d")})
    last = commit(repository, "described")
    repository.apply()
    assert repository.state["last_attempted_revision"]["commit"] == last
    git(repository.root, "revert", "--no-edit", "HEAD")
    repository.apply()
    (repository.root / "README.md").write_text("more words")
    commit(repository, "docs again")
    git(repository.root, "checkout", "-q", "HEAD~1")
    assert codes(repository) == set()


@pytest.mark.parametrize("gone", ["workflows/more/b.yaml", "policies/x.yaml"])
def test_an_ancestor_that_lacks_a_file(repository: Project, gone: str) -> None:
    """It would not be read there, for it is not there."""
    settings = json.loads((repository.root / "defendctl.yaml").read_text())
    repository.settings(**{**settings, "policy": {"include": ["policies/*.yaml"]}})
    (repository.root / "policies").mkdir()
    rule = {"id": "few", "level": "warn", "max_retries": 50}
    (repository.root / "policies" / "a.yaml").write_text(json.dumps({"version": 1, "rules": [rule]}))
    commit(repository, "a policy")
    path = repository.root / gone
    path.parent.mkdir(exist_ok=True)
    other = {"version": 1, "rules": [{**rule, "id": "other"}]}
    path.write_text(json.dumps({"version": 1, "workflows": {"b": custom()}} if "b.yaml" in gone else other))
    applied(repository, 0.8)
    git(repository.root, "checkout", "-q", "HEAD~1")
    repository.declare({"a": custom(metrics={"completeness": 0.8})})
    assert codes(repository) == {"older-checkout"}


def test_diverged_is_a_warning(repository: Project) -> None:
    git(repository.root, "checkout", "-qb", "other")
    repository.declare({"a": custom(metrics={"completeness": 0.6})})
    commit(repository, "other")
    git(repository.root, "checkout", "-q", "main")
    applied(repository, 0.9)
    git(repository.root, "checkout", "-q", "other")
    assert codes(repository) == {"diverged-checkout"}
    assert "diverged" in repository.apply().err


@pytest.fixture
def clone(repository: Project, tmp_path: Path) -> Project:
    """A shallow clone of the newest commit, on the state of the repository."""
    applied(repository, 0.9)
    return shallow(repository, tmp_path / "clone")


def shallow(repository: Project, path: Path, branch: str = "main") -> Project:
    url = repository.root.as_uri()
    git(path.parent, "clone", "-q", "--depth", "1", "--branch", branch, url, str(path))
    clone = Project(path, repository.server, repository.env)
    (path / "defendctl.state.json").symlink_to(repository.state_file)
    return clone


def test_a_shallow_clone_of_the_newest_commit_is_equal(clone: Project) -> None:
    assert codes(clone) == set()
    assert "this clone is shallow" in clone.ok("doctor").out


def test_a_shallow_clone_that_cannot_say(repository: Project, tmp_path: Path) -> None:
    applied(repository, 0.9)
    repository.declare({"a": custom(metrics={"completeness": 0.8})})
    commit(repository, "next")
    clone = shallow(repository, tmp_path / "clone")
    assert codes(clone) == {"unknown-checkout"}
    assert "fetch-depth: 0" in clone.ok("plan").err
    assert "this clone is shallow" in clone.apply().err


def test_a_shallow_clone_of_an_earlier_time_is_older(repository: Project, tmp_path: Path) -> None:
    git(repository.root, "branch", "before")
    applied(repository, 0.9)
    clone = shallow(repository, tmp_path / "clone", "before")
    assert codes(clone) == {"older-checkout"}
    clone.ok("apply", "--yes", code=6)


def test_no_git_at_all(repository: Project) -> None:
    applied(repository, 0.9)
    (repository.root / ".git").rename(repository.root / "no-git")
    assert codes(repository) == {"unknown-checkout"}
    assert "not a git repository" in repository.ok("plan").err


def test_nothing_is_recorded_of_a_checkout_that_is_not_as_committed(repository: Project) -> None:
    made = applied(repository, 0.9)
    repository.declare({"a": custom(metrics={"completeness": 0.8})})
    repository.apply()
    assert repository.state["last_attempted_revision"]["commit"] == made
    repository.declare({"b": custom()}, "workflows/untracked.yaml")
    repository.apply()
    assert repository.state["last_attempted_revision"]["commit"] == made


def test_a_run_that_does_nothing_records_nothing(repository: Project) -> None:
    made = applied(repository, 0.9)
    (repository.root / "README.md").write_text("words")
    commit(repository, "docs")
    before = repository.state_bytes()
    repository.apply()
    assert repository.state_bytes() == before
    assert repository.state["last_attempted_revision"]["commit"] == made


@pytest.mark.parametrize(
    "options", [["--target", "a"], ["-f", "workflows/all.yaml"], ["-l", "x"]], ids=" ".join
)
def test_a_part_of_it_is_attempted_and_not_applied(repository: Project, options: list[str]) -> None:
    first = applied(repository, 0.9)
    repository.declare({"a": custom(metrics={"completeness": 0.8}, labels={"x": "y"})})
    second = commit(repository, "labels")
    repository.apply(*options)
    assert repository.state["last_attempted_revision"]["commit"] == second
    assert repository.state["last_applied_revision"]["commit"] == first


def test_what_failed_is_attempted_and_not_applied(repository: Project) -> None:
    first = applied(repository, 0.9)
    repository.declare({"a": custom(metrics={"completeness": 0.8})})
    second = commit(repository, "fails")
    repository.server.fault("status", "PUT", status=422)
    repository.apply(code=1)
    assert repository.state["last_attempted_revision"]["commit"] == second
    assert repository.state["last_applied_revision"]["commit"] == first


def test_the_sandbox_neither_records_nor_compares(repository: Project) -> None:
    repository.ok("apply", "--sandbox", "--yes")
    state = json.loads((repository.root / ".defendctl" / "sandbox.state.json").read_text())
    assert "last_attempted_revision" not in state


def test_no_hook_and_no_monitor_runs(repository: Project) -> None:
    """Whatever a repository has configured is none of ours to run."""
    trap = repository.root / "trap"
    trap.write_text("#!/bin/sh\ntouch trapped\n")
    trap.chmod(0o755)
    for setting in ("core.fsmonitor", "diff.external"):
        git(repository.root, "config", setting, str(trap))
    git(repository.root, "config", "core.hooksPath", str(repository.root))
    index = (repository.root / ".git" / "index").stat().st_mtime_ns
    applied_before = repository.plan()
    assert applied_before.code == 0
    assert not list(repository.root.rglob("trapped"))
    assert (repository.root / ".git" / "index").stat().st_mtime_ns == index
