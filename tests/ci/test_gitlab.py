"""The same promises on GitLab, where the record is a note by the user whose token this is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from defendctl.ci.choose import open_forge
from tests.ci.fake_gitlab import OWN
from tests.ci.team import bot

if TYPE_CHECKING:
    from collections.abc import Callable

    from defendctl.ci.forge import Forge
    from tests.ci.lab import Lab


@pytest.fixture
def planned(lab: Lab) -> int:
    number = lab.request(a=bot(0.7), b=bot(0.9))
    lab.plan(number)
    return number


def test_a_request_is_planned_merged_and_applied(lab: Lab, planned: int) -> None:
    texts = lab.gitlab.texts(planned)
    assert sum("1 workflow loosened" in text for text in texts) == 1
    assert sum("defendctl-review" in text for text in texts) == 1
    lab.plan(planned)
    assert len(lab.gitlab.texts(planned)) == 2, "both are written over"
    lab.merge(planned)
    lab.apply()
    assert lab.live() == 0.7


def test_a_console_edit_during_the_review(lab: Lab, planned: int) -> None:
    lab.merge(planned)
    lab.project.server.edit(lab.project.bound("b"), metrics={"completeness": 0.95})
    ran = lab.apply(code=6)
    assert "b: metrics.completeness 0.95 -> 0.9 (drift, loosens)" in ran.err
    assert lab.live() == 0.9


def test_a_plan_that_fails_takes_the_review_away(lab: Lab, planned: int) -> None:
    lab.project.server.fault("status", "GET", status=500, times=None)
    lab.plan(planned, code=1)
    lab.project.server.heal()
    lab.merge(planned)
    lab.apply(code=6)


def by_another(lab: Lab, note: dict[str, Any]) -> None:
    note["author"]["id"] = OWN + 1


def of_another_head(lab: Lab, note: dict[str, Any]) -> None:
    lab.gitlab.requests[1]["sha"] = "f" * 40


def into_another_branch(lab: Lab, note: dict[str, Any]) -> None:
    lab.gitlab.requests[1]["target_branch"] = "release"


def into_another_project(lab: Lab, note: dict[str, Any]) -> None:
    lab.gitlab.requests[1]["target_project_id"] = 7


def not_merged(lab: Lab, note: dict[str, Any]) -> None:
    lab.gitlab.requests[1]["state"] = "closed"


def a_system_note(lab: Lab, note: dict[str, Any]) -> None:
    note["system"] = True


FORGED = [by_another, of_another_head, into_another_branch, into_another_project, not_merged, a_system_note]


@pytest.mark.parametrize("forge", FORGED, ids=lambda one: one.__name__)
def test_what_is_no_review(lab: Lab, planned: int, forge: Callable[[Lab, dict[str, Any]], None]) -> None:
    lab.merge(planned)
    [note] = [one for one in lab.gitlab.notes if "defendctl-review" in one["body"]]
    forge(lab, note)
    lab.apply(code=6)
    assert lab.live() == 0.9


def test_a_fork_writes_nothing(lab: Lab) -> None:
    number = lab.request(a=bot(0.7), b=bot(0.9))
    lab.plan(number, source="99")
    assert lab.gitlab.asked == []


@pytest.mark.parametrize(
    "where",
    [
        {"CI_COMMIT_BRANCH": "feature"},
        {"CI_COMMIT_BRANCH": "", "CI_COMMIT_TAG": "main"},
        {"CI_PIPELINE_SOURCE": "merge_request_event", "CI_COMMIT_BRANCH": ""},
        {"CI_DEFAULT_BRANCH": ""},
    ],
    ids=str,
)
def test_nothing_is_applied_from_elsewhere(lab: Lab, planned: int, where: dict[str, str]) -> None:
    lab.merge(planned)
    assert "nothing is applied from" in lab.apply(code=6, **where).err
    assert lab.live() == 0.9


def test_an_old_job_that_is_started_again_is_superseded(lab: Lab, planned: int) -> None:
    """A retry keeps its commit, however old; a job to be started by hand stays where it is."""
    old = lab.merge(planned)
    lab.apply()
    number = lab.request(a=bot(0.9), b=bot(0.9))
    lab.plan(number)
    newest = lab.merge(number)
    lab.apply()
    assert f"superseded by {newest[:12]}" in lab.apply(at=old).out
    assert lab.live() == 0.9


@pytest.mark.parametrize("path", ["compare", "merge_requests", "notes", "user"])
@pytest.mark.parametrize("how", [{"status": 500}, {"status": 403}, {"drop": True}], ids=str)
def test_a_forge_that_cannot_be_asked_is_never_no_review(
    lab: Lab, planned: int, path: str, how: dict[str, int]
) -> None:
    lab.merge(planned)
    lab.gitlab.fault("GET", path, **how)
    assert "GitLab" in lab.apply(code=1).err
    assert lab.live() == 0.9


@pytest.mark.parametrize("after", [True, False])
def test_a_lost_answer_makes_no_second_note(lab: Lab, after: bool) -> None:
    number = lab.request(a=bot(0.7), b=bot(0.9))
    lab.gitlab.fault("POST", "notes", times=1, after=after, drop=True)
    lab.plan(number)
    assert len(lab.gitlab.texts(number)) == 2


def test_without_a_token_the_plan_is_shown_and_nothing_is_kept(lab: Lab) -> None:
    number = lab.request(a=bot(0.7), b=bot(0.9))
    lab.gitlab.token = ""
    ran = lab.plan(number)
    assert "DEFENDCTL_GITLAB_TOKEN is not set" in ran.err
    assert "loosens" in ran.out


def test_an_approval_after_the_plan(lab: Lab, planned: int) -> None:
    lab.merge(planned)
    lab.apply("--approved-after-plan", code=6)
    for said in ("approved", "unapproved"):
        lab.gitlab.note(planned, f"{said} this merge request", author=5, system=True)
    lab.apply("--approved-after-plan", code=6)
    lab.gitlab.note(planned, "approved this merge request", author=5, system=True)
    lab.apply("--approved-after-plan")
    assert lab.live() == 0.7


def test_an_issue_as_long_as_something_drifted(lab: Lab) -> None:
    lab.apply()
    lab.project.server.edit(lab.project.bound("a"), metrics={"completeness": 0.5})
    for _ in range(2):
        lab.project.ok("ci", "drift", "--issue", code=2)
    [issue] = lab.gitlab.issues
    lab.project.server.edit(lab.project.bound("a"), metrics={"completeness": 0.9})
    lab.project.ok("ci", "drift", "--issue")
    assert issue["state"] == "closed"


def test_no_line_is_an_order(lab: Lab, planned: int) -> None:
    """GitLab obeys a line that begins with a slash, and takes a longer fence for the end of a shorter one."""
    forge = opened(lab)
    text = "<!-- m -->\n````text\n```\n/approve\n````\n/merge\n"
    for _ in range(2):
        forge.comment("<!-- m -->\n", text, planned)
        forge.issue("<!-- m -->\n", "drift", text)
    for told in (lab.gitlab.texts(planned)[-1], lab.gitlab.issues[-1]["description"]):
        assert told == "<!-- m -->\n````text\n```\n /approve\n````\n /merge\n"


def test_the_address_of_a_note(lab: Lab, planned: int) -> None:
    lab.project.env["CI_MERGE_REQUEST_PROJECT_URL"] = "https://gitlab.invalid/o/r"
    for _ in range(2):
        url = opened(lab).comment("<!-- m -->\n", "<!-- m -->\n", planned)
        assert url == f"https://gitlab.invalid/o/r/-/merge_requests/{planned}#note_{len(lab.gitlab.notes)}"


def opened(lab: Lab) -> Forge:
    return open_forge("gitlab", lab.project.env)


@pytest.mark.parametrize("message", [{"body": ["is too long"]}, "is too long"], ids=str)
def test_a_refusal_in_its_own_words(lab: Lab, message: Any) -> None:
    number = lab.request(a=bot(0.7), b=bot(0.9))
    lab.gitlab.fault("POST", "notes", status=400, message=message)
    assert "is too long" in lab.plan(number, code=1).err


def test_an_approval_is_compared_by_its_moment(lab: Lab, planned: int) -> None:
    """The same hour stands there twice where a server's clock is put back."""
    lab.merge(planned)
    [record] = [one for one in lab.gitlab.notes if "defendctl-review" in one["body"]]
    record["updated_at"] = "2026-10-25T02:10:00.000+01:00"
    note = lab.gitlab.note(planned, "approved this merge request", author=5, system=True)
    note["created_at"] = "2026-10-25T02:50:00.000+02:00"
    lab.apply("--approved-after-plan", code=6)
    note["created_at"] = "2026-10-25T01:20:00.000Z"
    lab.apply("--approved-after-plan")
    assert lab.live() == 0.7
