"""The walk over the protocol of a shared store finds no violation, and finds one where a rule is missing."""

from __future__ import annotations

import pytest

from tests.crash.fenced import RULES, walk


@pytest.mark.parametrize("runs", [1, 2, pytest.param(3, marks=pytest.mark.slow)])
def test_nothing_is_lost_and_nothing_exists_twice(runs: int) -> None:
    worlds, wrong = walk(runs)
    assert wrong is None
    assert worlds > 20**runs  # it did go through the orders


MISSING = {
    "answered": "lost",
    "fence": "lost",
    "honoured": "lost",
    "intent": "lost",
    "left": "forgotten",
    "minimum-age": "lost",
    "no-retry": "twice",
    "read-back": "lost",
    "send-limit": "lost",
}


@pytest.mark.parametrize("rule", sorted(MISSING))
def test_each_rule_is_needed(rule: str) -> None:
    assert walk(2, RULES - {rule})[1] == MISSING[rule]


def test_no_rule_is_without_its_test() -> None:
    assert MISSING.keys() == RULES
