"""A forge that fails, lies slow or loses answers: nothing is applied unseen, and no comment doubles."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from defendctl.operations import ci, ci_apply, ci_plan
from tests.ci.conftest import TOKEN
from tests.ci.team import bot
from tests.operations.test_checkout import git
from tests.render.page import Page

if TYPE_CHECKING:
    from tests.ci.team import Team


@pytest.mark.parametrize("path", ["compare", "pulls", "check-runs"])
@pytest.mark.parametrize(
    "fault", [{"status": 500}, {"drop": True}, {"status": 302}, {"status": 403}], ids=str
)
def test_a_forge_that_cannot_be_asked_is_never_no_review(
    team: Team, path: str, fault: dict[str, int]
) -> None:
    team.reviewed(a=bot(0.7), b=bot(0.9))
    team.github.fault("GET", path, **fault)
    ran = team.apply(code=1)
    assert "GitHub" in ran.err
    assert team.live("a") == 0.9
    team.github.faults.clear()
    team.apply()
    assert team.live("a") == 0.7


def test_what_fails_for_a_while_is_asked_again(team: Team) -> None:
    team.reviewed(a=bot(0.7), b=bot(0.9))
    team.github.fault("GET", "check-runs", status=502, times=3)
    team.apply()
    assert team.live("a") == 0.7


@pytest.mark.parametrize("after", [True, False])
@pytest.mark.parametrize("how", [{"drop": True}, {"status": 502}], ids=str)
def test_a_lost_answer_makes_no_second_comment(team: Team, after: bool, how: dict[str, int]) -> None:
    number = team.request(a=bot(0.7), b=bot(0.9))
    team.github.fault("POST", "comments", times=1, after=after, **how)
    team.plan(number)
    assert len(team.github.texts(number)) == 1
    assert team.github.count("POST", "issues/.*/comments") == (1 if after else 2)


def test_a_comment_is_written_over_and_nobody_elses(team: Team) -> None:
    number = team.request(a=bot(0.7), b=bot(0.9))
    team.plan(number)
    [text] = team.github.texts(number)
    team.github.comments.insert(0, {"id": 1, "number": number, "user": {"login": "mallory"}, "body": text})
    team.github.comments[1]["id"] = 2
    team.push_to(number, a=bot(0.6), b=bot(0.9))
    team.plan(number)
    assert team.github.comments[0]["body"] == text
    assert "`0.6`" in team.github.comments[1]["body"]
    assert len(team.github.comments) == 2


def test_hundreds_of_comments_are_looked_through(team: Team) -> None:
    number = team.request(a=bot(0.7), b=bot(0.9))
    other = {"number": number, "user": {"login": "ann"}, "body": "words"}
    team.github.comments += [{"id": n + 1, **other} for n in range(250)]
    for _ in range(2):
        team.plan(number)
    assert len(team.github.comments) == 251


def test_what_is_too_long_is_cut(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two lines, so that no text of others gets out of its code; commit and time stay."""
    monkeypatch.setattr(ci, "SHORTER", 900)
    number = team.request(a=bot(0.7, description="@team " * 20), b=bot(0.9, description="@team " * 20))
    team.github.fault("POST", "comments", status=422, times=1)
    team.plan(number)
    [text] = team.github.texts(number)
    page = Page(text)
    assert any("@team" in code for code in page.codes)
    assert "@team" not in page.prose
    assert "the rest does not fit" in page.prose
    assert said_last(text)


def said_last(text: str) -> bool:
    """Which commit, and when; as prose."""
    last = Page(text).prose.rstrip().splitlines()[-1]
    return re.match(r"Commit , \d{4}-\d\d-\d\d \d\d:\d\d UTC, run", last) is not None


def test_the_outcome_says_of_which_commit_and_when(team: Team) -> None:
    team.reviewed(a=bot(0.7), b=bot(0.9))
    team.apply()
    text = team.github.texts(1)[-1]
    assert "Applied: 1 done" in text
    assert f"`{git(team.project.root, 'rev-parse', 'main')}`" in text
    assert said_last(text)


def test_an_outcome_with_more_than_fits(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many workflows that the API refuses."""
    monkeypatch.setattr(ci_apply, "COMMENT", 2_000)
    team.reviewed(**{f"w{n}": bot(0.9, description=f"d{n}") for n in range(40)}, a=bot(0.9), b=bot(0.9))
    team.project.server.fault("status", "POST", status=422, times=None, body='{"message": "no"}')
    team.apply(code=1)
    [text] = team.github.texts(1)[1:]
    assert len(text.encode()) <= 2_000
    assert "the rest does not fit" in text
    assert said_last(text)


def test_more_mistakes_than_a_comment_holds(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ci_plan, "COMMENT", 4_000)
    number = team.request(**{f"w{n}": bot(0.9, naïveté="ü" * 200) for n in range(40)})
    team.plan(number, code=1)
    [text] = team.github.texts(number)
    assert len(text.encode()) <= 4_000
    assert "there is none" in text
    assert "the rest does not fit" in Page(text).prose
    assert said_last(text)


def test_a_whole_fleet_fits(team: Team) -> None:
    number = team.request(**{f"w{n}": bot(0.9, description="d" * 400) for n in range(150)})
    team.plan(number)
    [text] = team.github.texts(number)
    assert len(text.encode()) <= 65_536
    assert text.endswith("\n")
    assert "Commit `" in text.splitlines()[-1]


def test_the_secondary_limit_is_waited_for(team: Team) -> None:
    number = team.request(a=bot(0.7), b=bot(0.9))
    limit = {"status": 403, "times": 1, "headers": {"Retry-After": "0"}, "message": "secondary rate limit"}
    team.github.fault("POST", "check-runs", **limit)
    team.plan(number)
    assert team.github.checks


def test_a_plan_that_the_forge_could_not_be_told_fails(team: Team) -> None:
    number = team.request(a=bot(0.7), b=bot(0.9))
    team.github.fault("POST", "check-runs", status=500)
    team.plan(number, code=1)
    assert "loosened" in team.summary


def test_neither_secret_goes_to_the_other_or_into_words(team: Team) -> None:
    number = team.request(a=bot(0.7), b=bot(0.9))
    key = team.project.env["DEEPRAILS_API_KEY"]
    team.github.fault("POST", "check-runs", status=500, message=f"no {TOKEN}, no {TOKEN[4:-3]}")
    ran = team.plan(number, code=1)
    told = ran.out + ran.err + team.summary + str(team.github.comments)
    assert TOKEN not in told
    assert TOKEN[4:-3] not in told
    assert key not in told
    assert {one.authorization for one in team.github.asked} == {f"Bearer {TOKEN}"}
    assert all(key not in str(one) for one in team.github.asked)
    assert TOKEN not in str(team.project.server.requests())


def test_words_of_the_forge_are_inert(team: Team) -> None:
    number = team.request(a=bot(0.7), b=bot(0.9))
    team.github.fault("POST", "check-runs", status=500, message="\x1b[31m\n::add-mask::x")
    ran = team.plan(number, code=1)
    assert "\x1b" not in ran.err
    assert not any(line.startswith("::add-mask") for line in ran.err.splitlines())


def test_a_plain_address_beyond_this_machine_gets_no_token(team: Team) -> None:
    number = team.request(a=bot(0.7), b=bot(0.9))
    team.plan(number)
    team.project.env["GITHUB_API_URL"] = "http://github.example.com"
    assert "must use https" in team.project.ok("ci", "plan", code=1).err
