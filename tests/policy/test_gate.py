"""max_flag_rate: plan and apply look at recent events by themselves, and what is not known does not pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import automatic, custom

if TYPE_CHECKING:
    from tests.conftest import Project

RULE = {"id": "few-flags", "level": "deny", "max_flag_rate": 0.2}
EVENTS = 20


@pytest.fixture
def live(project: Project) -> Project:
    """`a` guards completeness at 0.5, had twenty events that score 0.6, and its manifest asks for 0.7."""
    project.declare({"a": custom(metrics={"completeness": 0.5}), "b": custom()})
    project.apply()
    project.server.give(project.bound("a"), *[{"scores": {"completeness": 0.6}}] * EVENTS)
    gated(project)
    propose(project, completeness=0.7)
    project.server.forget_requests()
    return project


def gated(project: Project, **replay: Any) -> None:
    project.settings(policy={"rules": [RULE], "replay": {"last": 50, "min_events": EVENTS, **replay}})


def propose(project: Project, **metrics: float) -> None:
    project.declare({"a": custom(metrics=metrics), "b": custom()})


def found(project: Project, code: int) -> list[dict[str, Any]]:
    return list(project.plan(code=code).json["policy"])


def limits(project: Project) -> list[int]:
    """How many events were asked for, where that was more than the one that comes with any read."""
    asked = [int(seen["query"].removeprefix("limit=")) for seen in project.server.requests("GET")]
    return [limit for limit in asked if limit > 1]


def test_a_proposal_that_flags_too_much_is_denied(live: Project) -> None:
    [finding] = found(live, 5)
    assert (finding["verdict"], finding["evaluated"]) == ("denied", True)
    assert "20 of 20 events would be flagged (100.0%); at most 20% is allowed" in finding["detail"]
    live.ok("apply", "--yes", code=5)
    assert live.server.count("PUT") == 0


def test_apply_replays_by_itself_and_goes_on_where_the_rule_holds(live: Project) -> None:
    propose(live, completeness=0.6)  # equal passes
    assert found(live, 0) == []
    assert live.plan().json["replay"][0]["after"]["fails"] == 0
    assert live.apply().results() == {"a": "done"}


def test_what_is_shown_does_not_overrule_the_sample_of_the_policy(live: Project) -> None:
    """The five that are shown would pass; a rule is judged on its own, and one reading serves both."""
    live.server.give(live.bound("a"), *[{"scores": {"completeness": 0.9}}] * 5)
    gated(live, last=100)
    live.server.forget_requests()
    ran = live.plan("--replay", "5", code=5)
    assert "20 of 25 events would be flagged (80.0%)" in ran.json["policy"][0]["detail"]
    shown, judged = ran.json["replay"][0], ran.json["policy_replay"][0]
    assert (shown["events"], shown["after"]["fails"]) == (5, 0)
    assert (judged["events"], judged["after"]["fails"]) == (25, 20)
    assert limits(live) == [100]
    assert ran.json["digest"] == live.plan(code=5).json["digest"]


def test_nor_does_more_than_the_sample(live: Project) -> None:
    live.server.give(live.bound("a"), *[{"scores": {"completeness": 0.9}}] * 30)
    gated(live, last=30)
    ran = live.plan("--replay", "50")
    assert ran.json["policy"] == []
    assert (ran.json["replay"][0]["after"]["fails"], ran.json["policy_replay"][0]["after"]["fails"]) == (
        20,
        0,
    )


def test_too_few_events_are_not_judged_and_that_is_said(live: Project) -> None:
    propose(live, completeness=0.6)
    gated(live, min_events=EVENTS + 1)
    ran = live.plan()
    [finding] = ran.json["policy"]
    assert finding["detail"] == "not judged, 20 of 21 events that it needs"
    assert (finding["verdict"], finding["evaluated"], finding["remedy"]) == ("warned", False, None)
    assert (ran.json["replay"][0]["enough"], ran.json["replay"][0]["needed"]) == (False, EVENTS + 1)
    for form in ("text", "markdown", "github"):
        out = live.ok("plan", "--format", form).out
        assert "not judged, 20 of 21 events" in out
        assert "does not pass" not in out
    assert live.apply().results() == {"a": "done"}


def test_too_few_events_deny_where_they_are_certainly_too_many(live: Project) -> None:
    gated(live, min_events=EVENTS + 1)
    [finding] = found(live, 5)
    assert finding["evaluated"]
    assert (
        "20 of 20 events would be flagged, so at least 86.1% of all (95 %); at most 20% is"
        in finding["detail"]
    )


def test_events_that_were_not_evaluated_tip_no_gate(live: Project) -> None:
    """They have scores all the same, below the threshold."""
    broken = [{"scores": {"completeness": 0.1}, "status": "failed"}] * 20
    live.server.give(live.bound("a"), *[{"scores": {"completeness": 0.9}}] * 5, *broken)
    gated(live, last=25, min_events=5)
    ran = live.plan(code=5)
    [finding] = ran.json["policy"]
    assert not finding["evaluated"]
    assert "0 of 25 events would be flagged (0.0%), and for 20 that is unknown" in finding["detail"]
    assert ran.json["replay"][0]["not_evaluated"] == 20
    assert "20 not evaluated to the end: unknown" in live.ok("plan", "--replay", code=5).out
    listed = live.json("events", "list", "a", "--limit", "20").json["events"]
    assert {event["status"] for event in listed} == {"failed"}


def test_a_range_where_some_are_unknown(live: Project) -> None:
    live.server.give(live.bound("a"), {"scores": {"correctness": 0.9}})
    gated(live, last=21)
    after = live.plan(code=5).json["replay"][0]["after"]
    assert after["flag_rate_range"] == after["bounds"] == [20 / 21, 1.0]
    assert after["flag_rate"] == 1.0


def test_a_sample_that_no_gate_can_be_judged_by_is_refused(live: Project) -> None:
    gated(live, last=EVENTS - 1)
    [said] = live.json("validate", code=1).json["diagnostics"]
    assert (said["code"], said["file"]) == ("out-of-range", "defendctl.yaml")
    text = (live.root / "defendctl.yaml").read_text().splitlines()[said["line"] - 1]
    assert text[said["column"] - 1 :].startswith("19")
    assert "A flag rate needs 20 events (`min_events`), and only 19 are read" in said["message"]
    live.ok("plan", code=1)


def test_more_events_than_the_api_gives_at_once(live: Project) -> None:
    """It refuses a `limit` of more than a hundred: so many are read, and that is said."""
    live.server.give(live.bound("a"), *[{"scores": {"completeness": 0.9}}] * 101)
    gated(live, last=101)
    live.server.forget_requests()
    ran = live.plan("--replay", "150")
    assert limits(live) == [150, 100]
    shown, judged = ran.json["replay"][0], ran.json["policy_replay"][0]
    assert (shown["wanted"], shown["asked"], shown["events"]) == (150, 100, 100)
    assert (judged["wanted"], judged["asked"], judged["events"]) == (101, 100, 100)
    assert "(150 were wanted, the API gives 100 at once)" in live.ok("plan", "--replay", "150").out
    assert live.apply().results() == {"a": "done"}


def test_a_metric_without_scores_is_unknown_and_does_not_pass(live: Project) -> None:
    propose(live, completeness=0.5, correctness=0.5)
    [finding] = found(live, 5)
    assert not finding["evaluated"]
    assert "0 of 20 events would be flagged (0.0%), and for 20 that is unknown" in finding["detail"]


def test_what_cannot_be_replayed_does_not_pass(live: Project) -> None:
    live.declare({"a": automatic(), "b": custom()})
    [finding] = found(live, 5)
    assert not finding["evaluated"]


def test_events_that_cannot_be_read_do_not_pass(live: Project) -> None:
    live.server.fault("status", "GET", status=500, times=None, skip=2)  # both were read
    [finding] = found(live, 5)
    assert not finding["evaluated"]


def test_without_a_look_at_live_it_does_not_pass(live: Project) -> None:
    assert {each["evaluated"] for each in live.plan("--no-refresh", code=5).json["policy"]} == {False}


def test_a_change_of_no_threshold_reads_no_events(live: Project) -> None:
    live.declare({"a": custom(metrics={"completeness": 0.5}, max_retries=3), "b": custom()})
    live.server.forget_requests()
    assert found(live, 0) == []
    assert not [r for r in live.server.requests() if "limit=50" in str(r)]


def test_the_digest_is_the_same_whatever_the_events_say(live: Project) -> None:
    before = live.plan(code=5).json["digest"]
    live.server.give(live.bound("a"), *[{"scores": {"completeness": 0.9}}] * 200)
    assert live.plan().json["digest"] == before
