"""Apply, then plan, is empty: over generated manifests, on every generation, through edits on both sides."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from defendctl.api.dialects import DIALECTS
from tests.conftest import GENERATIONS, Project
from tests.strategies import CUSTOM_METRICS, near, workflows

if TYPE_CHECKING:
    from defendctl.model import Workflow
    from tests.conftest import World

MIXED = ("2025-10-07", "2025-12-07")
SERVERS = [*((each, each) for each in GENERATIONS), MIXED, ("2025-10-22", "2025-11-10")]
ADDRESSES = ("alpha", "beta", "gamma")
FEW, MANY = 4, 150
_SUPPRESSED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]

servers = pytest.mark.parametrize(("accepts", "answers"), SERVERS, ids=lambda value: value)


@servers
@settings(derandomize=True, max_examples=FEW, deadline=None, suppress_health_check=_SUPPRESSED)
@given(data=st.data())
def test_apply_then_plan_is_empty(world: World, accepts: str, answers: str, data: st.DataObject) -> None:
    _history(world, accepts, answers, data)


@pytest.mark.slow
@pytest.mark.timeout(900)
@servers
@settings(derandomize=True, max_examples=MANY, deadline=None, suppress_health_check=_SUPPRESSED)
@given(data=st.data())
def test_apply_then_plan_is_empty_at_length(
    world: World, accepts: str, answers: str, data: st.DataObject
) -> None:
    _history(world, accepts, answers, data)


_projects: dict[int, Project] = {}


def _history(world: World, accepts: str, answers: str, data: st.DataObject) -> None:
    """A few rounds of edits in the manifests and in the console, each followed by an apply."""
    project = _fresh(world, accepts, answers)
    declared: dict[str, Workflow] = {}
    for _ in range(data.draw(st.integers(1, 3), "rounds")):
        declared = _edit_manifests(data, declared, accepts)
        if not declared:
            return
        _write(project, declared)
        _edit_console(data, project, answers)
        _apply_and_check(project, declared, accepts, data)


def _fresh(world: World, accepts: str, answers: str) -> Project:
    """One server for all examples of a test, and an empty folder for each."""
    project = _projects.get(id(world))
    if project is None:
        _projects.clear()
        project = _projects[id(world)] = world(generation=accepts, answers=answers)
    for workflow in project.server.workflows():
        project.server.remove(workflow["workflow_id"])
    shutil.rmtree(project.root)
    project.root.mkdir()
    project.settings(
        api={"generation": accepts}, custom_metrics=sorted(CUSTOM_METRICS), manifests=["all.yaml"]
    )
    return project


def _edit_manifests(
    data: st.DataObject, declared: dict[str, Workflow], generation: str
) -> dict[str, Workflow]:
    edited = {}
    for address in ADDRESSES:
        there = declared.get(address)
        what = data.draw(st.sampled_from(["keep", "near", "new", "drop"]), address)
        if there and what == "keep":
            edited[address] = there
        elif there and what == "near":
            edited[address] = data.draw(near(there, generation))
        elif what in ("near", "new"):
            edited[address] = data.draw(workflows(generation))
    return edited


def _write(project: Project, declared: dict[str, Workflow]) -> None:
    document = {"version": 1, "workflows": {a: _manifest(w) for a, w in declared.items()}}
    (project.root / "all.yaml").write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")


def _manifest(workflow: Workflow) -> dict[str, Any]:
    fields = workflow.fields()
    return {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}


def _edit_console(data: st.DataObject, project: Project, answers: str) -> None:
    """Somebody changes what can be seen; what cannot be seen is nobody's to notice."""
    readable = sorted(DIALECTS[answers].support.read)
    for live in project.server.workflows():
        if data.draw(st.integers(0, 3), "console") == 0:
            other = data.draw(workflows(answers)).fields()
            names = set(data.draw(st.sets(st.sampled_from(readable), max_size=3)))
            names |= {"type", "metrics"} if names & {"type", "metrics"} else set()
            changes = {n: list(v) if isinstance(v, tuple) else v for n, v in other.items() if n in names}
            project.server.edit(live["workflow_id"], **changes)


def _apply_and_check(
    project: Project, declared: dict[str, Workflow], accepts: str, data: st.DataObject
) -> None:
    planned = project.run("plan", "--format", "json")
    blocked = {a for a, action in planned.actions().items() if action == "blocked"}
    replaced = sorted(a for a in blocked if data.draw(st.booleans(), f"replace {a}"))
    # One at a time: the console is edited in the order of creation, and an example must be repeatable.
    options = ["--parallelism", "1", *(o for address in replaced for o in ("--replace", address))]
    ran = project.run("apply", "--yes", "--format", "json", *options)
    assert ran.code in (0, 5), ran
    blocked = {a for a, outcome in ran.results().items() if outcome == "not_attempted"}
    assert not blocked & set(replaced)
    again = project.plan()
    assert {a for a, action in again.actions().items() if action != "none"} == blocked
    outputs = project.json("outputs").json["outputs"]
    assert set(outputs) - blocked == set(declared) - blocked
    for address in set(declared) - blocked:
        _assert_live(project.server.workflow(outputs[address]), declared[address], accepts)
    assert project.run("apply", "--yes").code == ran.code  # may record what it sees agreeing
    before = project.state_bytes()
    assert project.run("apply", "--yes").code == ran.code
    assert project.state_bytes() == before


def _assert_live(live: dict[str, Any], declared: Workflow, generation: str) -> None:
    """What is declared is live, also where nobody can read it."""
    for name in DIALECTS[generation].support.create:
        wanted = getattr(declared, name)
        if name == "metrics":
            assert live[name] == (pytest.approx(wanted) if declared.type == "custom" else wanted)
        else:
            assert live[name] == (list(wanted) if isinstance(wanted, tuple) else wanted), name
