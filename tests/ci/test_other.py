"""Environments, any other CI, a comment of one's own, and how two commits are related."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from defendctl.ci.choose import open_forge
from defendctl.cli import delivery
from defendctl.operations import ci_plan
from tests.ci.fake_gitlab import FakeGitLab
from tests.ci.served import serving
from tests.ci.team import bot
from tests.conftest import custom
from tests.operations.test_checkout import commit, git

if TYPE_CHECKING:
    from pathlib import Path

    from tests.ci.team import Team
    from tests.conftest import Project


@pytest.fixture
def fleet(project: Project, tmp_path: Path) -> Project:
    """Two environments on one API, both applied."""
    project.settings(environments={"staging": None, "production": None})
    project.declare({"a": custom(metrics={"completeness": 0.9})})
    for name in ("staging", "production"):
        project.ok("apply", "--yes", "--env", name)
    return project


def test_every_environment_in_order(fleet: Project, tmp_path: Path) -> None:
    fleet.declare({"a": custom(metrics={"completeness": 0.7})})
    out = tmp_path / "plans"
    fleet.ok("ci", "plan", "--out-dir", str(out))
    assert sorted(path.name for path in out.iterdir()) == [
        "production.plan.json",
        "production.plan.md",
        "staging.plan.json",
        "staging.plan.md",
    ]
    plan = json.loads((out / "staging.plan.json").read_text())
    assert (plan["environment"], len(plan["fingerprints"])) == ("staging", 1)
    fleet.ok("apply", "--env", "staging", "--reviewed", str(out / "staging.plan.json"))
    fleet.ok("apply", "--env", "production", "--reviewed", str(out / "staging.plan.json"), code=6)


def test_git_tells_the_commit_where_no_forge_does(fleet: Project, tmp_path: Path) -> None:
    git(fleet.root, "init", "-q", "-b", "main")
    head, out = commit(fleet, "Both"), tmp_path / "plans"
    fleet.ok("ci", "plan", "--out-dir", str(out))
    assert f"Commit `{head}`" in (out / "staging.plan.md").read_text()


def test_a_long_summary_has_room_for_each(
    fleet: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What the first of them says leaves no less to the second."""
    for module in (ci_plan, delivery):
        monkeypatch.setattr(module, "SUMMARY", 40_000)
    monkeypatch.setattr(ci_plan, "COMMENT", 10_000)
    summary = tmp_path / "summary.md"
    fleet.env["GITHUB_STEP_SUMMARY"] = str(summary)
    fleet.declare({f"w{n}": custom(description="d" * 300) for n in range(200)})
    fleet.ok("ci", "plan")
    text = summary.read_text()
    assert len(text.encode()) <= 40_000
    assert text.count("200 created") == 2
    fleet.ok("apply", "--yes", "--env", "staging")
    summary.write_text("x" * 30_000)
    fleet.server.fault("status", "PUT", status=422, times=None, body='{"message": "no"}')
    fleet.declare({f"w{n}": custom(description="e" * 300) for n in range(200)})
    named = fleet.json("plan", "--env", "staging").json
    fleet.ok("ci", "apply", "--env", "staging", "--approve", f"{named['digest']}@{named['serial']}", code=1)
    assert "Applied to `staging`: 200 failed" in summary.read_text()
    assert "the rest does not fit: it is in the log" in summary.read_text()
    assert len(summary.read_bytes()) <= 40_000


def test_some_of_them(fleet: Project) -> None:
    ran = fleet.ok("ci", "plan", "--env", "production", "--env", "staging")
    assert ran.out.index("production") < ran.out.index("staging")
    fleet.ok("ci", "plan", "--env", "prod", code=64)
    fleet.ok("ci", "apply", "--approve", "sha256:" + "0" * 64, code=64)


def test_the_worst_plan_wins_and_the_others_are_shown(fleet: Project) -> None:
    fleet.declare({"a": custom(metrics={"completeness": 0.7})})
    (fleet.root / "defendctl.staging.state.json").write_text("{")
    ran = fleet.ok("ci", "plan", code=6)
    assert "0.9 -> 0.7" in ran.out


def test_the_first_that_fails_is_the_last(fleet: Project) -> None:
    fleet.declare({"a": custom(metrics={"completeness": 0.7})})
    puts = fleet.server.count("PUT")
    ran = fleet.run_alone("ci", "apply")
    assert ran.code == 6
    assert "staging" in ran.out
    assert "production: not" not in ran.out
    assert fleet.server.count("PUT") == puts


def test_without_a_forge_reviews_are_plan_files(fleet: Project, tmp_path: Path) -> None:
    fleet.declare({"a": custom(metrics={"completeness": 0.7})})
    ran = fleet.run_alone("ci", "apply", "--env", "staging")
    assert ran.code == 6
    assert "(--forge none: no forge tells what was reviewed)" in ran.err
    assert "request" not in ran.err
    missing = str(tmp_path / "missing.plan.json")
    for words in ("plan --env staging --out FILE", "apply --env staging --reviewed FILE"):
        assert f"`defendctl {words}`" in ran.err
        fleet.ok(*words.replace("FILE", missing).split())
    assert "nothing to do" in fleet.ok("ci", "apply", "--env", "staging").out


def test_without_a_forge_consent_is_a_digest(fleet: Project) -> None:
    fleet.declare({"a": custom(metrics={"completeness": 0.7})})
    for name in ("staging", "production"):
        named = fleet.json("plan", "--env", name).json
        fleet.ok("ci", "apply", "--env", name, "--approve", f"{named['digest']}@{named['serial']}")
        again = fleet.ok("ci", "apply", "--env", name)
        assert "nothing to do" in again.out


def test_a_lock_is_waited_for(fleet: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from defendctl.operations import ci_apply
    from defendctl.operations.apply import apply
    from defendctl.state.backend import Locked

    tries: list[int] = []

    def busy(*arguments: object) -> object:
        tries.append(1)
        if len(tries) < 3:
            raise Locked("another run has it")
        return apply(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(ci_apply, "apply", busy)
    monkeypatch.setattr(ci_apply, "_EACH", 0.01)
    fleet.ok("ci", "apply", "--env", "staging", "--wait-lock", "1s")
    assert len(tries) == 3
    tries.clear()
    fleet.ok("ci", "apply", "--env", "staging", code=6)
    assert len(tries) == 1


def test_a_comment_of_ones_own(team: Team) -> None:
    number = team.request(a=bot(0.7), b=bot(0.9))
    team.plan(number)
    (team.project.root / "note.md").write_text("first")
    ran = team.project.ok("ci", "comment", "--marker", "load-test", "note.md")
    assert ran.out.startswith("https://github.invalid/c/")
    (team.project.root / "note.md").write_text("second")
    team.project.ok("ci", "comment", "--marker", "load-test", "note.md")
    assert team.github.texts(number)[1:] == ["<!-- defendctl:comment load-test -->\nsecond"]


@pytest.mark.parametrize(
    ("marker", "content", "code"),
    [("a b", b"x", 64), ("-->", b"x", 64), ("m", b"\xff", 1), ("m", b"x" * 70_000, 1), ("m", None, 1)],
    ids=str,
)
def test_what_is_no_comment(team: Team, marker: str, content: bytes | None, code: int) -> None:
    number = team.request(a=bot(0.7), b=bot(0.9))
    team.plan(number)
    if content is not None:
        (team.project.root / "note.md").write_bytes(content)
    team.project.ok("ci", "comment", f"--marker={marker}", "note.md", code=code)
    assert len(team.github.texts(number)) == 1


def test_how_two_commits_are_related(team: Team) -> None:
    root = team.project.root
    first = git(root, "rev-parse", "HEAD")
    team.project.declare({"a": bot(0.8)})
    second = commit(team.project, "second")
    git(root, "checkout", "-qb", "side", first)
    team.project.declare({"a": bot(0.6)})
    side = commit(team.project, "side")
    github = {"GITHUB_REPOSITORY": "o/r", "GITHUB_API_URL": team.github.url, "GH_TOKEN": team.github.token}
    expected = [(first, first, "same"), (first, second, "descendant"), (second, first, "ancestor")]
    expected += [(second, side, "diverged")]
    with serving(FakeGitLab("t", folder=root)) as lab:
        gitlab = {"CI_PROJECT_ID": "42", "CI_API_V4_URL": lab.url, "DEFENDCTL_GITLAB_TOKEN": "t"}
        for kind, env in (("github", github), ("gitlab", gitlab)):
            forge = open_forge(kind, env)
            assert [forge.compare(one, other) for one, other, _ in expected] == [how for *_, how in expected]
    assert open_forge("github", github).compare("0" * 40, first) == "unknown"


@pytest.mark.parametrize(
    ("env", "name"),
    [
        ({"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "o/r"}, "GitHub"),
        ({"GITLAB_CI": "true", "CI_PROJECT_ID": "42"}, "GitLab"),
        ({}, "none"),
    ],
)
def test_which_forge_it_is(env: dict[str, str], name: str) -> None:
    assert open_forge("auto", env).name == name
