"""doctor in a job: what the forge tells of it, by reads alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.ci.fake_gitlab import FakeGitLab
from tests.ci.served import serving
from tests.ci.team import bot

if TYPE_CHECKING:
    from tests.ci.team import Team


def checks(team: Team) -> dict[str, Any]:
    """Topic → its last check, of all but the state, which is a file here."""
    return {one["topic"]: one for one in team.project.json("doctor").json["checks"]}


@pytest.fixture
def requested(team: Team) -> Team:
    number = team.request(a=bot(0.7), b=bot(0.9))
    pull = {"pull_request": team.github.pulls[number]}
    team.run_as("pull_request", pull, f"refs/pull/{number}/merge", f"{number}/merge")
    return team


def test_a_job_of_a_request_should_have_no_key(requested: Team) -> None:
    found = checks(requested)
    assert found["pipeline"]["message"] == "GitHub, pull_request"
    assert (found["token"]["verdict"], found["secret"]["verdict"]) == ("ok", "note")
    assert "whoever may push can have it printed" in found["secret"]["message"]
    assert {one.method for one in requested.github.asked} == {"GET"}


def test_a_job_of_main_may_have_it(team: Team) -> None:
    team.run_as("push", {}, "refs/heads/main", "main")
    found = checks(team)
    assert {found[topic]["verdict"] for topic in ("pipeline", "token")} == {"ok"}
    assert "secret" not in found


def test_a_fork_is_named(requested: Team) -> None:
    pull = requested.github.pulls[1]
    pull["head"]["repo"]["full_name"] = "fork/r"
    requested.run_as("pull_request", {"pull_request": pull}, "refs/pull/1/merge", "1/merge")
    assert checks(requested)["fork"]["verdict"] == "note"


@pytest.mark.parametrize("token", ["", "ghs_another"])
def test_a_token_that_is_not_taken_is_told(requested: Team, token: str) -> None:
    requested.project.env["GH_TOKEN"] = token
    found = checks(requested)["token"]
    assert found["verdict"] == "note"
    assert "GH_TOKEN" in found["advice"]
    assert "ghs_another" not in found["message"]


def test_gitlab_is_asked_too(team: Team) -> None:
    with serving(FakeGitLab("t", folder=team.project.root)) as lab:
        told = {"GITLAB_CI": "true", "CI_PROJECT_ID": "42", "CI_PIPELINE_SOURCE": "push"}
        team.project.env |= {**told, "CI_API_V4_URL": lab.url, "DEFENDCTL_GITLAB_TOKEN": "t"}
        found = checks(team)
    assert (found["pipeline"]["message"], found["token"]["verdict"]) == ("GitLab, push", "ok")
