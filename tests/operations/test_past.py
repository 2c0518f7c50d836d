"""renamed_from, import, unmanaged and reassert, with every mistake, its message and its exit code."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from defendctl.api.dialects import DIALECTS
from defendctl.diagnostics import Precondition
from defendctl.engine.apply import Applier
from defendctl.engine.update import update
from defendctl.model import Binding, Observed, State
from defendctl.plan.build import World as PlanWorld
from defendctl.plan.build import build_plan
from defendctl.plan.renames import settle
from tests.conftest import custom
from tests.plan.given import ID, WORKFLOW, bound, one

if TYPE_CHECKING:
    from tests.conftest import Json, Project, World


@pytest.fixture
def old(project: Project) -> Project:
    """`old` is bound, with a name of its own and an assumed field; its manifest then calls it `new`."""
    made = project.server.add(name="Bot", metrics={"completeness": 0.8}, improvement_action="fixit")
    project.declare({"old": custom(name="Bot"), "other": custom()})
    project.ok("import", "old", made)
    project.apply()
    project.declare({"new": custom(name="Bot", renamed_from="old"), "other": custom()})
    project.server.forget_requests()
    return project


# --- renamed_from ---


def test_a_rename_moves_the_binding_and_sends_nothing(old: Project) -> None:
    before = old.state["bindings"]["old"]
    assert before["assumed"] == {"max_retries": 10}
    made = old.plan("--detailed-exitcode", code=2)
    assert made.json["changes"] == []
    [move] = made.json["moves"]
    assert move == {"from": "old", "to": "new", "workflow_id": before["workflow_id"]}
    shown = old.ok("plan", "--out", "reviewed.json").out
    assert f"Renamed (nothing is sent for this):\n    old -> new ({before['workflow_id']})\n" in shown
    assert "Plan: 1 renamed; 2 unchanged." in shown
    assert "Renamed (nothing is sent for this): `old` → `new`." in old.ok("plan", "--format", "markdown").out
    assert old.json("drift").json["drifted"] is False
    assert old.json("show", "new").json["workflow_id"] == before["workflow_id"]
    assert old.json("outputs").json["outputs"].keys() == {"old", "other"}
    done = old.json("apply", "reviewed.json").json
    assert (done["results"], done["moves"]) == ([], [move])
    assert old.state["bindings"]["new"] == before
    assert {r["method"] for r in old.server.requests()} == {"GET"}
    old.assert_settled()
    bytes_before = old.state_bytes()
    assert old.ok("apply", "--yes").out.endswith("Nothing to do: everything is as declared.\n")
    assert old.state_bytes() == bytes_before, "the line may stay"
    old.ok("apply", "reviewed.json", code=6)


def test_a_step_of_ci_counts_the_move(old: Project) -> None:
    old.env["GITHUB_OUTPUT"] = str(old.root / "outputs")
    old.ok("plan", "--format", "github")
    assert "changes=1\n" in (old.root / "outputs").read_text()


def test_the_digest_speaks_of_the_move(old: Project) -> None:
    digest = old.plan().json["digest"]
    old.ok("state", "mv", "old", "new")
    assert old.plan().json["digest"] != digest
    assert old.ok("apply", "--expect", digest, code=6).out == ""


def test_a_move_is_asked_for(old: Project) -> None:
    before = old.state_bytes()
    assert "no terminal" in old.ok("apply", code=1).err
    assert old.state_bytes() == before
    assert "old -> new" in old.ok("apply", "--yes").out


def test_a_rename_with_a_change_is_both(old: Project) -> None:
    old.declare({"new": custom(name="Bot", renamed_from="old", max_retries=3), "other": custom()})
    made = old.plan()
    assert made.actions() == {"new": "update"}
    assert made.field("new", "max_retries")["basis"] == "unknown"
    assert old.apply().results() == {"new": "done"}
    old.assert_settled()


def test_tombstones_come_along(old: Project) -> None:
    before = old.bound("old")
    old.declare({"old": custom(name="Bot"), "other": custom()})
    old.apply("--replace", "old")
    old.declare({"new": custom(name="Bot", renamed_from="old"), "other": custom()})
    old.apply()
    [retired] = old.json("state", "list").json["retired"]
    assert retired == {"address": "new", "workflow_id": before}


def test_what_was_retired_first_is_adopted_under_its_new_address(old: Project) -> None:
    made = old.bound("old")
    old.apply("--target", "other")
    old.declare({"other": custom()})
    old.apply()
    old.declare({"new": custom(name="Bot", renamed_from="old"), "other": custom()})
    assert old.plan().actions() == {"new": "adopt"}
    assert old.apply().results() == {"new": "done"}
    assert old.bound("new") == made
    assert old.json("state", "list").json["retired"] == []
    old.assert_settled()


def test_only_what_is_chosen_moves(old: Project) -> None:
    old.apply("--target", "other")
    assert "old" in old.state["bindings"]
    old.ok("plan", "--target", "old", code=64)
    old.apply("--target", "new")
    assert "new" in old.state["bindings"]


def test_a_renamed_file_changes_nothing(old: Project) -> None:
    old.apply()
    (old.root / "workflows/all.yaml").rename(old.root / "workflows/else.yml")
    old.assert_settled()


def test_with_f_the_other_files_are_still_asked(old: Project) -> None:
    old.declare({"old": custom()}, "workflows/b.yaml")
    ran = old.ok("plan", "-f", "workflows/all.yaml", code=1)
    assert "still declared: old (workflows/b.yaml)" in ran.err
    (old.root / "workflows/b.yaml").unlink()
    assert old.plan("-f", "workflows/all.yaml").json["moves"] != []


@pytest.mark.parametrize(
    ("workflows", "words"),
    [
        ({"a": {"renamed_from": "a"}}, "`a` is this same address."),
        ({"a": {"renamed_from": "Big"}}, "`Big` cannot have been an address"),
        ({"a": {"renamed_from": "\x1b[m"}}, "This cannot have been an address"),
        ({"a": {"renamed_from": ""}}, "`renamed_from` must not be empty"),
        ({"a": {"renamed_from": ["b"]}}, "`renamed_from` must be text"),
        ({"a": {"renamed_from": "b"}, "b": {}}, "b is still declared, so nothing can be renamed from it"),
        (
            {"a": {"renamed_from": "b"}, "b": {"renamed_from": "c"}},
            "b itself is renamed from c: apply that first, then rename once more",
        ),
        ({"a": {"renamed_from": "b"}, "b": {"renamed_from": "a"}}, "a and b are renamed in a circle"),
        (
            {"a": {"renamed_from": "b"}, "b": {"renamed_from": "c"}, "c": {"renamed_from": "b"}},
            "b and c are renamed in a circle",
        ),
        ({"a": {"renamed_from": "x"}, "b": {"renamed_from": "x"}}, "a is renamed from x already; only one"),
        ({"a": {"import": "wkfl_1"}}, "`import` must be a mapping"),
        ({"a": {"import": None}}, "`import` must be a mapping"),
        ({"a": {"import": {}}}, "lacks `workflow_id`: name the workflow that is to be bound here."),
        ({"a": {"import": {"workflow_id": 7}}}, "must be text"),
        ({"a": {"import": {"workflow_id": "a b"}}}, "A workflow id has 1 to 256 characters without blanks"),
        ({"a": {"import": {"workflow_id": "x", "id": "y"}}}, "The key `id` is not known here."),
        (
            {"a": {"import": {"workflow_id": "x"}}, "b": {"import": {"workflow_id": "x"}}},
            "imported by a already",
        ),
        ({"a": {"unmanaged": ["type"]}}, "An item of `unmanaged` must be description, max_retries"),
        ({"a": {"unmanaged": ["name"]}}, "An item of `unmanaged` must be description, max_retries"),
        ({"a": {"unmanaged": "description"}}, "`unmanaged` must be a list"),
        ({"a": {"unmanaged": ["max_retries"] * 2}}, "`max_retries` is listed twice in `unmanaged`"),
        ({"a": {"unmanaged": ["description"], "description": ""}}, "`description` has a value here and is"),
        (
            {"a": {"unmanaged": ["max_retries"], "max_improvement_attempts": 1}},
            "`max_improvement_attempts` has",
        ),
        ({"a": {"unmanaged": [["x"], {}, 7]}}, "An item of `unmanaged` must be"),
    ],
)
def test_what_contradicts_itself_is_told_by_validate(project: Project, workflows: Json, words: str) -> None:
    project.declare({address: custom(**more) for address, more in workflows.items()})
    told = project.ok("validate", code=1).out
    assert words in told
    assert told.startswith("workflows/all.yaml:1:")


@pytest.mark.parametrize("moved", ["old", "new"])
def test_a_rename_waits_for_an_unresolved_create(project: Project, moved: str) -> None:
    """Of the old address, and of the new one while the old one is bound."""
    project.declare({moved: custom()})
    project.server.fault("lost", "POST", times=1)
    project.apply(code=7)
    if moved == "new":
        project.declare({"old": custom()})
        project.apply("--target", "old")
    project.declare({"new": custom(renamed_from="old"), "fine": custom()})
    made = project.plan(code=7)
    assert made.actions() == {"new": "blocked", "old": "blocked", "fine": "create"}
    assert "has a create with an unknown outcome" in made.change("old" if moved == "new" else "new")["reason"]
    assert project.apply(code=7).results()["fine"] == "done"


def test_both_bound_is_for_people_to_settle(old: Project) -> None:
    old.declare({"new": custom(name="Bot")})
    old.apply("--target", "new")
    old.declare({"new": custom(name="Bot", renamed_from="old"), "other": custom()})
    made = old.plan(code=1)
    assert made.actions() == {"new": "blocked", "old": "blocked"}
    assert "both are bound: old to wkfl_" in made.change("new")["reason"]
    before = old.state_bytes()
    old.apply(code=1)
    assert old.state_bytes() == before
    old.ok("state", "rm", "old")
    old.assert_settled()


@pytest.mark.parametrize(("error", "code"), [(OSError(28, "No space left"), 1), (Precondition("changed"), 6)])
def test_a_move_that_cannot_be_recorded_stops_the_run(error: Exception, code: int) -> None:
    """Everything else is said of the new addresses. The memory fails here at its second record."""

    class Full:
        def __init__(self) -> None:
            self.state = State(bindings={a: Binding(f"wkfl_{a}") for a in "abc"})
            self.taken: list[Any] = []

        def record(self, record: Any) -> None:
            if self.taken:
                raise error
            self.taken.append(record)

        def __getattr__(self, name: str) -> Any:
            raise AssertionError(name)

    memory: Any = Full()
    past = settle({"x": "a", "y": "b"}, {}, {"x", "y"}, memory.state)
    support = DIALECTS["2025-12-07"].support
    world = PlanWorld({}, {}, past.state, support, "host", {"x", "c"}, moves=past.moves)
    result = Applier(build_plan(world), None, memory, support, 1).run()
    assert [(r["do"], r["address"], r["from"]) for r in memory.taken] == [("moved", "x", "a")]
    assert [move.new for move in result.moves] == ["x"]
    assert result.exit_codes() == {1, code}
    assert {r.outcome for r in result.results} == {"not_attempted"}
    assert "the state cannot be written" in str(result.results[0].error)


# --- import ---


def test_an_import_is_reviewed_and_may_stay(project: Project) -> None:
    made = project.server.add(name="Bot", metrics={"completeness": 0.8}, improvement_action="fixit")
    project.declare({"a": custom(name="Bot", max_retries=3, **{"import": {"workflow_id": made}})})
    planned = project.plan("--out", "reviewed.json")
    assert planned.change("a") == {
        "address": "a",
        "workflow_id": made,
        "action": "adopt",
        "reason": None,
        "direction": "none",
        "fields": [],
    }
    assert "bound as `import` in its manifest says" in project.ok("plan").out
    assert project.json("apply", "reviewed.json").results() == {"a": "done"}
    assert project.state["bindings"]["a"]["assumed"] == {"max_retries": 3}
    assert project.server.count("PUT") + project.server.count("POST") == 0
    project.assert_settled()
    before = project.state_bytes()
    project.apply()
    assert project.state_bytes() == before


def test_the_differences_of_an_import_are_applied_with_it(project: Project) -> None:
    made = project.server.add(name="Bot", metrics={"completeness": 0.9}, improvement_action="fixit")
    project.declare({"a": custom(name="Bot", **{"import": {"workflow_id": made}})})
    assert project.plan().field("a", "metrics.completeness")["direction"] == "loosens"
    project.apply()
    assert project.server.workflow(made)["metrics"] == {"completeness": 0.8}
    project.assert_settled()
    project.declare({"a": custom(name="Bot", **{"import": {"workflow_id": made}})})
    project.apply("--replace", "a")
    project.assert_settled()


def imported(workflow_id: str, **more: Any) -> Json:
    return custom(**{"import": {"workflow_id": workflow_id}}, **more)


def test_every_import_that_cannot_be(project: Project) -> None:
    ids = {name: project.server.add(name=name) for name in ("taken", "mine", "far", "fine")}
    project.declare(
        {"holder": imported(ids["taken"]), "own": imported(ids["mine"]), "gone": custom(name="far")}
    )
    project.apply()
    project.declare(
        {
            "holder": custom(),
            "own": imported("wkfl_else"),
            "gone": custom(name="far"),
            "thief": imported(ids["taken"]),
            "lost": imported("wkfl_lost"),
            "fine": imported(ids["fine"]),
        }
    )
    made = project.plan(code=1)
    assert {a: made.change(a)["action"] for a in ("own", "thief", "lost", "fine")} == {
        "own": "blocked",
        "thief": "blocked",
        "lost": "blocked",
        "fine": "adopt",
    }
    assert f"bound to {ids['mine']}, but `import` names wkfl_else" in made.change("own")["reason"]
    assert (
        "bound to holder already; if it was renamed, say `renamed_from: holder`"
        in made.change("thief")["reason"]
    )
    assert "404 for wkfl_lost, which `import` names" in made.change("lost")["reason"]
    ran = project.ok("plan", "--replace", "fine", code=64)
    assert "its manifest imports" in ran.err
    assert project.apply(code=1).results()["fine"] == "done"


def test_an_import_of_another_answer(project: Project) -> None:
    made = project.server.add(name="x")
    project.declare({"a": imported(made)})
    project.server.fault("wrong-id", "GET")
    change = project.plan(code=1).change("a")
    assert (change["action"], "another workflow_id" in change["reason"]) == ("blocked", True)


def test_what_another_address_remembers(project: Project) -> None:
    """It is taken from there, with what was applied; but not from one that would bind it again."""
    project.declare({"a": custom(max_retries=3, name="n"), "b": custom()})
    project.apply()
    made = project.bound("a")
    project.declare({"b": custom()})
    project.apply()
    project.declare({"b": custom(), "c": imported(made, max_retries=3, name="n"), "a": custom(name="n")})
    assert "which a remembers and would bind again" in project.plan(code=1).change("c")["reason"]
    project.declare({"b": custom(), "c": imported(made, max_retries=3, name="n")})
    project.apply()
    assert project.state["tombstones"] == {}
    assert project.state["bindings"]["c"]["applied"]["max_retries"] == 3
    project.assert_settled()


# --- unmanaged ---


def test_what_is_unmanaged_is_neither_compared_nor_sent(project: Project) -> None:
    left = {"unmanaged": ["description", "max_retries"]}
    project.declare({"a": custom(**left), "b": custom()})
    assert {f["path"] for f in project.plan().change("a")["fields"]} & {"description", "max_retries"} == set()
    project.apply()
    made = project.bound("a")
    project.server.edit(made, description="by hand", max_retries=77)
    project.assert_settled()
    assert project.json("drift").json["drifted"] is False
    project.declare({"a": custom(metrics={"completeness": 0.9}, **left), "b": custom()})
    planned = project.plan("--out", "reviewed.json")
    assert planned.json["summary"]["unmanaged"] == 1
    assert "1 workflow with fields that are left to the console." in project.ok("plan").out
    project.server.edit(made, description="and again")
    assert project.json("apply", "reviewed.json").results() == {"a": "done"}, (
        "an edit there is no reason to stop"
    )
    now = project.server.workflow(made)
    assert (now["description"], now["max_retries"], now["metrics"]) == (
        "and again",
        77,
        {"completeness": 0.9},
    )
    project.assert_settled()
    shown = project.json("show", "a").json
    assert shown["unmanaged"] == ["description", "max_retries"]
    assert next(f for f in shown["fields"] if f["path"] == "description")["desired"] is None
    assert '(unmanaged)  "and again"' in project.ok("show", "a").out
    project.declare({"a": custom(metrics={"completeness": 0.9}), "b": custom()})
    assert project.plan().field("a", "description")["after"] == ""


def test_an_api_that_resets_what_an_update_leaves_out() -> None:
    """Nobody promises that it does not."""

    class Resetting:
        def read(self, workflow_id: str) -> Observed:
            return Observed(workflow_id, fields)

        def update(self, workflow_id: str, values: Any) -> None:
            fields.update(values, description="")

        def __getattr__(self, name: str) -> Any:
            raise AssertionError(name)

    fields = {**WORKFLOW.fields(), "description": "by hand"}
    desired = replace(WORKFLOW, web_search=True, unmanaged=frozenset({"description"}))
    change = one(desired, Observed(ID, dict(fields)), bound(WORKFLOW.fields()))
    assert change.action == "update"

    class Memory:
        state = State(bindings={"support-bot": bound(WORKFLOW.fields())})

        def record(self, record: Any) -> None:
            assert record["do"] == "sending"

    memory: Any = Memory()
    result = update(change, Resetting(), memory, DIALECTS["2025-12-07"].support)
    assert (result.outcome, result.error) == (
        "failed",
        "the update changed fields that it did not send: description",
    )


def test_a_policy_cannot_judge_what_is_unmanaged(project: Project) -> None:
    rules = [
        {"id": "least", "level": "deny", "min_retries": 1},
        {"id": "most", "level": "deny", "max_retries": 20},
        {"id": "web", "level": "deny", "capabilities": {"web_search": False}},
    ]
    project.settings(policy={"rules": rules})
    project.declare({"a": custom(unmanaged=["max_retries", "web_search"])})
    found = project.plan(code=5).json["policy"]
    assert [(f["rule"], f["evaluated"], f["verdict"]) for f in found] == [
        ("least", False, "denied"),
        ("most", False, "denied"),
        ("web", False, "denied"),
    ]
    assert all("only the console knows" in f["detail"] for f in found)


# --- reassert ---


@pytest.fixture
def assumed(project: Project) -> Project:
    made = project.server.add(
        name="a", metrics={"completeness": 0.8}, improvement_action="fixit", max_retries=2
    )
    project.declare({"a": custom(), "b": custom()})
    project.ok("import", "a", made)
    project.apply()
    project.assert_settled()
    return project


def test_reassert_writes_what_is_only_assumed(assumed: Project) -> None:
    rows = {f["path"]: f for f in assumed.json("show", "a").json["fields"]}
    assert rows["max_retries"]["basis"] == "assumed"
    assumed.ok("plan", "--reassert", "max_retries", "--out", "reviewed.json")
    made = assumed.plan("--reassert", "max_retries", "--reassert", "description")
    assert made.actions() == {"a": "update"}
    assert made.change("a")["fields"] == [
        {
            "path": "max_retries",
            "before": None,
            "after": 10,
            "applied": None,
            "basis": "unknown",
            "origin": "pending",
            "direction": "indeterminate",
        }
    ]
    assert made.json["options"]["reassert"] == ["description", "max_retries"]
    assumed.ok("apply", "reviewed.json", "--reassert", "max_retries", code=64)
    assert assumed.json("apply", "reviewed.json").results() == {"a": "done"}
    assert assumed.server.workflow(assumed.bound("a"))["max_retries"] == 10
    assert assumed.state["bindings"]["a"].get("assumed") is None
    assert assumed.apply("--reassert", "max_retries").json["results"] == [], "it is known now"


def test_reassert_of_no_field(assumed: Project) -> None:
    assert "'max_retires' is not one of" in assumed.ok("plan", "--reassert", "max_retires", code=64).err


def test_reassert_where_it_cannot_be_written(world: World) -> None:
    project = world(generation="2025-10-22")
    project.pin("2025-10-22")
    made = project.server.add(name="a", improvement_action="fixit")
    project.declare({"a": custom()})
    project.ok("import", "a", made)
    change = project.plan("--reassert", "metrics").change("a")
    assert (change["action"], "cannot change metrics in place" in change["reason"]) == ("blocked", True)
    project.apply("--reassert", "metrics", code=5)
