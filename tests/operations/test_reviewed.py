"""`apply --reviewed`: each change that a plan does was seen by a person, or nothing is done.

The cases are those in which a digest of the whole plan refuses what is harmless, or lets pass what is not.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import custom

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Project


def bot(threshold: float, **more: Any) -> Any:
    return custom(metrics={"completeness": threshold}, **more)


def review(project: Project, name: str, **workflows: Any) -> None:
    """What a pull request declares, and the plan that was looked at there."""
    project.declare(workflows)
    project.ok("plan", "--no-refresh", "--out", name)


def live(project: Project, address: str) -> float:
    return float(project.server.workflow(project.bound(address))["metrics"]["completeness"])


@pytest.fixture
def pair(project: Project) -> Project:
    """Two workflows at 0.9, applied."""
    project.declare({"a": bot(0.9), "b": bot(0.9)})
    project.apply()
    return project


def console_edit_of_another(project: Project) -> list[str]:
    review(project, "a.json", a=bot(0.7), b=bot(0.9))
    project.server.edit(project.bound("b"), metrics={"completeness": 0.95})
    return ["a.json"]


def two_requests_and_a_dropped_run(project: Project) -> list[str]:
    review(project, "a.json", a=bot(0.7), b=bot(0.9))
    review(project, "b.json", a=bot(0.9), b=bot(0.7))
    project.declare({"a": bot(0.7), "b": bot(0.7)})
    return ["a.json", "b.json"]


def one_review_is_missing(project: Project) -> list[str]:
    return two_requests_and_a_dropped_run(project)[:1]


def again_after_half_was_done(project: Project) -> list[str]:
    files = two_requests_and_a_dropped_run(project)
    project.server.fault("status", "PUT", status=422, times=1)
    project.ok("apply", "--reviewed", files[0], "--reviewed", files[1], "--parallelism", "1", code=4)
    return files


def two_requests_about_one(project: Project) -> list[str]:
    review(project, "a.json", a=bot(0.7), b=bot(0.9))
    review(project, "b.json", a=bot(0.9, description="billing"), b=bot(0.9))
    project.declare({"a": bot(0.7, description="billing"), "b": bot(0.9)})
    return ["a.json", "b.json"]


def again_after_it_was_taken_back(project: Project) -> list[str]:
    review(project, "a.json", a=bot(0.7), b=bot(0.9))
    project.ok("apply", "--reviewed", "a.json")
    review(project, "back.json", a=bot(0.9), b=bot(0.9))
    project.ok("apply", "--reviewed", "back.json")
    project.declare({"a": bot(0.7), "b": bot(0.9)})
    return ["a.json", "back.json"]


def base_moved_elsewhere(project: Project) -> list[str]:
    review(project, "a.json", a=bot(0.7), b=bot(0.9))
    project.declare({"a": bot(0.9), "b": bot(0.95)})
    project.apply()
    project.declare({"a": bot(0.7), "b": bot(0.95)})
    return ["a.json"]


def base_moved_under_it(project: Project) -> list[str]:
    review(project, "a.json", a=bot(0.6), b=bot(0.9))
    project.declare({"a": bot(0.95), "b": bot(0.9)})
    project.apply()
    project.declare({"a": bot(0.6), "b": bot(0.9)})
    return ["a.json"]


@dataclass(frozen=True)
class Case:
    """`told` is what is refused by name; without it all is applied and `live` in the end."""

    happens: Callable[[Project], list[str]]
    told: str = ""
    live: tuple[float, float] = (0.9, 0.9)


CASES = [
    Case(console_edit_of_another, "b: metrics.completeness 0.95 -> 0.9 (drift, loosens)", (0.9, 0.95)),
    Case(two_requests_and_a_dropped_run, live=(0.7, 0.7)),
    Case(one_review_is_missing, "b: metrics.completeness 0.9 -> 0.7 (loosens)"),
    Case(again_after_half_was_done, live=(0.7, 0.7)),
    Case(two_requests_about_one, live=(0.7, 0.9)),
    Case(
        again_after_it_was_taken_back,
        "a: metrics.completeness 0.9 -> 0.7 (loosens); it was reviewed, applied, and taken back since",
    ),
    Case(base_moved_elsewhere, live=(0.7, 0.95)),
    Case(base_moved_under_it, "a: metrics.completeness 0.95 -> 0.6 (loosens)", (0.95, 0.9)),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.happens.__name__)
def test_each_change_was_seen_or_nothing_is_done(pair: Project, case: Case) -> None:
    files = case.happens(pair)
    before = pair.server.count("PUT")
    reviews = [part for file in files for part in ("--reviewed", file)]
    ran = pair.ok("apply", *reviews, code=6 if case.told else 0)
    assert (live(pair, "a"), live(pair, "b")) == case.live
    if case.told:
        assert ran.err.splitlines()[1].strip() == case.told
        assert "not reviewed: 1 change of this plan" in ran.err
        assert pair.server.count("PUT") == before


def test_both_ways_out_of_a_refusal(pair: Project) -> None:
    """The edit is taken back, or this very plan is looked at."""
    console_edit_of_another(pair)
    refused = pair.ok("apply", "--reviewed", "a.json", code=6)
    named = refused.err.rsplit("--expect ", 1)[1].strip()
    pair.ok("apply", "--expect", named.strip('"'))
    assert (live(pair, "a"), live(pair, "b")) == (0.7, 0.9)
    pair.server.edit(pair.bound("b"), metrics={"completeness": 0.9})
    pair.ok("apply", "--reviewed", "a.json")


def test_every_kind_of_change_is_named(pair: Project) -> None:
    pair.declare({"c": {**bot(0.9), "name": "a", "renamed_from": "a"}, "d": bot(0.5)})
    ran = pair.ok("apply", "--reviewed", str(empty(pair)), code=6)
    assert [line.strip() for line in ran.err.splitlines() if line.startswith("  ")][:3] == [
        "a -> c: renamed",
        "b: retire",
        "d: create",
    ]


def empty(project: Project) -> Path:
    """A plan of nothing, as somebody saw it before anything changed."""
    path = project.root / "nothing.json"
    made = project.plan("--no-refresh").json
    path.write_text(json.dumps({**made, "fingerprints": []}))
    return path


def test_what_is_reviewed_is_listed_in_the_plan(pair: Project) -> None:
    pair.declare({"a": bot(0.7), "b": bot(0.9), "c": bot(0.5)})
    told = pair.plan().json["fingerprints"]
    assert [(one["address"], one["action"], one["field"]) for one in told] == [
        ("a", "update", "metrics.completeness"),
        ("c", "create", None),
    ]
    assert pair.plan("--no-refresh").json["fingerprints"] == told


def test_a_plan_of_nothing_needs_no_review(pair: Project) -> None:
    pair.ok("apply", "--reviewed", str(empty(pair)))


def test_options_of_the_plan_do_not_matter(pair: Project) -> None:
    review(pair, "a.json", a=bot(0.7), b=bot(0.9))
    pair.declare({"a": bot(0.7), "b": bot(0.5)})
    pair.ok("apply", "--reviewed", "a.json", code=6)
    pair.ok("apply", "--reviewed", "a.json", "--target", "a")
    refused = pair.ok("apply", "--reviewed", "a.json", "--target", "b", code=6)
    assert re.search(r'defendctl apply --expect "sha256:\w+@\d+" --target b\n', refused.err)


def test_without_a_state_nothing_can_have_been_reviewed(project: Project) -> None:
    review(project, "a.json", a=bot(0.7))
    refused = project.run_alone("apply", "--reviewed", "a.json", "--new-state")
    assert refused.code == 6
    assert "no review can speak of it" in refused.err
    assert project.server.count("POST") == 0


def test_what_the_policy_denies_is_nothing_that_was_reviewed(pair: Project) -> None:
    lineage = pair.state["lineage"]
    pair.settings(
        state={"lineage": lineage},
        policy={"rules": [{"id": "floor", "level": "deny", "min_threshold": {"completeness": 0.8}}]},
    )
    pair.declare({"a": bot(0.7), "b": bot(0.9)})
    assert pair.plan("--out", "a.json", code=5).json["fingerprints"] == []
    assert "the policy denies" in pair.ok("apply", "--reviewed", "a.json", code=5).err
    pair.settings(state={"lineage": lineage})
    pair.ok("apply", "--reviewed", "a.json", code=6)


def test_forgotten_is_not_covered(pair: Project) -> None:
    from defendctl.state.document import from_text, to_text

    review(pair, "a.json", a=bot(0.7), b=bot(0.9))
    state = from_text(pair.state_file.read_text())
    state.spent, state.spent_floor = {}, state.serial + 1
    pair.state_file.write_text(to_text(state))
    assert "so long ago" in pair.ok("apply", "--reviewed", "a.json", code=6).err


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"fingerprints": [{"address": "a"}]}, 1),
        ({"fingerprints": [{"address": "a", "action": "update", "field": None, "fingerprint": "x"}]}, 1),
        ({"serial": "3"}, 1),
        ({"serial": None}, 1),
        ({"kind": "apply"}, 1),
        ({"format_version": "2.0"}, 6),
    ],
    ids=str,
)
def test_a_file_that_is_no_plan_is_no_review(pair: Project, changed: dict[str, Any], code: int) -> None:
    path = pair.root / "a.json"
    review(pair, "a.json", a=bot(0.7), b=bot(0.9))
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))
    pair.ok("apply", "--reviewed", "a.json", code=code)
    assert live(pair, "a") == 0.9


def test_a_plan_of_before_there_were_fingerprints_covers_nothing(pair: Project) -> None:
    path = pair.root / "a.json"
    review(pair, "a.json", a=bot(0.7), b=bot(0.9))
    made = json.loads(path.read_text())
    del made["fingerprints"]
    path.write_text(json.dumps(made))
    pair.ok("apply", "--reviewed", "a.json", code=6)


@pytest.mark.parametrize("other", [["a.json"], ["--expect", "sha256:0"]], ids=" ".join)
def test_one_word_of_consent(pair: Project, other: list[str]) -> None:
    review(pair, "a.json", a=bot(0.7), b=bot(0.9))
    assert "leave all but one" in pair.ok("apply", "--reviewed", "a.json", *other, code=64).err


def test_a_review_that_is_not_there(pair: Project) -> None:
    pair.ok("apply", "--reviewed", "nowhere.json", code=1)
