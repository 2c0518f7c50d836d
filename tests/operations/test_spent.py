"""What is reviewed once is applied once; the same change, planned anew, applies again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defendctl.model import State
from defendctl.state.spent import APPLIES, LEAST, drop_oldest, is_forgotten, spend, spent_since
from tests.conftest import custom

if TYPE_CHECKING:
    from tests.conftest import Project


def at(threshold: float, **more: object) -> dict[str, object]:
    return {"a": custom(metrics={"completeness": threshold}, **more)}


@pytest.fixture
def loosened(project: Project) -> Project:
    """0.9 was applied, p.json says 0.7 and was applied, and 0.9 again."""
    project.declare(at(0.9))
    project.apply()
    project.declare(at(0.7))
    project.ok("plan", "--out", "p.json")
    project.ok("apply", "p.json")
    project.declare(at(0.9))
    project.apply()
    project.declare(at(0.7))
    return project


def live(project: Project) -> float:
    return float(project.server.workflow(project.bound("a"))["metrics"]["completeness"])


def test_an_old_plan_does_not_loosen_again(loosened: Project) -> None:
    ran = loosened.ok("apply", "p.json", code=6)
    assert "were applied after it was made, and reverted since (a)" in ran.err
    saved = json.loads((loosened.root / "p.json").read_text())
    named = f"{saved['digest']}@{saved['serial']}"
    loosened.ok("apply", "--expect", named, code=6)
    ran = loosened.ok("apply", "--expect", saved["digest"], code=6)
    assert "a plan with this digest was applied already" in ran.err
    assert live(loosened) == 0.9


def test_the_same_change_planned_anew_applies(loosened: Project) -> None:
    loosened.ok("plan", "--out", "q.json")
    loosened.ok("apply", "q.json")
    assert live(loosened) == 0.7


def test_digest_at_serial_is_what_plan_prints(loosened: Project) -> None:
    printed = loosened.ok("plan").out.splitlines()[-1].removeprefix("Digest: ")
    assert loosened.plan().json["digest"] in printed
    loosened.ok("apply", "--expect", printed)
    assert live(loosened) == 0.7
    assert "already" in loosened.ok("apply", "--expect", printed, code=6).err
    loosened.ok("apply", "--expect", "sha256:0@x", code=64)


def test_a_serial_that_the_state_has_not_reached_gets_nothing_past(loosened: Project) -> None:
    """By hand after --expect, or in a plan of a state that was rolled back since."""
    saved = json.loads((loosened.root / "p.json").read_text())
    serial = loosened.state["serial"]
    ran = loosened.ok("apply", "--expect", f"{saved['digest']}@{serial + 1}", code=6)
    assert f"no plan of serial {serial + 1} can exist: the state is at {serial}" in ran.err
    assert "copy DIGEST@SERIAL from the plan" in ran.err
    (loosened.root / "p.json").write_text(json.dumps({**saved, "serial": 999}))
    assert "no plan of serial 999 can exist" in loosened.ok("apply", "p.json", code=6).err
    ran = loosened.ok("apply", "--reviewed", "p.json", code=6)
    assert f"its review names a serial above {serial}" in ran.err
    assert live(loosened) == 0.9
    loosened.ok("apply", "--expect", f"{saved['digest']}@{serial}")
    assert live(loosened) == 0.7


def test_a_part_of_another_plan_counts(project: Project) -> None:
    """p.json was never applied itself, but what it does was, together with more."""
    project.declare(at(0.9))
    project.apply()
    project.declare(at(0.7))
    project.ok("plan", "--out", "p.json")
    project.declare(at(0.7, description="more"))
    project.apply()
    project.declare(at(0.9))
    project.apply()
    project.declare(at(0.7))
    assert project.plan().json["digest"] == json.loads((project.root / "p.json").read_text())["digest"]
    project.ok("apply", "p.json", code=6)


def test_drift_that_is_reverted_twice(project: Project) -> None:
    project.declare(at(0.9))
    project.apply()
    for _ in range(2):
        project.server.edit(project.bound("a"), metrics={"completeness": 0.1})
        project.ok("plan", "--out", "p.json")
        project.ok("apply", "p.json")
        assert live(project) == 0.9


def test_what_failed_is_not_spent(project: Project) -> None:
    project.declare(at(0.9))
    project.apply()
    project.declare(at(0.7))
    project.ok("plan", "--out", "p.json")
    project.server.fault("status", "PUT", status=422)
    before = project.state.get("spent", {})
    project.ok("apply", "p.json", code=1)
    assert project.state.get("spent", {}) == before
    project.apply()
    assert live(project) == 0.7


def test_an_update_whose_answer_was_lost_is_spent_once_it_is_found_in_place(project: Project) -> None:
    project.declare(at(0.9))
    project.apply()
    project.declare(at(0.7))
    project.ok("plan", "--out", "p.json")
    project.server.fault("status-after", "PUT", status=500, times=None)
    project.run("apply", "p.json")
    assert live(project) == 0.7
    project.server.heal()
    project.declare(at(0.9))
    project.apply()
    project.declare(at(0.7))
    project.ok("apply", "p.json", code=6)
    assert live(project) == 0.9


def test_a_plan_of_nothing_may_be_applied_for_ever(project: Project) -> None:
    project.declare(at(0.9))
    project.apply()
    project.ok("plan", "--out", "p.json")
    for _ in range(3):
        project.ok("apply", "p.json")


def test_a_stale_plan_says_what_moved(project: Project) -> None:
    project.declare({**at(0.9), "b": custom()})
    project.apply()
    project.declare({**at(0.7), "b": custom(description="d"), "c": custom()})
    project.ok("plan", "--out", "p.json")
    project.server.edit(project.bound("a"), metrics={"completeness": 0.8})
    project.declare({**at(0.7), "b": custom(description="e")})
    ran = project.ok("apply", "p.json", code=6)
    assert "  a metrics.completeness: 0.9 -> 0.7, now 0.8 -> 0.7\n" in ran.err
    assert '  b description: "" -> "d", now "" -> "e"\n' in ran.err
    assert "  c: create, now nothing to do\n" in ran.err


def test_where_the_digest_stands_in_the_state(project: Project) -> None:
    project.declare(at(0.9))
    project.apply()
    digest = project.plan().json["digest"]
    assert digest not in project.state["spent"]
    project.declare(at(0.7))
    plan = project.plan().json
    project.apply()
    assert project.state["spent"][plan["digest"]] == project.state["serial"] > plan["serial"]


@given(st.lists(st.integers(1, 400), min_size=1, max_size=60))
def test_what_is_kept(sizes: list[int]) -> None:
    """All of the newest applies and at least so many; whatever is gone is at or below the floor."""
    state, count = State(), 0
    for size in sizes:
        spend(state, [f"{n:032x}" for n in range(count, count + size)])
        count += size
        drop_oldest(state)
        state.serial += 1
    left = {serial for serial in range(1, len(sizes) + 1) if serial > state.spent_floor}
    assert set(state.spent.values()) == left
    assert len(left) >= min(len(sizes), APPLIES)
    assert len(state.spent) >= min(count, LEAST)
    assert state.spent_floor == 0 or is_forgotten(state, state.spent_floor - 1)
    assert not is_forgotten(state, state.spent_floor)


def test_a_plan_older_than_what_is_remembered(loosened: Project) -> None:
    from defendctl.state.document import from_text, to_text

    state = from_text(loosened.state_file.read_text())
    state.spent, state.spent_floor = {}, 3
    loosened.state_file.write_text(to_text(state))
    assert "plan again" in loosened.ok("apply", "p.json", code=6).err


def test_spent_since() -> None:
    state = State(serial=6, spent={"x": 7, "y": 3})
    assert spent_since(state, ["x", "y", "z"], 6) == ["x"]
    assert spent_since(state, ["x", "y", "z"], 0) == ["x", "y"]
