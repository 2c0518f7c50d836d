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


def test_a_proposal_that_flags_too_much_is_denied(live: Project) -> None:
    [finding] = found(live, 5)
    assert (finding["verdict"], finding["evaluated"]) == ("denied", True)
    assert "20 of 20 events would be flagged (100.0%); 20.0% is the most" in finding["detail"]
    live.ok("apply", "--yes", code=5)
    assert live.server.count("PUT") == 0


def test_apply_replays_by_itself_and_goes_on_where_the_rule_holds(live: Project) -> None:
    propose(live, completeness=0.6)  # equal passes
    assert found(live, 0) == []
    assert live.plan().json["replay"][0]["after"]["fails"] == 0
    assert live.apply().results() == {"a": "done"}


def test_too_few_events_are_numbers_and_no_gate(live: Project) -> None:
    gated(live, min_events=EVENTS + 1)
    ran = live.plan()
    assert ran.json["policy"] == []
    assert (ran.json["replay"][0]["enough"], ran.json["replay"][0]["after"]["fails"]) == (False, EVENTS)


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
