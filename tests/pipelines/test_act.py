"""What `init --ci github` writes, run by act: what was looked at is applied, and nothing else."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from defendctl.sandbox.server import embedded
from tests.ci.fake_github import FakeGitHub
from tests.ci.served import serving
from tests.cli.test_cli import run
from tests.conftest import KEY, Server
from tests.parts.tools import copied
from tests.pipelines.acting import Acting
from tests.pipelines.origin import Origin, bot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed"),
]
PINNED = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "ghs_planted_token_4712"


class Team:
    """staging, production and the forge of one repository."""

    def __init__(self, origin: Origin, github: FakeGitHub, act: Acting, servers: dict[str, Server]) -> None:
        self.origin, self.github, self.act, self.servers = origin, github, act, servers
        self.number = 0

    def propose(self, **thresholds: float) -> tuple[int, str]:
        """A pull request; its number, and the merge commit that its job runs on."""
        self.number += 1
        bots = {name: bot(threshold) for name, threshold in thresholds.items()}
        head, merge = self.origin.propose(self.number, **bots)
        self.github.pull(self.number, head)
        return self.number, merge

    def reviewed(self, **thresholds: float) -> str:
        """Proposed, planned and merged; the commit on main."""
        number, merge = self.propose(**thresholds)
        ran = self.act.pull_request(number, merge)
        assert ran.code == 0, ran.log
        return self.merge(number)

    def merge(self, number: int) -> str:
        commit = self.origin.merge(number)
        self.github.merged(number, commit)
        return commit

    def live(self, environment: str) -> dict[str, float]:
        """Name → threshold."""
        return {one["name"]: one["metrics"]["completeness"] for one in self.servers[environment].workflows()}

    def edit(self, environment: str, name: str, threshold: float) -> None:
        server = self.servers[environment]
        [found] = [one["workflow_id"] for one in server.workflows() if one["name"] == name]
        server.edit(found, metrics={"completeness": threshold})


@pytest.fixture
def team(tmp_path: Path, http: httpx.Client) -> Iterator[Team]:
    """Two workflows at 0.9 are applied everywhere."""
    with embedded(":memory:") as staging, embedded(":memory:") as production:
        origin = Origin(
            tmp_path / "origin.git", tmp_path / "clone", {"staging": staging, "production": production}
        )
        origin.begin({".github/defendctl.lock": ""}, a=bot(0.9), b=bot(0.9))
        assert run(origin.clone, "init", "--ci", "github", "--no-queue").code == 0
        origin.push("jobs")
        origin.apply()
        with serving(FakeGitHub(TOKEN, folder=origin.bare)) as github:
            assert isinstance(github, FakeGitHub)
            act = Acting(tmp_path, origin, github, secrets={"DEEPRAILS_API_KEY": KEY})
            servers = {"staging": Server(staging, http), "production": Server(production, http)}
            yield Team(origin, github, act, servers)


def test_a_request_reaches_production(team: Team) -> None:
    number, merge = team.propose(a=0.7, c=0.8)
    planned = team.act.pull_request(number, merge)
    assert planned.job("guardrails plan") == "success", planned.log
    assert [one["name"] for one in team.github.checks] == ["defendctl / staging", "defendctl / production"]
    assert [("0.9` → `0.7" in text, "loosened" in text) for text in team.github.texts(number)] == [
        (True, True),
        (True, True),
    ]
    commit = team.merge(number)
    pushed = team.act.push(commit)
    assert (pushed.job("staging"), pushed.job("production")) == ("success", "success"), pushed.log
    for name in team.servers:
        assert team.live(name) == {"a": 0.7, "b": 0.9, "c": 0.8}
    assert [text for text in team.github.texts(number) if "## Applied to `production`: 2 done" in text]
    assert team.origin.git("ls-remote", "origin", "refs/heads/main").split()[0] == commit, "nothing is pushed"
    again = team.act.push(commit)
    assert again.log.count("nothing to do") >= 2
    assert KEY not in planned.log + pushed.log
    assert TOKEN not in planned.log + pushed.log


def test_a_console_edit_is_refused_and_applied_once_it_is_approved(team: Team) -> None:
    commit = team.reviewed(a=0.8)
    team.edit("production", "b", 0.95)
    refused = team.act.push(commit)
    assert (refused.job("staging"), refused.job("production")) == ("success", "failure"), refused.log
    assert "not reviewed in production" in refused.log
    assert team.live("production") == {"a": 0.9, "b": 0.95}
    assert any("Not applied to `production`" in text for text in team.github.texts(1))
    approve = re.search(r"--approve (sha256:[0-9a-f]{64}@\d+)", refused.log)
    assert approve
    team.edit("production", "b", 0.97)  # and it is that very plan which was looked at
    stale = team.act.dispatch("guardrails-apply", commit, environment="production", approve=approve[1])
    assert stale.job("production") == "failure"
    team.edit("production", "b", 0.95)
    approved = team.act.dispatch("guardrails-apply", commit, environment="production", approve=approve[1])
    assert (approved.job("staging"), approved.job("production")) == (None, "success"), approved.log
    assert team.live("production") == {"a": 0.8, "b": 0.9}


def test_a_run_that_was_dropped_is_made_up_for(team: Team) -> None:
    team.reviewed(a=0.8)
    second = team.reviewed(b=0.7)
    pushed = team.act.push(second)
    assert pushed.job("production") == "success", pushed.log
    assert team.live("production") == {"a": 0.8, "b": 0.7}


def test_what_was_never_planned_is_not_applied(team: Team) -> None:
    number, _ = team.propose(a=0.5)
    pushed = team.act.push(team.merge(number))
    assert (pushed.job("staging"), pushed.job("production")) == ("failure", None), pushed.log
    assert team.live("staging") == {"a": 0.9, "b": 0.9}


def test_an_old_job_that_is_run_again_is_superseded(team: Team) -> None:
    old = team.reviewed(a=0.6)
    assert team.act.push(old).code == 0
    reverted = team.reviewed(a=0.9)
    assert team.act.push(reverted).code == 0
    again = team.act.push(old)
    assert again.code == 0, again.log
    assert f"superseded by {reverted[:12]}" in again.log
    assert {team.live(name)["a"] for name in team.servers} == {0.9}


def test_a_fork_writes_nothing_and_sees_no_key(team: Team) -> None:
    """Its token may read, and secrets are empty."""
    number, merge = team.propose(a=0.5)
    team.github.pulls[number]["head"]["repo"]["full_name"] = "fork/r"
    team.act.secrets.clear()
    team.github.fault("POST", ".", status=403)
    reads = {name: server.count("GET") for name, server in team.servers.items()}
    planned = team.act.pull_request(number, merge)
    assert planned.job("guardrails plan") == "success", planned.log
    assert "0.9 -> 0.5" in planned.log or "`0.9` → `0.5`" in planned.log
    assert (team.github.checks, team.github.comments, team.github.count("POST")) == ([], [], 0)
    assert {name: server.count("GET") for name, server in team.servers.items()} == reads
    pushed = team.act.push(team.merge(number))
    assert pushed.job("staging") == "failure", pushed.log
    assert team.live("staging")["a"] == 0.9


def test_a_merge_queue_asks_whether_all_of_it_was_looked_at(team: Team) -> None:
    number, merge = team.propose(a=0.7)
    group = {"merge_group": {"head_sha": merge, "base_ref": "refs/heads/main"}}
    refused = team.act.run("merge_group", group, merge)
    assert (refused.job("guardrails plan"), "not reviewed" in refused.log) == ("failure", True), refused.log
    assert team.act.pull_request(number, merge).code == 0
    passed = team.act.run("merge_group", group, merge)
    assert passed.job("guardrails plan") == "success", passed.log


def test_drift_is_an_issue_as_long_as_something_drifted(team: Team) -> None:
    team.edit("production", "a", 0.5)
    main = team.origin.git("rev-parse", "main")
    found = team.act.dispatch("guardrails-drift", main)
    assert (found.job("staging"), found.job("production")) == ("success", "failure"), found.log
    assert [("production" in one["title"], one["state"]) for one in team.github.issues] == [(True, "open")]
    team.edit("production", "a", 0.9)
    assert team.act.dispatch("guardrails-drift", main).code == 0
    assert [one["state"] for one in team.github.issues] == ["closed"]


def test_the_action_of_a_pinned_commit_does_the_same(team: Team, tmp_path: Path) -> None:
    """`--pin`: no lock of the project is asked for, and the action brings a defendctl of its own."""
    assert run(team.origin.clone, "init", "--ci", "github", "--no-queue", "--pin", PINNED).code == 0
    team.origin.push("pinned")
    team.act.actions[f"defendctl/defendctl@{PINNED}"] = copied(tmp_path / "action")
    pushed = team.act.push(team.reviewed(a=0.7))
    assert (pushed.job("staging"), pushed.job("production")) == ("success", "success"), pushed.log
    assert {name: team.live(name)["a"] for name in team.servers} == {"staging": 0.7, "production": 0.7}
