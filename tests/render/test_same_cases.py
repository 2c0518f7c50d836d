"""The same cases in several results: whose scores moved, each number counted another way."""

from __future__ import annotations

from math import comb
from typing import Any

import pytest

from defendctl.render.html.page import report as html
from defendctl.render.page.markdown import report as markdown
from defendctl.render.page.plain import report as plain
from defendctl.render.page.same_cases import same_cases
from defendctl.render.page.saved import Saved
from tests.render.html.given import rows
from tests.render.html.test_page import HOSTILE, UNSEEN, check

Case = tuple[str, list[Any]]
"""A name, and the scores of its runs."""


def results(at: str, *cases: Case, metric: str = "completeness", **changes: Any) -> Any:
    told = [
        {
            **{"name": name, "address": "a", "expected": "flagged", "verdict": "passed", "why": None},
            **{"repeats": 1, "quorum": 1, "run_mode": "fast", "tags": [], "cost": None},
            **{"file": None, "line": None, "column": None},
            "runs": [_run({metric: score}) for score in scores],
        }
        for name, scores in cases
    ]
    return {
        **{
            "format_version": "1.0",
            "kind": "test-results",
            "digest": "sha256:0",
            "generation": "g",
            "at": at,
        },
        **{
            "host": "api.example.com",
            "candidate": False,
            "estimate": None,
            "max_cost": None,
            "stopped": None,
        },
        **{"configurations": [], "cases": told},
        "summary": {"failed": 0, "flaky": 0, "not_judged": 0, "passed": 1, "cost": None, "seconds": 0.1},
        **changes,
    }


def _run(scores: dict[str, Any]) -> Any:
    told = {name: {"score": one, "threshold": 0.5, "flagged": None} for name, one in scores.items()}
    run = dict.fromkeys(("event_id", "flagged", "improvement", "cost"))
    return {
        **{**run, "held": "as_expected", "submitted": "yes", "why": [], "seconds": 0.1},
        **{"ended": True, "scores": told},
    }


def by(shift: float, n: int = 8) -> list[Case]:
    return [(f"case {at}", [at / 10 + shift]) for at in range(n)]


def only_table(*documents: Any) -> list[list[str]]:
    return [row for row in rows(html(Saved(documents))) if len(row) == 9 and row[0] != "workflow"]


def test_a_judge_that_moved() -> None:
    """Eight of eight went down: of 256 ways to fall two are so."""
    told = only_table(results("2026-11-02T00:00:00Z", *by(-0.02)), results("2026-11-01T00:00:00Z", *by(0)))
    assert told == [["a", "completeness", "fast", "8", "-0.020", "0", "8", "p = 0.0078", "moved"]]


def test_the_oldest_beside_the_newest_and_the_mean_of_runs() -> None:
    """Three up and one down of five that have a score in both; whatever is between is left out."""
    first = results(
        "2026-11-01T00:00:00Z", ("a", [0.5]), ("b", [0.5, 0.7]), ("c", [0.5]), ("d", [0.5]), ("e", [0.5])
    )
    between = results("2026-11-02T00:00:00Z", ("a", [0.1]), ("b", [0.1]))
    last = results(
        "2026-11-03T00:00:00Z",
        ("a", [0.6]),
        ("b", [0.7]),
        ("c", [0.6]),
        ("d", [0.4]),
        ("e", [0.5]),
        ("f", [1]),
    )
    chance = 2 * sum(comb(4, k) for k in (0, 1)) / 2**4
    [row] = only_table(between, last, first)
    assert row[3:] == ["5", "+0.040", "3", "1", f"p = {chance:.2g}", "no sign that it moved"]


@pytest.mark.parametrize(
    "other",
    [
        results("2026-11-02T00:00:00Z", ("another", [0.1])),
        results("2026-11-02T00:00:00Z", *by(0), host="other.example"),
        results("2026-11-02T00:00:00Z", *by(0), environment="prod"),
        results("2026-11-02T00:00:00Z", *by(0), metric="correctness"),
        results("2026-11-02T00:00:00Z", *[(f"case {at}", [None, True]) for at in range(8)]),
    ],
)
def test_nothing_is_the_same(other: Any) -> None:
    assert same_cases([results("2026-11-01T00:00:00Z", *by(0)), other]) is None


def test_more_rows_take_more_to_move() -> None:
    """One in a hundred reports is false, not one in a hundred rows."""
    both = [results(f"2026-11-0{day}T00:00:00Z", *by(shift)) for day, shift in ((1, 0), (2, -0.02))]
    for one, other in zip(both, (0.5, 0.6), strict=True):
        one["cases"] += results("", ("x", [other]), metric="correctness")["cases"]
    assert [row[-1] for row in only_table(*both)] == ["no sign that it moved", "no sign that it moved"]


@pytest.mark.parametrize("text", HOSTILE)
def test_texts_of_others_are_harmless(text: str) -> None:
    both = [results(at, *by(shift), metric=text, host=text) for at, shift in ((text, 0), (f"{text}2", -0.02))]
    for one in both:
        for case in one["cases"]:
            case |= {"address": text, "run_mode": text}
    saved = Saved(tuple(both))
    check(html(saved))
    assert not UNSEEN.search(plain(saved) + markdown(saved))


def test_in_every_format() -> None:
    saved = Saved((results("2026-11-01T00:00:00Z", *by(0)), results("2026-11-02T00:00:00Z", *by(-0.02))))
    for drawn in (plain(saved), markdown(saved)):
        assert "Guardrail tests over time: scores of 1 metric moved" in drawn
