"""From a pull request to what is live: what a person saw is applied, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.ci.team import bot
from tests.operations.test_checkout import git

if TYPE_CHECKING:
    from tests.ci.team import Team


def test_a_request_is_planned_merged_and_applied(team: Team) -> None:
    number = team.request(a=bot(0.7), b=bot(0.9))
    ran = team.plan(number)
    [text] = team.github.texts(number)
    assert "1 workflow loosened" in text.splitlines()[2]
    assert "Commit `" + team.github.pulls[number]["head"]["sha"] in text
    [check] = team.github.checks
    assert (check["name"], check["conclusion"]) == ("defendctl / guardrails", "success")
    assert "::warning" in ran.out
    assert "loosened" in team.summary
    assert team.outputs["loosens"] == team.outputs["changes"] == "1"
    assert team.outputs["comment-url"].startswith("https://")
    team.merge(number)
    team.apply()
    assert team.live("a") == 0.7
    assert "1 done" in team.github.texts(number)[-1]


def test_an_offline_plan_is_a_review_too(team: Team) -> None:
    """The strict profile: no job of a pull request has the key."""
    number = team.request(a=bot(0.7), b=bot(0.9))
    key = team.project.env.pop("DEEPRAILS_API_KEY")
    team.plan(number, "--offline")
    team.merge(number)
    team.project.env["DEEPRAILS_API_KEY"] = key
    team.apply()
    assert team.live("a") == 0.7


def test_a_console_edit_during_the_review(team: Team) -> None:
    number = team.request(a=bot(0.7), b=bot(0.9))
    team.plan(number)
    team.merge(number)
    team.project.server.edit(team.project.bound("b"), metrics={"completeness": 0.95})
    puts = team.project.server.count("PUT")
    ran = team.apply(code=6)
    said = "b: metrics.completeness 0.95 -> 0.9 (drift, loosens)"
    assert f"::error title=not reviewed::{said}\n" in ran.out
    assert team.project.server.count("PUT") == puts
    assert said in team.github.texts(number)[-1]
    assert said in team.summary
    approve = ran.err.rsplit("--approve ", 1)[1].split()[0]
    team.apply("--approve", "sha256:" + "0" * 64, code=6, event="workflow_dispatch")
    team.apply("--approve", approve, event="workflow_dispatch")
    assert (team.live("a"), team.live("b")) == (0.7, 0.9)


def test_two_requests_and_a_dropped_run(team: Team) -> None:
    team.reviewed(a=bot(0.7), b=bot(0.9))
    number = team.request(a=bot(0.7), b=bot(0.6))
    team.plan(number)
    team.merge(number)
    team.apply()
    assert (team.live("a"), team.live("b")) == (0.7, 0.6)


def test_one_of_them_was_never_planned(team: Team) -> None:
    team.reviewed(a=bot(0.7), b=bot(0.9))
    number = team.request(a=bot(0.7), b=bot(0.6))
    team.merge(number)
    ran = team.apply(code=6)
    assert "not reviewed: 1 change" in ran.err
    assert f"no review counts of #{number}" in ran.err
    assert team.live("a") == 0.9


def test_the_base_moved_beside_what_was_seen(team: Team) -> None:
    number = team.request(a=bot(0.7), b=bot(0.9))
    team.plan(number)
    team.reviewed(a=bot(0.9), b=bot(0.8))
    team.apply()
    root = team.project.root
    git(root, "merge", "-q", "--no-ff", "--no-commit", "-s", "ours", f"pr-{number}")
    team.project.declare({"a": bot(0.7), "b": bot(0.8)})  # both stand in one file here
    git(root, "commit", "-qam", "both")
    team.github.merged(number, git(root, "rev-parse", "HEAD"))
    team.apply()
    assert (team.live("a"), team.live("b")) == (0.7, 0.8)


def test_the_base_moved_under_what_was_seen(team: Team) -> None:
    """From 0.9 to 0.7 was looked at; from 0.95 nobody saw it."""
    number = team.request(a=bot(0.7), b=bot(0.9))
    team.plan(number)
    team.reviewed(a=bot(0.95), b=bot(0.9))
    team.apply()
    team.merge(number, "-Xtheirs")
    assert "0.95 -> 0.7" in team.apply(code=6).err
    assert team.live("a") == 0.95


def test_a_squashed_request(team: Team) -> None:
    number = team.request(a=bot(0.7), b=bot(0.9))
    team.plan(number)
    git(team.project.root, "checkout", "-q", "main")
    git(team.project.root, "merge", "-q", "--squash", f"pr-{number}")
    git(team.project.root, "commit", "-qm", "squashed")
    team.github.merged(number, git(team.project.root, "rev-parse", "HEAD"))
    team.apply()
    assert team.live("a") == 0.7


def test_a_run_again_after_half_was_done(team: Team) -> None:
    team.reviewed(a=bot(0.7), b=bot(0.6))
    team.project.server.fault("status", "PUT", status=422, times=1)
    team.apply("--parallelism", "1", code=4)
    team.apply()
    assert (team.live("a"), team.live("b")) == (0.7, 0.6)


def test_an_old_job_again_is_superseded(team: Team) -> None:
    """The job that loosened, run again after somebody took that back."""
    old = team.reviewed(a=bot(0.7), b=bot(0.9))
    team.apply()
    newest = team.reviewed(a=bot(0.9), b=bot(0.9))
    team.apply()
    ran = team.apply(at=old)
    assert f"superseded by {newest[:12]}" in ran.out
    assert "superseded" in team.summary
    assert team.live("a") == 0.9


def test_a_revert_of_the_revert_needs_its_own_review(team: Team) -> None:
    team.reviewed(a=bot(0.7), b=bot(0.9))
    team.apply()
    team.reviewed(a=bot(0.9), b=bot(0.9))
    team.apply()
    number = team.request(a=bot(0.7), b=bot(0.9))
    team.merge(number)
    team.apply(code=6)
    assert team.live("a") == 0.9


def test_a_push_that_no_request_brought(team: Team) -> None:
    git(team.project.root, "checkout", "-q", "main")
    team.project.declare({"a": bot(0.95), "b": bot(0.9)})
    git(team.project.root, "commit", "-qam", "direct")
    ran = team.apply(code=6)
    assert "no pull or merge request brought this commit" in ran.err
    team.apply("--unreviewed", "allow-tightening")
    assert team.live("a") == 0.95
    team.project.declare({"a": bot(0.95), "b": bot(0.5)})
    git(team.project.root, "commit", "-qam", "direct")
    team.apply("--unreviewed", "allow-tightening", code=6)
    assert team.live("b") == 0.9


def test_a_diverged_checkout(team: Team) -> None:
    git(team.project.root, "branch", "elsewhere", "main")
    team.reviewed(a=bot(0.7), b=bot(0.9))
    team.apply()
    git(team.project.root, "checkout", "-q", "elsewhere")
    team.project.declare({"a": bot(0.5), "b": bot(0.9)})
    git(team.project.root, "commit", "-qam", "another history")
    assert "have diverged" in team.apply(at="elsewhere", code=6).err
    assert team.live("a") == 0.7


def test_an_approval_after_the_plan(team: Team) -> None:
    number = team.request(a=bot(0.7), b=bot(0.9))
    team.approval(number, "2025-01-01T00:00:00Z")
    team.plan(number)
    team.merge(number)
    team.apply("--approved-after-plan", code=6)
    team.approval(number, "2027-01-01T00:00:00Z")
    team.apply("--approved-after-plan")
    assert team.live("a") == 0.7


def test_a_merge_queue_asks_the_same(team: Team) -> None:
    number = team.request(a=bot(0.7), b=bot(0.9))
    team.plan(number)
    head = team.github.pulls[number]["head"]["sha"]
    base = git(team.project.root, "rev-parse", "main")
    group = {"merge_group": {"head_sha": head, "base_sha": base}}
    team.run_as("merge_group", group, "refs/heads/queue/pr-1", "queue/pr-1")
    team.project.ok("ci", "check")
    team.project.server.edit(team.project.bound("b"), metrics={"completeness": 0.95})
    team.project.ok("ci", "check", code=6)
    team.project.ok("ci", "apply", code=6)


@pytest.mark.parametrize(("ref", "code"), [("pr-{}-{}", 0), ("pr-{}", 6), ("", 6)])
def test_a_merge_queue_that_squashes(team: Team, ref: str, code: int) -> None:
    """What waits there is a commit of the queue's own, which no request has: its ref says whose it is."""
    number = team.request(a=bot(0.7), b=bot(0.9))
    team.plan(number)
    root = team.project.root
    git(root, "checkout", "-q", "--detach", "main")
    git(root, "merge", "-q", "--squash", f"pr-{number}")
    git(root, "commit", "-qm", "squashed")
    base = git(root, "rev-parse", "main")
    named = f"refs/heads/gh-readonly-queue/main/{ref.format(number, base)}"
    group = {"merge_group": {"head_ref": named, "base_sha": base}}
    team.run_as("merge_group", group, named, named.removeprefix("refs/heads/"))
    team.project.ok("ci", "check", code=code)


def test_an_issue_as_long_as_something_drifted(team: Team) -> None:
    team.apply()
    bound = team.project.bound("a")
    team.project.server.edit(bound, metrics={"completeness": 0.5})
    for _ in range(2):
        team.project.ok("ci", "drift", "--issue", code=2)
    [issue] = team.github.issues
    assert "Loosened in the console" in issue["body"]
    team.project.server.edit(bound, metrics={"completeness": 0.9})
    team.project.ok("ci", "drift", "--issue")
    assert issue["state"] == "closed"
    team.project.ok("ci", "drift", "--issue")


@pytest.mark.parametrize(
    "words", [["--gate"], ["--reviewed", "--gate"], ["--wait-lock", "soon"]], ids=" ".join
)
def test_a_command_line_that_says_nothing(team: Team, words: list[str]) -> None:
    team.apply(*words, code=64)
