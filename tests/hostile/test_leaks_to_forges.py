"""No text of an event, of an uploaded file or of a refusal, and no key or token, in what a forge is sent.

It is looked at where it arrives: the body of every request for a comment, a check, a note or an issue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.ci.conftest import TOKEN, TOKEN_OF_GITLAB, lab, quick, team
from tests.ci.team import bot
from tests.conftest import KEY, few_quick
from tests.hostile.test_leaks import FINISHED, MARK, SECRETS, refusal
from tests.hostile.test_leaks_of_state import TOKEN as TOKEN_OF_STATE
from tests.hostile.test_leaks_of_state import echoing
from tests.operations.test_checkout import commit, git, repository

if TYPE_CHECKING:
    from tests.ci.lab import Lab
    from tests.ci.team import Team
    from tests.conftest import Project

    Crew = Team | Lab

__all__ = ["lab", "quick", "repository", "team"]
PASSWORD = "planted-password-0815"
TOKENS = (TOKEN, TOKEN_OF_GITLAB, TOKEN_OF_STATE, quote(TOKEN_OF_STATE, safe=""), PASSWORD)
FLOOR = {"id": "floor", "level": "deny", "min_threshold": {"completeness": 0.5}}
REPLAYED = {"id": "flags", "level": "warn", "max_flag_rate": 0.01}


@pytest.fixture(params=["team", "lab"])
def crew(request: pytest.FixtureRequest) -> Crew:
    """On GitHub, and on GitLab: events were scored, a file was uploaded, and both are about to change."""
    found: Crew = request.getfixturevalue(request.param)
    project = found.project
    git(project.root, "checkout", "-q", "main")
    project.settings(api={"uploads": True}, policy={"rules": [FLOOR, REPLAYED]})
    written(project, "what the policy says")
    project.declare({"a": searching(0.9), "b": bot(0.9)})
    commit(project, "a file")
    project.apply()
    project.server.give(project.bound("a"), FINISHED)
    project.env["PGPASSWORD"] = PASSWORD
    return found


def searching(threshold: float, **more: Any) -> Any:
    return bot(threshold, file_search=[{"path": "docs/policy.pdf"}], **more)


def written(project: Project, text: str) -> None:
    (project.root / "docs").mkdir(exist_ok=True)
    (project.root / "docs" / "policy.pdf").write_text(f"{MARK}: {text}")


def requested(crew: Crew, threshold: float) -> int:
    """A request that changes a threshold and the file."""
    git(crew.project.root, "checkout", "-q", "main")
    written(crew.project, f"what it says at {threshold}")
    return crew.request(a=searching(threshold), b=bot(0.9))


def assert_clean(crew: Crew, *proofs: str) -> None:
    """Of all that the forge was sent so far."""
    forge = crew.forge
    sent = "\n".join(str(one.body) for one in forge.asked if one.method != "GET")
    for proof in proofs:
        assert proof in sent, f"it was looked at: {proof}"
    for secret in (*SECRETS, *TOKENS):
        at = sent.find(secret)
        assert at < 0, sent[max(0, at - 300) : at + 200]
    assert {one.authorization for one in forge.asked} == {f"Bearer {forge.token}"}
    assert KEY not in str(forge.asked)


def test_from_the_request_to_what_is_applied(crew: Crew) -> None:
    number = requested(crew, 0.7)
    crew.plan(number, "--replay", "50")
    assert_clean(crew, "docs/policy.pdf (", "1 workflow loosened", "1 of the 50 events", "Warned")
    crew.merge(number)
    crew.project.server.edit(crew.project.bound("b"), metrics={"completeness": 0.95})
    crew.apply(code=6)
    assert_clean(crew, "0.95 -> 0.9 (drift, loosens)")
    crew.project.server.edit(crew.project.bound("b"), metrics={"completeness": 0.9})
    crew.apply()
    assert_clean(crew, "Applied: 1 done")


def test_what_is_denied_and_what_drifted(crew: Crew) -> None:
    number = requested(crew, 0.4)
    crew.plan(number, "--replay", "50", code=5)
    git(crew.project.root, "checkout", "-q", "main")
    crew.project.server.edit(crew.project.bound("b"), metrics={"completeness": 0.6})
    crew.apply(code=6)
    crew.project.ok("ci", "drift", "--issue", code=2)
    assert_clean(crew, "1 denial by policy", "Loosened in the console")


@pytest.mark.parametrize(("status", "code"), [(200, 0), (302, 1), (401, 3), (422, 1), (500, 1)])
def test_a_plan_whose_reads_are_refused(crew: Crew, status: int, code: int) -> None:
    """An answer that is none of the API's is planned with what was last applied."""
    number = requested(crew, 0.7)
    refusal(crew.project, "GET", status)
    crew.plan(number, "--replay", "50", code=code)
    assert_clean(crew, "**there is none**" if code else "another workflow_id")


REFUSED = [(method, status) for method in ("PUT", "POST") for status in (401, 422, 500)]


@pytest.mark.parametrize("refused", few_quick(REFUSED, ("PUT", 422), ("POST", 401)))
def test_an_apply_whose_writes_are_refused(crew: Crew, refused: tuple[str, int]) -> None:
    method, status = refused
    number = requested(crew, 0.7)
    crew.plan(number)
    crew.merge(number)
    refusal(crew.project, method, status)
    crew.apply(code=3 if status == 401 else 1)
    assert_clean(crew, "1 failed")


@pytest.mark.parametrize("shown", ["bot:{}", "{}"])
def test_a_state_behind_a_token(crew: Crew, shown: str) -> None:
    """It stands in the address of the remote, and the server repeats it."""
    number = requested(crew, 0.7)
    root = crew.project.root
    crew.project.settings(api={"uploads": True}, state={"url": "git+origin?key=checkout", "lineage": "9c0e"})
    with echoing(403) as port:
        who = shown.format(quote(TOKEN_OF_STATE, safe=""))
        git(root, "remote", "add", "origin", f"http://{who}@127.0.0.1:{port}/acme.git")
        crew.plan(number, code=1)
    assert_clean(crew, "**there is none**", "origin")


@pytest.mark.slow
def test_a_state_behind_a_password(crew: Crew) -> None:
    number = requested(crew, 0.7)
    url = "postgres://apply@127.0.0.1:9/defend?key=checkout"
    crew.project.settings(api={"uploads": True}, state={"url": url, "lineage": "9c0e"})
    crew.plan(number, code=1)
    assert_clean(crew, "**there is none**", "127.0.0.1")


def test_there_is_something_to_leak(crew: Crew) -> None:
    """What is sent holds a mark where it stands in what people wrote; else none would ever be found."""
    crew.plan(crew.request(a=searching(0.9, description=f"{MARK} in a description"), b=bot(0.9)))
    with pytest.raises(AssertionError, match=f"{MARK} in a description"):
        assert_clean(crew)
