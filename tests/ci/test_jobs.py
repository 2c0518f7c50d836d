"""What a job may meet: a merge of its own, half a clone, a bot, an outsider, and what an earlier job left."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.ci.team import Team, bot
from tests.conftest import Project
from tests.operations.test_checkout import commit, git

if TYPE_CHECKING:
    from pathlib import Path

    from tests.ci.lab import Lab

LATE = "2027-01-01T00:00:00Z"


@pytest.fixture
def planned(team: Team) -> int:
    """A request that loosens, planned."""
    number = team.request(a=bot(0.7), b=bot(0.9))
    team.plan(number)
    return number


@pytest.mark.parametrize("forge", ["team", "lab"])
def test_two_projects_in_one_repository(forge: str, request: pytest.FixtureRequest) -> None:
    """Each has a record of its own at the same commit, and neither takes the place of the other's."""
    crew: Team | Lab = request.getfixturevalue(forge)
    other = Project(crew.project.root / "teams" / "bots", crew.project.server, crew.project.env)
    other.declare({"c": bot(0.9)})
    for step in (other.settings, other.apply, other.settings):  # the second pins the lineage
        step()
    number = crew.request(a=bot(0.7), b=bot(0.9))
    other.declare({"c": bot(0.6)})
    head = commit(other, "both")
    requests: Any = crew.github.pulls if isinstance(crew, Team) else crew.gitlab.requests
    requests[number] |= {"head": {"sha": head, "repo": {"full_name": "o/r"}}, "sha": head}
    crew.plan(number)
    other.ok("ci", "plan")
    if isinstance(crew, Team):  # a required check is named by it, too
        names = ["defendctl / guardrails", "defendctl / teams/bots / guardrails"]
        assert [check["name"] for check in crew.github.checks] == names
    crew.merge(number)
    crew.apply()
    other.ok("ci", "apply")
    for project, address, threshold in ((crew.project, "a", 0.7), (other, "c", 0.6)):
        assert project.server.workflow(project.bound(address))["metrics"]["completeness"] == threshold


def test_the_record_is_of_the_head_though_the_merge_is_checked_out(team: Team) -> None:
    """GITHUB_SHA of a pull request is a merge that is never on main."""
    number = team.request(a=bot(0.7), b=bot(0.9))
    root, pull = team.project.root, team.github.pulls[number]
    git(root, "checkout", "-q", "--detach", "main")
    git(root, "merge", "-q", "--no-ff", "-m", "of the forge", f"pr-{number}")
    team.run_as("pull_request", {"pull_request": pull}, f"refs/pull/{number}/merge", f"{number}/merge")
    assert team.project.env["GITHUB_SHA"] != pull["head"]["sha"]
    team.project.ok("ci", "plan")
    [check] = team.github.checks
    [text] = team.github.texts(number)
    assert check["head_sha"] == pull["head"]["sha"]
    assert re.search(rf"Commit `{pull['head']['sha']}`, \d{{4}}-\d\d-\d\d \d\d:\d\d UTC, run", text)
    team.merge(number)
    team.apply()
    assert team.live("a") == 0.7


def test_a_plan_that_the_api_refuses_takes_the_review_away(team: Team, planned: int) -> None:
    team.project.server.fault("status", "GET", status=401, times=None)
    team.plan(planned, code=3)
    team.project.server.heal()
    [text] = team.github.texts(planned)
    assert "there is none" in text.splitlines()[1]
    assert "loosened" not in text
    team.merge(planned)
    team.apply(code=6)
    assert team.live("a") == 0.9


def test_what_is_created_is_in_the_headline(team: Team) -> None:
    number = team.request(a=bot(0.9), b=bot(0.9), c=bot(0.9), d=bot(0.9))
    team.plan(number)
    assert "2 created" in team.github.texts(number)[0].splitlines()[2]


def test_an_edit_between_the_plan_of_an_apply_and_its_write(team: Team, planned: int) -> None:
    """The read before the PUT answers something else than the read of the plan."""
    team.merge(planned)
    moved = {"workflow_id": team.project.bound("a"), "name": "moved", "threshold_type": "custom"}
    puts, body = team.project.server.count("PUT"), json.dumps(moved)
    team.project.server.fault("body", "GET", path=moved["workflow_id"], skip=1, body=body)
    assert "changed since" in team.apply(code=1).out
    assert team.project.server.count("PUT") == puts


def outsider(review: Any) -> None:
    review["author_association"] = "NONE"


def of_an_older_head(review: Any) -> None:
    review["commit_id"] = "f" * 40


def dismissed(review: Any) -> None:
    review["state"] = "DISMISSED"


def only_said(review: Any) -> None:
    review["state"] = "COMMENTED"


@pytest.mark.parametrize("change", [outsider, of_an_older_head, dismissed, only_said])
def test_what_is_no_approval(team: Team, planned: int, change: Any) -> None:
    """Of a public repository anybody may approve a request."""
    team.merge(planned)
    review = team.approval(planned, LATE)
    change(review)
    team.apply("--approved-after-plan", code=6)
    assert team.live("a") == 0.9


def test_an_approval_is_taken_back(team: Team, planned: int) -> None:
    team.merge(planned)
    team.approval(planned, LATE)
    team.approval(planned, LATE, state="CHANGES_REQUESTED")
    team.apply("--approved-after-plan", code=6)
    team.approval(planned, LATE, state="COMMENTED")
    team.apply("--approved-after-plan", code=6)
    team.approval(planned, LATE)
    team.apply("--approved-after-plan")
    assert team.live("a") == 0.7


@pytest.fixture
def shallow(team: Team, tmp_path: Path) -> Team:
    """A loosening and its revert are applied; from now on jobs have nothing but the commit they run on."""
    git(team.project.root, "tag", "old", team.reviewed(a=bot(0.7), b=bot(0.9)))
    team.apply()
    team.reviewed(a=bot(0.9), b=bot(0.9))
    team.apply()
    return team


def cut_off(team: Team, folder: Path) -> None:
    """The forge keeps all of it."""
    root = team.project.root
    git(root, "clone", "-q", "--mirror", str(root), str(folder))
    team.github.folder = folder
    heads = {git(root, "rev-parse", name) for name in ("main", "old")}
    (root / ".git" / "shallow").write_text("".join(f"{head}\n" for head in sorted(heads)))


def test_half_a_clone_asks_the_forge_which_commit_is_the_older(shallow: Team, tmp_path: Path) -> None:
    number = shallow.request(a=bot(0.8), b=bot(0.9))
    shallow.plan(number)
    shallow.merge(number)
    cut_off(shallow, tmp_path / "forge.git")
    shallow.apply()
    assert shallow.live("a") == 0.8
    assert "superseded by" in shallow.apply(at="old").out
    assert shallow.live("a") == 0.8


def test_a_forge_that_does_not_know_the_commit_either(shallow: Team, tmp_path: Path) -> None:
    shallow.reviewed(a=bot(0.8), b=bot(0.9))
    cut_off(shallow, tmp_path / "forge.git")
    shallow.github.fault("GET", "compare", status=404)
    ran = shallow.apply(code=6)
    assert "cannot be compared" in ran.err
    assert "fetch-depth: 0" in ran.err
    assert shallow.live("a") == 0.9


def test_after_a_create_is_settled_the_job_is_run_by_hand(team: Team) -> None:
    """What `state resolve` wrote is where the next job reads it: nothing to commit, nothing to approve."""
    team.reviewed(a=bot(0.7), b=bot(0.9), c=bot(0.9))
    team.project.server.fault("lost-after", "POST")
    team.apply(code=7)
    [made] = [one["workflow_id"] for one in team.project.server.workflows() if one["name"] == "c"]
    team.project.ok("state", "resolve", "c", "--id", made)
    team.apply(event="workflow_dispatch")
    assert team.project.server.names().count("c") == 1
    assert team.live("a") == 0.7


def test_a_request_of_dependabot_is_planned_without_the_key(team: Team) -> None:
    """Its jobs are given other secrets: where people's jobs have the key, its have an empty variable."""
    number = team.request(a=bot(0.7), b=bot(0.9))
    team.project.env |= {"GITHUB_ACTOR": "dependabot[bot]", "DEEPRAILS_API_KEY": ""}
    team.github.fault("POST", ".", status=403)
    reads = team.project.server.count("GET")
    team.plan(number)
    assert "loosened" in team.summary
    assert team.project.server.count("GET") == reads


def test_what_a_fork_brought_is_applied_once_somebody_looked_at_it(team: Team) -> None:
    number = team.request(a=bot(0.7), b=bot(0.9))
    team.github.pulls[number]["head"]["repo"]["full_name"] = "fork/r"
    team.plan(number)
    team.merge(number)
    refused = team.apply(code=6)
    assert f"no review counts of #{number}" in refused.err
    approve = refused.err.rsplit("--approve ", 1)[1].split()[0]
    team.apply("--approve", approve, event="workflow_dispatch")
    assert team.live("a") == 0.7


def test_or_a_maintainer_makes_a_branch_of_it(team: Team) -> None:
    """A request from this repository, for the very commit of the fork."""
    fork = team.request(a=bot(0.7), b=bot(0.9))
    head = team.github.pulls[fork]["head"]["sha"]
    team.github.pulls[fork]["head"]["repo"]["full_name"] = "fork/r"
    team.number += 1
    git(team.project.root, "branch", f"pr-{team.number}", head)
    team.github.pull(team.number, head)
    team.plan(team.number)
    team.merge(team.number)
    team.apply()
    assert team.live("a") == 0.7
