"""A trial against a judge that never answers as it should, or does not answer at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from defendctl.api.outcome import Accepted, Submitted, Unsent
from defendctl.diagnostics import Interrupted
from defendctl.engine.trial import Trial
from defendctl.event import Event, Submission
from defendctl.suite.budget import Budget
from defendctl.suite.models import Case, CaseResult, Expectation

if TYPE_CHECKING:
    from collections.abc import Callable

CASE = Case("c", "a", Submission("o", "m"), Expectation("flagged"))


class Odd:
    """Answers one thing to every submission; may stop at a pause, as after Ctrl-C."""

    def __init__(self, outcome: Submitted, *, stops: bool = False) -> None:
        self.outcome, self.stops, self.sent = outcome, stops, 0

    def submit(self, workflow_id: str, body: dict[str, Any], before_send: Callable[[], None]) -> Submitted:
        before_send()
        self.sent += 1
        return self.outcome

    def event(self, workflow_id: str, event_id: str, content: bool) -> Event | None:
        return Event(event_id, "in_progress")

    def pause(self, seconds: float) -> None:
        if self.stops:
            raise Interrupted("interrupted")

    def rest(self, seconds: float) -> None:
        self.pause(seconds)


def result(odd: Odd) -> CaseResult:
    budget = Budget(1)
    trial = Trial(odd, {"a": "w"}, lambda given: {"nametag": given.nametag}, 0.01, budget, {"c": 0.5})
    [found] = trial.run([CASE], 4)
    assert found.verdict == "not_judged"
    left = 0.5 if found.runs[0].submitted == "yes" else 0
    assert (budget.spent, budget.reserved) == (left, 0)
    return found


@pytest.mark.parametrize(("again", "sent"), [(True, 3), (False, 1)])
def test_what_never_left_is_tried_again_and_costs_nothing(again: bool, sent: int) -> None:
    odd = Odd(Unsent("no connection", again))
    assert result(odd).runs[0].why == ("not sent: no connection",)
    assert odd.sent == sent


def test_a_wait_that_is_interrupted_submits_nothing() -> None:
    odd = Odd(Unsent("no connection"), stops=True)
    assert (result(odd).runs[0].submitted, odd.sent) == ("no", 1)


def test_an_event_that_nobody_follows_any_more_is_paid_for() -> None:
    run = result(Odd(Accepted("evt"), stops=True)).runs[0]
    assert (run.event_id, run.ended, run.why) == ("evt", False, ("interrupted",))
