"""Each row of the threats: what is forged, stale, foreign or missing counts for nothing, and is said."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defendctl.ci import record as records
from defendctl.ci.record import LONGEST, Record
from defendctl.state.document import from_text, to_text
from tests.ci.team import bot
from tests.operations.test_checkout import git

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.ci.team import Team


@pytest.fixture
def planned(team: Team) -> int:
    """A request that loosens, planned."""
    number = team.request(a=bot(0.7), b=bot(0.9))
    team.plan(number)
    return number


def by_another_app(team: Team, check: Any) -> None:
    check["app"] = {"slug": "evil-app"}


def not_completed(team: Team, check: Any) -> None:
    check["status"] = "in_progress"


def failed(team: Team, check: Any) -> None:
    check["conclusion"] = "failure"


def newer_failed(team: Team, check: Any) -> None:
    team.github.checks.append(
        {**check, "id": 99, "conclusion": "failure", "completed_at": "2027-01-01T00:00:00Z"}
    )


def newer_failed_in_the_same_second(team: Team, check: Any) -> None:
    team.github.checks.append({**check, "id": 99, "conclusion": "failure"})


def of_another_name(team: Team, check: Any) -> None:
    check["name"] = "defendctl / staging"


def in_the_summary_alone(team: Team, check: Any) -> None:
    check["output"] = {"summary": check["output"]["text"], "text": None}


def with_a_second_block(team: Team, check: Any) -> None:
    check["output"]["text"] *= 2


def changed_record(**values: Any) -> Callable[[Team, Any], None]:
    def change(team: Team, check: Any) -> None:
        fence, content, end = check["output"]["text"].split("\n")
        check["output"]["text"] = "\n".join([fence, json.dumps({**json.loads(content), **values}), end])

    change.__name__ = ",".join(values)
    return change


def into_another_branch(team: Team, check: Any) -> None:
    team.github.pulls[team.number]["base"]["ref"] = "release"


def into_another_repository(team: Team, check: Any) -> None:
    team.github.pulls[team.number]["base"]["repo"]["full_name"] = "evil/r"


def closed_and_not_merged(team: Team, check: Any) -> None:
    team.github.pulls[team.number] |= {"merged_at": None}


def pushed_after_the_plan(team: Team, check: Any) -> None:
    team.github.pulls[team.number]["head"]["sha"] = "f" * 40


FORGED = [
    by_another_app,
    not_completed,
    failed,
    newer_failed,
    newer_failed_in_the_same_second,
    of_another_name,
    in_the_summary_alone,
    with_a_second_block,
    into_another_branch,
    into_another_repository,
    closed_and_not_merged,
    pushed_after_the_plan,
    changed_record(v=2),
    changed_record(v=True),
    changed_record(lineage="another"),
    changed_record(env="prod"),
    changed_record(host_digest="0" * 64),
    changed_record(commit="f" * 40),
    changed_record(serial=-1),
    changed_record(serial="3"),
    changed_record(fingerprints=["x"]),
    changed_record(more=1),
    changed_record(digest="sha256:0"),
]


@pytest.mark.parametrize("forge", FORGED, ids=lambda one: one.__name__)
def test_what_is_no_review(team: Team, planned: int, forge: Callable[[Team, Any], None]) -> None:
    team.merge(planned)
    forge(team, team.github.checks[0])
    assert "not reviewed" in team.apply(code=6).err
    assert team.live("a") == 0.9


def test_it_is_one_as_it_was_made(team: Team, planned: int) -> None:
    """The same, and nothing forged: else the table above would prove nothing."""
    team.merge(planned)
    changed_record()(team, team.github.checks[0])
    team.apply()
    assert team.live("a") == 0.7


def test_what_stands_on_a_later_page_counts(team: Team, planned: int) -> None:
    """Of records and of approvals, of which a request may have hundreds."""
    team.merge(planned)
    [check] = team.github.checks
    team.github.checks += [{**check, "id": n, "completed_at": "2025-01-01T00:00:00Z"} for n in range(150)]
    newer_failed(team, check)
    team.apply(code=6)
    team.github.checks.pop()
    for _ in range(120):
        team.approval(planned, "2025-01-01T00:00:00Z")
    team.apply("--approved-after-plan", code=6)
    team.approval(planned, "2027-01-01T00:00:00Z")
    team.apply("--approved-after-plan")
    assert team.live("a") == 0.7


def test_a_request_with_hundreds_of_commits_more_than_one_page(team: Team) -> None:
    number = team.request(a=bot(0.7), b=bot(0.9))
    for n in range(120):
        git(team.project.root, "commit", "-q", "--allow-empty", "-m", f"more {n}")
    team.github.pulls[number]["head"]["sha"] = git(team.project.root, "rev-parse", "HEAD")
    team.plan(number)
    team.merge(number)
    team.apply()
    assert team.live("a") == 0.7
    assert team.github.count("GET", "compare") == 2


@pytest.mark.parametrize(
    ("event", "content", "ref"),
    [
        (
            "pull_request",
            {"pull_request": {"number": 1, "head": {"repo": {"full_name": "o/r"}}}},
            "refs/pull/1/merge",
        ),
        ("push", {}, "refs/heads/feature"),
        ("workflow_dispatch", {}, "refs/heads/feature"),
        ("workflow_dispatch", {}, "refs/tags/main"),
        ("merge_group", {}, "refs/heads/main"),
    ],
    ids=str,
)
def test_nothing_is_applied_from_elsewhere(
    team: Team, planned: int, event: str, content: dict[str, Any], ref: str
) -> None:
    """Who may push a branch may dispatch a workflow on it."""
    team.merge(planned)
    team.run_as(event, content, ref, ref.rsplit("/", 1)[1])
    assert "nothing is applied from" in team.project.ok("ci", "apply", code=6).err
    assert team.live("a") == 0.9


def test_a_plan_that_cannot_be_made_is_told_too(team: Team) -> None:
    number = team.request(a=bot(0.7), b=bot(0.9))
    team.plan(number)
    team.push_to(number, a=bot(0.7, improvement_action="nonsense"), b=bot(0.9))
    ran = team.plan(number, code=1)
    [text] = team.github.texts(number)
    assert "there is none" in text.splitlines()[1]
    assert "improvement_action" in text
    assert "nothing loosened" not in text
    assert team.github.checks[-1]["conclusion"] == "failure"
    assert "::error title=no plan::" in ran.out


def test_a_fork_writes_nothing_and_needs_no_key(team: Team) -> None:
    number = team.request(a=bot(0.7), b=bot(0.9))
    team.github.pulls[number]["head"]["repo"]["full_name"] = "fork/r"
    team.project.env.pop("DEEPRAILS_API_KEY")
    before = team.github.asked.copy()
    team.plan(number)
    assert team.github.asked == before
    assert "loosened" in team.summary


@pytest.mark.parametrize("status", [403, 404])
def test_a_token_that_may_not_write(team: Team, status: int) -> None:
    """As Dependabot's: the plan is in the summary, with one warning for each."""
    number = team.request(a=bot(0.7), b=bot(0.9))
    team.github.fault("POST", "check-runs", status=status)
    team.github.fault("POST", "comments", status=status)
    ran = team.plan(number)
    assert "the check was not written" in ran.err
    assert "the comment was not written" in ran.err
    assert "loosened" in team.summary
    team.merge(number)
    team.apply(code=6)


def test_no_token_at_all(team: Team, planned: int) -> None:
    team.merge(planned)
    team.github.token = ""
    assert "GH_TOKEN" in team.apply(code=1).err
    assert team.live("a") == 0.9


def test_the_policy_is_weakened_in_the_same_request(team: Team) -> None:
    rule = {"id": "floor", "level": "deny", "min_threshold": {"completeness": 0.8}}
    lineage = {"lineage": team.project.state["lineage"]}
    git(team.project.root, "checkout", "-q", "main")
    team.project.settings(state=lineage, policy={"rules": [rule]})
    git(team.project.root, "commit", "-qam", "a policy")
    number = team.request(a=bot(0.7), b=bot(0.9))
    team.plan(number, code=5)
    assert team.github.checks[-1]["conclusion"] == "failure"
    team.project.settings(state=lineage)
    team.push_to(number, a=bot(0.7), b=bot(0.9))
    team.plan(number)
    assert team.github.texts(number)[-1].splitlines()[2].endswith("; **the policy was weakened**")


def test_many_creates_on_an_empty_state(team: Team) -> None:
    """The lineage is right and nothing is bound: somebody restored what was there on the first day."""
    many = {f"w{n}": bot(0.9) for n in range(11)}
    number = team.request(**many)
    team.merge(number)
    state = from_text(team.project.state_file.read_text())
    state.bindings.clear()
    state.completed = None
    team.project.state_file.write_text(to_text(state))
    shutil.rmtree(team.project.root / ".defendctl" / "backups")
    refused = team.apply(code=6)
    assert "11 workflows would be created" in refused.err
    assert team.project.server.count("POST") == 2


def test_no_pipeline_begins_a_state(team: Team) -> None:
    """With a lineage that nothing pins, a state that was lost would look like a first run."""
    git(team.project.root, "checkout", "-q", "main")
    team.project.settings(state={})
    git(team.project.root, "commit", "-qam", "nothing is pinned")
    team.reviewed(a=bot(0.7), b=bot(0.9))
    team.project.state_file.unlink()
    shutil.rmtree(team.project.root / ".defendctl" / "backups")
    team.run_as("push", {}, "refs/heads/main", "main")
    ran = team.project.run_alone("ci", "apply")
    assert ran.code == 6
    assert "no pipeline begins one" in ran.err
    assert "`defendctl init --new-state`" in ran.err
    assert team.project.server.count("POST") == 2
    assert not team.project.state_file.exists()


def test_more_than_is_looked_at(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    from defendctl.ci import github

    monkeypatch.setattr(github, "MOST_COMMITS", 1)
    team.reviewed(a=bot(0.7), b=bot(0.9))
    assert "commits" in team.apply(code=6).err
    monkeypatch.setattr(github, "MOST_COMMITS", 9)
    monkeypatch.setattr(github, "MOST_REQUESTS", 0)
    assert "pull requests" in team.apply(code=6).err


def test_more_changes_than_a_record_holds(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the very plan that was looked at is applied, and no other."""
    monkeypatch.setattr(records, "LONGEST", 600)
    number = team.request(**{f"w{n}": bot(0.9) for n in range(9)}, a=bot(0.7), b=bot(0.9))
    team.plan(number)
    assert '"fingerprints":null' in team.github.checks[-1]["output"]["text"]
    team.merge(number)
    team.project.server.edit(team.project.bound("b"), metrics={"completeness": 0.95})
    team.apply(code=6)
    team.project.server.edit(team.project.bound("b"), metrics={"completeness": 0.9})
    team.apply()
    assert team.live("a") == 0.7


HASHES = st.text("0123456789abcdef", min_size=32, max_size=32)
RECORDS = st.builds(
    Record,
    environment=st.none() | st.text(max_size=9),
    lineage=st.text(max_size=40),
    host=st.text(max_size=64),
    commit=st.text("0123456789abcdef", min_size=40, max_size=40),
    digest=st.none() | st.just("sha256:" + "a" * 64),
    serial=st.integers(0, 10**9),
    options=st.dictionaries(st.text(max_size=5), st.lists(st.text(max_size=5), max_size=3), max_size=3),
    policy=st.text(max_size=64),
    fingerprints=st.none() | st.lists(HASHES, max_size=9).map(tuple),
)


@given(RECORDS)
def test_what_is_written_is_read(record: Record) -> None:
    assert records.from_text("Words of ours.\n" + records.to_text(record) + "\nand more") == record


@given(RECORDS, st.integers(0, 10_000), st.characters())
def test_one_changed_character_is_no_other_review(record: Record, at: int, other: str) -> None:
    """It is the same, or none, or one whose values changed; never half of one."""
    text = records.to_text(record)
    at %= len(text)
    found = records.from_text(text[:at] + other + text[at + 1 :])
    assert found is None or records.to_text(found).count("defendctl-review") >= 1


@pytest.mark.parametrize("text", [None, 7, "", "```defendctl-review\n\n```", "x" * (LONGEST + 1)])
def test_what_is_no_record(text: object) -> None:
    assert records.from_text(text) is None


def test_a_key_that_stands_twice_is_none() -> None:
    made = records.to_text(Record(None, "l", "h", "a" * 40, None, 3, {}, "p", ()))
    assert records.from_text(made)
    assert records.from_text(made.replace('"serial":3', '"serial":3,"serial":9')) is None
