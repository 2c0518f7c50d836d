"""`init --ci`: what it writes, what it leaves, and what it says is to be done next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.test_cli import run
from tests.operations.test_init import snapshot
from tests.pipelines.declared import ALONE, ENVIRONMENTS, repository, written

if TYPE_CHECKING:
    from pathlib import Path

PLAN = ".github/workflows/guardrails-plan.yml"
NAMES = [f".github/workflows/guardrails-{name}.yml" for name in ("plan", "apply", "drift")]


def test_it_says_what_it_wrote_and_what_comes_next(tmp_path: Path) -> None:
    ran = written(repository(tmp_path, ENVIRONMENTS.replace(", lineage: 9c0e", "")), "github")
    assert ran.out.splitlines()[:4] == [*(f"wrote  {name}" for name in NAMES), "Next:"]
    assert "uv pip compile --universal --generate-hashes" in ran.out
    assert "init --env production" in ran.out
    assert "production with the secret DEEPRAILS_PRODUCTION_KEY" in ran.out
    assert "printed" not in ran.out
    (tmp_path / ".github" / "defendctl.lock").write_text("")
    again = written(tmp_path, "github", "--format", "json")
    assert [(one["name"], one["fate"]) for one in again.json["files"]] == [(name, "equal") for name in NAMES]
    assert not any("uv pip compile" in step for step in again.json["next"])


@pytest.mark.parametrize("forge", ["github", "gitlab"])
def test_trusting_says_who_can_read_the_key(forge: str, tmp_path: Path) -> None:
    assert "Whoever may push a branch can have" in written(repository(tmp_path), forge, "--trusting").out


def test_check_tells_whether_the_files_are_behind(tmp_path: Path) -> None:
    root = repository(tmp_path)
    assert f"lacks  {PLAN}" in written(root, "github", "--check", code=2).out
    assert not (root / ".github").exists()
    written(root, "github")
    written(root, "github", "--check")
    project = root / "defendctl.yaml"
    project.write_text(ENVIRONMENTS + '  canada: {state: {url: "git+origin?key=canada"}}\n')
    told = written(root, "github", "--check", code=2).out
    assert "behind .github/workflows/guardrails-apply.yml" in told
    assert "`defendctl init --ci github`" in told
    assert "wrote  .github/workflows/guardrails-apply.yml" in written(root, "github").out
    written(root, "github", "--check")


def test_git_may_change_its_line_ends(tmp_path: Path) -> None:
    root = repository(tmp_path)
    written(root, "github")
    path = root / PLAN
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    written(root, "github", "--check")


def test_what_somebody_changed_is_kept_while_the_template_is_the_newest(tmp_path: Path) -> None:
    root = repository(tmp_path)
    written(root, "github")
    changed = (root / PLAN).read_text().replace("ubuntu-latest", "our-runner")
    (root / PLAN).write_text(changed)
    written(root, "github", "--check")
    assert "changed by hand" in written(root, "github").out
    assert (root / PLAN).read_text() == changed


@pytest.mark.parametrize("how", ["changed", "foreign", "link"])
def test_what_would_be_lost_stops_all_of_it(how: str, tmp_path: Path) -> None:
    root = repository(tmp_path)
    path = root / PLAN
    if how == "changed":
        written(root, "github")
        path.write_text(path.read_text().replace("ubuntu-latest", "our-runner"))
    else:
        path.parent.mkdir(parents=True)
        path.write_text("on: push\n") if how == "foreign" else path.symlink_to(root / "elsewhere")
    before = snapshot(root)
    assert "behind" in written(root, "github", "--trusting", "--check", code=2).out
    ran = written(root, "github", "--trusting", code=1)
    assert "nothing is written" in ran.err
    assert "move it out of the way" in ran.err
    assert snapshot(root) == before


def test_a_state_in_a_file_is_not_for_jobs(tmp_path: Path) -> None:
    """What a job wrote there would be lost, and made a second time by the next one."""
    root = repository(tmp_path, "version: 1\nenvironments: {staging: {}, production: {}}\n")
    ran = written(root, "gitlab", code=6)
    assert "the state of staging and production is a file" in ran.err
    assert "state migrate --to 'git+origin?key=staging' --env staging" in ran.err.replace('"', "'")
    assert not (root / ".gitlab").exists()


def test_a_project_below_the_top_of_its_repository(tmp_path: Path) -> None:
    root = repository(tmp_path, below="teams/bots")
    written(root, "github")
    written(root, "gitlab")
    plan = (tmp_path / ".github" / "workflows" / "guardrails-teams-bots-plan.yml").read_text()
    assert "working-directory: teams/bots" in plan
    jobs = (tmp_path / ".gitlab" / "guardrails-teams-bots.yml").read_text()
    assert "- cd teams/bots\n" in jobs
    assert "paths: [teams/bots/guardrails/]" in jobs


def test_a_project_without_environments(tmp_path: Path) -> None:
    root = repository(tmp_path, ALONE)
    written(root, "github")
    apply = (root / NAMES[1]).read_text()
    assert "environment: production" in apply
    assert "--env" not in apply
    assert "needs:" not in apply


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--ci", "github", "--pin", "v1"], "all 40 characters"),
        (["--ci", "gitlab", "--pin", "a" * 40], "GitHub action"),
        (["--ci", "github", "--env", "staging"], "leave --env out"),
        (["--ci", "github", "--branch", "a b"], "--branch"),
        (["--check"], "--ci"),
        (["--trusting"], "--ci"),
        (["--format", "json"], "--ci"),
    ],
    ids=str,
)
def test_a_command_line_that_means_nothing(options: list[str], words: str, tmp_path: Path) -> None:
    ran = run(repository(tmp_path), "init", *options)
    assert (ran.code, words in ran.err) == (64, True), ran.err
    assert not (tmp_path / ".github").exists()


def test_without_a_project_there_is_nothing_to_write_for(tmp_path: Path) -> None:
    ran = written(tmp_path, "github", code=1)
    assert "defendctl init" in ran.err
