"""Every action from the manifest to the live workflow, on every generation where they differ."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import CAN_UPDATE_ALL, GENERATIONS, automatic, custom

if TYPE_CHECKING:
    from tests.conftest import Project, World

READS_NO_THRESHOLDS = ("2025-10-07", "2025-10-22")
OLD = GENERATIONS[:3]


@pytest.fixture(params=GENERATIONS)
def any_generation(request: pytest.FixtureRequest, world: World) -> Project:
    project: Project = world(generation=request.param)
    project.pin(request.param)
    return project


@pytest.fixture(params=OLD)
def old(request: pytest.FixtureRequest, world: World) -> Project:
    project: Project = world(generation=request.param)
    project.pin(request.param)
    return project


# --- create ---


def test_create(any_generation: Project) -> None:
    project = any_generation
    project.declare({"a": custom(description="d", max_retries=3), "b": automatic(name="Bee")})
    assert project.plan().actions() == {"a": "create", "b": "create"}
    ran = project.apply()
    assert ran.results() == {"a": "done", "b": "done"}
    live = project.server.workflow(project.bound("a"))
    assert (live["type"], live["metrics"], live["improvement_action"]) == (
        "custom",
        {"completeness": 0.8},
        "fixit",
    )
    assert (live["name"], live["description"], live["max_retries"]) == ("a", "d", 3)
    live = project.server.workflow(project.bound("b"))
    assert live["metrics"] == {"completeness": "low", "correctness": "low"}
    assert (live["name"], live["improvement_action"], live["max_retries"]) == ("Bee", "none", 10)
    project.assert_settled()


def test_fields_of_a_create(project: Project) -> None:
    project.declare({"a": custom(file_search=["f2", "f1"])})
    change = project.plan().change("a")
    assert (change["workflow_id"], change["reason"], change["direction"]) == (None, None, "none")
    assert {f["path"] for f in change["fields"]} >= {"name", "type", "metrics.completeness", "max_retries"}
    assert all(f["before"] is f["applied"] is f["basis"] is f["origin"] is None for f in change["fields"])


@pytest.mark.parametrize(
    ("generation", "declared"),
    [
        ("2025-10-07", custom(web_search=True)),
        ("2025-10-07", custom(file_search=["f"])),
        ("2025-10-07", custom(context_awareness=True)),
        ("2025-10-07", automatic(metrics={"completeness": "low", "correctness": "high"}, tolerance=None)),
        ("2025-10-22", custom(context_awareness=True)),
        ("2025-11-10", custom(context_awareness=True)),
    ],
)
def test_what_a_generation_cannot_hold_is_blocked(world: World, generation: str, declared: Any) -> None:
    project = world(generation=generation)
    project.pin(generation)
    declared = {key: value for key, value in declared.items() if value is not None}
    project.declare({"a": declared, "b": custom()})
    ran = project.apply(code=5)
    assert ran.results() == {"a": "not_attempted", "b": "done"}
    assert project.server.names() == ["b"]
    assert project.plan("--detailed-exitcode", code=2).actions() == {"a": "blocked"}
    assert project.plan().change("a")["reason"]
    assert project.plan("--replace", "a").actions() == {"a": "blocked"}


# --- update ---


def test_update_name_and_description(any_generation: Project) -> None:
    project = any_generation
    project.declare({"a": custom()})
    project.apply()
    before = project.bound("a")
    project.declare({"a": custom(name="New", description="text")})
    change = project.plan().change("a")
    assert change["action"] == "update"
    assert [f["path"] for f in change["fields"] if f["basis"] == "live"] == ["description", "name"]
    assert project.apply().results() == {"a": "done"}
    assert project.bound("a") == before
    live = project.server.workflow(before)
    assert (live["name"], live["description"], live["metrics"]) == ("New", "text", {"completeness": 0.8})
    project.assert_settled()


def test_update_of_everything(project: Project) -> None:
    project.declare({"a": custom()})
    project.apply()
    project.declare(
        {
            "a": automatic(
                name="n",
                description="d",
                max_retries=0,
                web_search=True,
                context_awareness=True,
                file_search=["f"],
            )
        }
    )
    project.apply()
    live = project.server.workflow(project.bound("a"))
    assert (live["type"], live["metrics"]) == ("automatic", {"completeness": "low", "correctness": "low"})
    assert (live["max_retries"], live["web_search"], live["context_awareness"]) == (0, True, True)
    assert (live["file_search"], live["improvement_action"]) == (["f"], "none")
    project.assert_settled()
    project.declare({"a": custom()})
    project.apply()
    live = project.server.workflow(project.bound("a"))
    assert (live["web_search"], live["file_search"], live["description"]) == (False, [], "")
    project.assert_settled()


def test_a_change_that_cannot_be_made_in_place_is_blocked_whole(old: Project) -> None:
    old.declare({"a": custom(), "b": custom()})
    old.apply()
    old.server.forget_requests()
    old.declare({"a": custom(name="New", metrics={"completeness": 0.9}), "b": custom(name="B")})
    plan = old.plan("--detailed-exitcode", code=2)
    assert plan.actions() == {"a": "blocked", "b": "update"}
    assert "--replace a" in plan.change("a")["reason"]
    ran = old.apply(code=5)
    assert ran.results() == {"a": "not_attempted", "b": "done"}
    assert old.server.workflow(old.bound("a"))["name"] == "a"
    assert old.server.count("PUT") == 1


def test_an_update_of_the_unreadable_limit(project: Project) -> None:
    project.declare({"a": custom(max_retries=3)})
    project.apply()
    project.declare({"a": custom(max_retries=4)})
    field = project.plan().field("a", "max_retries")
    assert (field["before"], field["applied"], field["basis"], field["origin"]) == (
        3,
        3,
        "applied",
        "pending",
    )
    assert field["direction"] == "tightens"
    project.apply()
    assert project.server.workflow(project.bound("a"))["max_retries"] == 4
    project.assert_settled()


def test_git_wins_over_the_console(project: Project) -> None:
    project.declare({"a": custom()})
    project.apply()
    project.server.edit(project.bound("a"), metrics={"completeness": 0.1}, description="by hand")
    field = project.plan().field("a", "metrics.completeness")
    assert (field["before"], field["after"], field["origin"], field["direction"]) == (
        0.1,
        0.8,
        "drift",
        "tightens",
    )
    drift = project.json("drift", code=2).json
    assert drift["drifted"] is True
    assert drift["workflows"][0]["direction"] == "loosens"
    project.apply()
    assert project.server.workflow(project.bound("a"))["metrics"] == {"completeness": 0.8}
    project.assert_settled()
    assert project.json("drift").json["drifted"] is False


def test_conflict(project: Project) -> None:
    project.declare({"a": custom()})
    project.apply()
    project.server.edit(project.bound("a"), metrics={"completeness": 0.1})
    project.declare({"a": custom(metrics={"completeness": 0.5})})
    field = project.plan().field("a", "metrics.completeness")
    assert (field["before"], field["applied"], field["after"]) == (0.1, 0.8, 0.5)
    assert (field["origin"], field["direction"]) == ("conflict", "loosens")
    project.apply()
    project.assert_settled()


def test_inactive_is_shown_and_no_action(project: Project) -> None:
    project.declare({"a": custom()})
    project.apply()
    project.server.edit(project.bound("a"), status="inactive")
    plan = project.plan("--detailed-exitcode")
    assert plan.change("a")["action"] == "none"
    assert [f["path"] for f in plan.change("a")["fields"]] == ["status"]
    assert plan.json["summary"]["drift"] == 1
    assert project.json("drift", code=2).json["workflows"][0]["status"] == "inactive"
    assert project.json("show", "a").json["status"] == "inactive"
    before = project.state_bytes()
    assert project.apply().json["results"] == []
    assert project.state_bytes() == before


def test_live_moved_between_plan_and_put(project: Project) -> None:
    """The read before the PUT answers something else than the read of the plan."""
    project.declare({"a": custom(), "b": custom()})
    project.apply()
    project.declare({"a": custom(name="A"), "b": custom(name="B")})
    moved = {"workflow_id": project.bound("a"), "name": "moved", "threshold_type": "custom"}
    project.server.fault("body", "GET", path=project.bound("a"), skip=1, body=json.dumps(moved))
    ran = project.apply(code=4)
    assert ran.results() == {"a": "failed", "b": "done"}
    assert "changed since" in ran.result("a")["error"]
    assert project.server.count("PUT") == 1


def test_gone_between_plan_and_put(project: Project) -> None:
    project.declare({"a": custom()})
    project.apply()
    project.declare({"a": custom(name="A")})
    project.server.fault("status", "GET", skip=1, status=404)
    ran = project.apply(code=1)
    assert "404" in ran.result("a")["error"]
    assert project.server.count("PUT") == 0


def test_a_put_that_is_ignored_is_found_by_reading_back(project: Project) -> None:
    project.declare({"a": custom()})
    project.apply()
    project.declare({"a": custom(metrics={"completeness": 0.9}, description="d")})
    project.server.fault("ignore", "PUT")
    ran = project.apply(code=1)
    assert ran.results() == {"a": "failed"}
    assert "description" in ran.result("a")["error"]
    assert "metrics.completeness" in ran.result("a")["error"]
    assert project.apply().results() == {"a": "done"}
    project.assert_settled()


def test_a_put_that_is_refused(project: Project) -> None:
    project.declare({"a": custom(), "b": custom()})
    project.apply()
    project.declare({"a": custom(name="A name"), "b": custom(name="B")})
    body = json.dumps(
        {"detail": [{"loc": ["body", "name"], "msg": "Not 'A name'", "input": "marked", "ctx": "marked"}]}
    )
    project.server.fault("status", "PUT", path=project.bound("a"), status=422, body=body)
    ran = project.apply(code=4)
    assert "the API answered 422: name: Not '[…]'" in ran.result("a")["error"]
    assert "marked" not in ran.out + ran.err
    assert project.apply().results() == {"a": "done"}


@pytest.mark.parametrize("kind", ["lost-after", "status-after"])
def test_an_update_whose_answer_is_lost_is_repeated(project: Project, kind: str) -> None:
    project.declare({"a": custom()})
    project.apply()
    project.declare({"a": custom(max_retries=2)})
    project.server.fault(kind, "PUT", status=503)
    assert project.apply().results() == {"a": "done"}
    assert project.server.count("PUT") == 2
    project.assert_settled()


@pytest.mark.parametrize("kind", ["lost-after", "lost"])
def test_an_update_that_stays_lost_is_sent_again_by_the_next_plan(project: Project, kind: str) -> None:
    project.declare({"a": custom(max_retries=1)})
    project.apply()
    project.declare({"a": custom(max_retries=2)})
    project.server.fault(kind, "PUT", times=None)
    assert project.apply(code=1).results() == {"a": "failed"}
    assert project.state["bindings"]["a"]["unconfirmed"] == ["max_retries"]
    project.server.heal()
    field = project.plan().field("a", "max_retries")
    assert (field["before"], field["basis"], field["direction"]) == (None, "unknown", "indeterminate")
    # Even back at the old value: nobody knows which one is live.
    project.declare({"a": custom(max_retries=1)})
    assert project.plan().actions() == {"a": "update"}
    assert project.json("drift").json["drifted"] is False
    project.apply()
    assert project.server.workflow(project.bound("a"))["max_retries"] == 1
    assert "unconfirmed" not in project.state["bindings"]["a"]
    project.assert_settled()


# --- retire, adopt ---


def test_retire_keeps_the_id_and_reads_nothing(any_generation: Project) -> None:
    project = any_generation
    project.declare({"a": custom(), "b": automatic()})
    project.apply()
    retired = project.bound("a")
    project.declare({"b": automatic()})
    project.server.forget_requests()
    plan = project.plan()
    assert plan.actions() == {"a": "retire"}
    assert plan.change("a")["direction"] == "indeterminate"
    assert "stays live" in project.ok("plan").out
    assert all(retired not in each["path"] for each in project.server.requests())
    assert project.apply().results() == {"a": "done"}
    assert len(project.server.workflows()) == 2
    assert project.json("state", "list").json["retired"] == [{"address": "a", "workflow_id": retired}]
    project.assert_settled()


def test_retire_needs_neither_key_nor_network(project: Project) -> None:
    project.declare({"a": custom(), "b": custom()})
    project.apply()
    project.declare({"b": custom()})
    project.server.forget_requests()
    project.env["DEEPRAILS_API_KEY"] = ""
    assert project.apply("--target", "a").results() == {"a": "done"}
    assert project.server.requests() == []


def test_the_last_one_is_retired_by_name(project: Project) -> None:
    project.declare({"a": custom()})
    project.apply()
    project.declare({})
    for command in ("plan", "apply"):
        ran = project.ok(command, code=1)
        assert "--target" in ran.err
    assert project.apply("--target", "a").results() == {"a": "done"}
    assert project.plan().json["changes"] == []


def test_adopt_without_differences(any_generation: Project) -> None:
    project = any_generation
    project.declare({"a": custom(max_retries=4), "b": custom()})
    project.apply()
    before = project.bound("a")
    project.declare({"b": custom()})
    project.apply()
    project.declare({"a": custom(max_retries=4), "b": custom()})
    change = project.plan().change("a")
    assert (change["action"], change["workflow_id"], change["fields"]) == ("adopt", before, [])
    project.server.forget_requests()
    assert project.apply().results() == {"a": "done"}
    assert project.server.count("PUT") == project.server.count("POST") == 0
    assert project.bound("a") == before
    assert project.json("state", "list").json["retired"] == []
    project.assert_settled()


def test_adopt_with_differences_is_one_step(project: Project) -> None:
    project.declare({"a": custom(max_retries=4), "b": custom()})
    project.apply()
    before = project.bound("a")
    project.declare({"b": custom()})
    project.apply()
    project.server.edit(before, description="by hand")
    project.declare({"a": custom(max_retries=5, metrics={"completeness": 0.9}), "b": custom()})
    change = project.plan().change("a")
    assert change["action"] == "adopt"
    assert [f["path"] for f in change["fields"]] == ["description", "max_retries", "metrics.completeness"]
    assert {f["origin"] for f in change["fields"]} == {"pending"}
    assert project.plan().field("a", "max_retries")["applied"] == 4
    project.apply()
    live = project.server.workflow(before)
    assert (live["description"], live["max_retries"], live["metrics"]) == ("", 5, {"completeness": 0.9})
    project.assert_settled()


def test_adopt_that_fails_is_an_update_next_time(project: Project) -> None:
    project.declare({"a": custom(), "b": custom()})
    project.apply()
    project.declare({"b": custom()})
    project.apply()
    project.declare({"a": custom(name="A"), "b": custom()})
    project.server.fault("ignore", "PUT")
    assert project.apply(code=1).results() == {"a": "failed"}
    assert project.plan().actions() == {"a": "update"}
    project.apply()
    project.assert_settled()


def test_adopt_of_what_is_gone_is_blocked_and_replaced_on_request(project: Project) -> None:
    project.declare({"a": custom(), "b": custom()})
    project.apply()
    gone = project.bound("a")
    project.declare({"b": custom()})
    project.apply()
    project.server.remove(gone)
    project.declare({"a": custom(), "b": custom()})
    assert project.plan(code=1).actions() == {"a": "blocked"}
    assert project.apply(code=1).results() == {"a": "not_attempted"}
    assert project.apply("--replace", "a").results() == {"a": "done"}
    assert project.bound("a") != gone
    assert project.json("state", "list").json["retired"] == [{"address": "a", "workflow_id": gone}]
    project.assert_settled()


def test_adopt_with_an_impossible_change_is_blocked(old: Project) -> None:
    old.declare({"a": custom(), "b": custom()})
    old.apply()
    old.declare({"b": custom()})
    old.apply()
    old.declare({"a": custom(improvement_action="regenerate"), "b": custom()})
    assert old.plan().actions() == {"a": "blocked"}
    assert old.apply(code=5).results() == {"a": "not_attempted"}
    assert old.apply("--replace", "a").results() == {"a": "done"}
    assert len(old.server.workflows()) == 3
    old.assert_settled()


def test_adopt_takes_the_newest_of_several(project: Project) -> None:
    project.declare({"a": custom(), "b": custom()})
    project.apply()
    project.apply("--replace", "a")
    newest = project.bound("a")
    project.declare({"b": custom()})
    project.apply()
    project.declare({"a": custom(), "b": custom()})
    project.apply()
    assert project.bound("a") == newest
    assert len(project.server.workflows()) == 3


# --- replace, 404 ---


def test_replace_makes_a_new_one_and_remembers_the_old(any_generation: Project) -> None:
    project = any_generation
    project.declare({"a": custom(), "b": custom()})
    project.apply()
    before = project.bound("a")
    project.declare({"a": custom(metrics={"completeness": 0.9}), "b": custom()})
    plan = project.plan("--replace", "a")
    assert (plan.change("a")["action"], plan.change("a")["workflow_id"]) == ("replace", before)
    assert plan.json["options"] == {"target": [], "replace": ["a"]}
    assert "stays live" in project.ok("plan", "--replace", "a").out
    ran = project.apply("--replace", "a")
    assert ran.results() == {"a": "done"}
    assert ran.result("a")["workflow_id"] == project.bound("a") != before
    assert project.server.workflow(before)["metrics"] == {"completeness": 0.8}
    assert project.server.workflow(project.bound("a"))["metrics"] == {"completeness": 0.9}
    assert project.json("state", "list").json["retired"] == [{"address": "a", "workflow_id": before}]
    project.assert_settled()


def test_404_is_blocked_and_replaced_on_request(project: Project) -> None:
    project.declare({"a": custom(), "b": custom()})
    project.apply()
    project.server.remove(project.bound("a"))
    plan = project.plan(code=1)
    assert plan.actions() == {"a": "blocked"}
    assert "--replace a" in plan.change("a")["reason"]
    ran = project.apply(code=1)
    assert ran.results() == {"a": "not_attempted"}
    drift = project.json("drift", code=1).json["workflows"]
    assert [each["status"] for each in drift] == ["missing"]
    assert project.json("show", "a", code=1).json["status"] == "missing"
    assert project.apply("--replace", "a").results() == {"a": "done"}
    project.assert_settled()


def test_404_of_every_bound_id_is_no_plan_at_all(project: Project) -> None:
    project.declare({"a": custom(), "b": custom()})
    project.apply()
    for workflow in project.server.workflows():
        project.server.remove(workflow["workflow_id"])
    before = project.state_bytes()
    for command in ("plan", "apply", "drift"):
        ran = project.ok(command, *(["--yes"] if command == "apply" else []), code=1)
        assert ran.out == ""
        assert "404" in ran.err
    assert project.server.count("POST") == 2
    assert project.state_bytes() == before


def test_replace_whose_outcome_is_unknown_keeps_the_binding(project: Project) -> None:
    project.declare({"a": custom(), "b": custom()})
    project.apply()
    before = project.bound("a")
    project.server.fault("lost-after", "POST")
    assert project.apply("--replace", "a", code=7).results() == {"a": "unknown"}
    assert project.bound("a") == before
    assert project.apply("--replace", "a", code=7).results() == {"a": "not_attempted"}
    made = next(w["workflow_id"] for w in reversed(project.server.workflows()) if w["name"] == "a")
    project.ok("state", "resolve", "a", "--id", made)
    assert project.bound("a") == made
    assert project.json("state", "list").json["retired"] == [{"address": "a", "workflow_id": before}]
    project.assert_settled()


def test_replace_that_was_not_created_keeps_the_binding(project: Project) -> None:
    project.declare({"a": custom(), "b": custom()})
    project.apply()
    before = project.bound("a")
    project.server.fault("lost", "POST")
    project.apply("--replace", "a", code=7)
    project.ok("state", "resolve", "a", "--not-created", "--now")
    assert project.bound("a") == before
    assert project.json("state", "list").json["retired"] == []
    project.assert_settled()


# --- none, and what else is recorded ---


def test_nothing_to_do_leaves_the_state_byte_for_byte(any_generation: Project) -> None:
    project = any_generation
    project.declare({"a": custom(), "b": automatic()})
    project.apply()
    project.apply()
    before = project.state_bytes()
    project.server.forget_requests()
    ran = project.apply()
    assert ran.json["results"] == []
    assert project.state_bytes() == before
    assert {each["method"] for each in project.server.requests()} == {"GET"}


def test_apply_records_what_it_sees_agreeing(project: Project) -> None:
    """A change in the console and in git alike is no action, and applied afterwards."""
    project.declare({"a": custom()})
    project.apply()
    project.server.edit(project.bound("a"), metrics={"completeness": 0.7})
    project.declare({"a": custom(metrics={"completeness": 0.7})})
    assert project.plan().json["changes"] == []
    assert project.state["bindings"]["a"]["applied"]["metrics"] == {"completeness": 0.8}
    assert project.apply().json["results"] == []
    assert project.state["bindings"]["a"]["applied"]["metrics"] == {"completeness": 0.7}
    assert project.server.count("PUT") == 0
    before = project.state_bytes()
    project.apply()
    assert project.state_bytes() == before


def test_retire_and_create_of_one_definition_suggests_mv(project: Project) -> None:
    project.declare({"a": custom(), "b": custom(description="other")})
    project.apply()
    project.declare({"renamed": custom(), "b": custom(description="other")})
    plan = project.plan()
    assert plan.actions() == {"a": "retire", "renamed": "create"}
    assert "state mv a renamed" in plan.json["diagnostics"][0]["message"]
    project.ok("state", "mv", "a", "renamed")
    assert project.plan().actions() == {"renamed": "update"}
    project.apply()
    project.assert_settled()
    assert len(project.server.workflows()) == 2


def test_exit_codes_by_precedence(project: Project) -> None:
    names = ("bound", "gone", "lost", "refused", "fine")
    project.declare({"bound": custom(), "gone": custom()})
    project.apply()
    project.server.remove(project.bound("gone"))
    project.declare({name: custom() for name in names})
    project.server.fault("status", "POST", status=422)
    assert project.apply("--parallelism", "1", code=4).json["summary"]["failed"] == 1  # 4 before 1
    project.server.fault("status", "POST", status=401)
    ran = project.apply(code=3)  # 3 before 1
    assert ran.json["summary"] == {"done": 0, "failed": 1, "unknown": 0, "not_attempted": 1}


def test_unknown_wins_over_failed_and_blocked(project: Project) -> None:
    project.declare({"gone": custom(), "kept": custom()})
    project.apply()
    project.server.remove(project.bound("gone"))
    project.declare({name: custom() for name in ("gone", "kept", "x", "y", "z")})
    project.server.fault("status", "POST", status=422)
    project.server.fault("lost", "POST")
    ran = project.apply("--parallelism", "1", code=7)
    assert ran.json["summary"] == {"done": 1, "failed": 1, "unknown": 1, "not_attempted": 1}
    assert project.plan(code=7).actions() == {"gone": "blocked", "x": "create", "y": "blocked"}


def test_context_awareness_only_in_the_newest(world: World) -> None:
    project = world(generation=CAN_UPDATE_ALL)
    project.declare({"a": custom(context_awareness=True, web_search=True, file_search=["b", "a"])})
    project.apply()
    assert project.server.workflow(project.bound("a"))["file_search"] == ["a", "b"]
    project.assert_settled()
