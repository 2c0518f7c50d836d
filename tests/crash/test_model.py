"""The walk over the protocol finds no violation, and finds one where a rule is missing."""

from __future__ import annotations

import pytest

from tests.crash.model import RULES, walk


@pytest.mark.parametrize("processes", [1, 2, pytest.param(3, marks=pytest.mark.slow)])
def test_nothing_is_lost_and_nothing_exists_twice(processes: int) -> None:
    worlds, wrong = walk(processes)
    assert wrong is None
    assert worlds > 20**processes  # it did go through the orders


MISSING = {
    "compare-and-swap": "lost",
    "honoured": "lost",
    "intent": "lost",
    "minimum-age": "lost",
    "no-retry": "twice",
    "send-limit": "lost",
}


@pytest.mark.parametrize("rule", sorted(MISSING))
def test_each_rule_is_needed(rule: str) -> None:
    assert walk(2, RULES - {rule})[1] == MISSING[rule]


def test_the_lock_is_a_courtesy() -> None:
    """Compare and swap holds without it; it spares a second run its work."""
    assert walk(2, RULES - {"lock"})[1] is None
    assert MISSING.keys() | {"lock"} == RULES
