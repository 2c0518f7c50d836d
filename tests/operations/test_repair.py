"""state resolve, mv, rm, unlock; import; and the commands that only look."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import automatic, custom

if TYPE_CHECKING:
    from tests.conftest import Project, World


@pytest.fixture
def unresolved(project: Project) -> Project:
    """`a` was created, but nobody told us; `b` is bound."""
    project.declare({"a": custom(max_retries=3), "b": custom()})
    project.server.fault("lost-after", "POST")
    project.apply("--parallelism", "1", code=7)
    return project


def _made(project: Project, name: str = "a") -> str:
    return next(str(w["workflow_id"]) for w in project.server.workflows() if w["name"] == name)


# --- resolve --id ---


def test_resolve_id(unresolved: Project) -> None:
    made = _made(unresolved)
    unresolved.ok("state", "resolve", "a", "--id", made)
    assert unresolved.bound("a") == made
    binding = unresolved.state["bindings"]["a"]
    assert binding["applied"]["max_retries"] == 3  # what was sent counts as applied
    assert "assumed" not in binding
    unresolved.assert_settled()
    assert unresolved.apply().json["results"] == []


def test_resolve_id_compares_with_what_was_sent(unresolved: Project) -> None:
    made = _made(unresolved)
    unresolved.server.edit(made, metrics={"completeness": 0.1})
    unresolved.ok("state", "resolve", "a", "--id", made)
    assert unresolved.plan().field("a", "metrics.completeness")["origin"] == "drift"


@pytest.mark.parametrize(
    "edit",
    [
        {"name": "other"},
        {"created_at": "2020-01-01T00:00:00Z"},
        {"created_at": (datetime.now(UTC) + timedelta(hours=1)).isoformat()},
        {"created_at": (datetime.now(UTC) - timedelta(minutes=7)).replace(tzinfo=None).isoformat()},
    ],
)
def test_resolve_id_that_disagrees(unresolved: Project, edit: dict[str, str]) -> None:
    made = _made(unresolved)
    unresolved.server.edit(made, **edit)
    before = unresolved.state_bytes()
    refused = unresolved.ok("state", "resolve", "a", "--id", made, code=6)
    assert "--now" in refused.err
    assert unresolved.state_bytes() == before
    unresolved.ok("state", "resolve", "a", "--id", made, "--now")
    assert unresolved.bound("a") == made


@pytest.mark.parametrize("created_at", ["nonsense", "9999-99-99", ""])
def test_a_time_that_nobody_can_read_does_not_count(unresolved: Project, created_at: str) -> None:
    made = _made(unresolved)
    unresolved.server.edit(made, created_at=created_at)
    unresolved.ok("state", "resolve", "a", "--id", made)


def test_resolve_id_that_is_not_there(unresolved: Project) -> None:
    before = unresolved.state_bytes()
    err = unresolved.ok("state", "resolve", "a", "--id", "wkfl_none", "--now", code=1).err
    assert "404 for wkfl_none" in err
    assert "copy the id from the console" in err
    unresolved.ok("state", "resolve", "a", "--id", unresolved.bound("b"), "--now", code=6)
    unresolved.ok("state", "resolve", "a", "--id", "not an id", "--now", code=64)
    assert unresolved.state_bytes() == before


def test_resolve_id_that_is_remembered(unresolved: Project) -> None:
    b = unresolved.bound("b")
    unresolved.declare({"a": custom(max_retries=3)})
    unresolved.apply("--target", "b")
    unresolved.ok("state", "resolve", "a", "--id", b, "--now", code=6)


def test_resolve_needs_something_to_settle(unresolved: Project) -> None:
    for address in ("b", "nobody"):
        ran = unresolved.ok("state", "resolve", address, "--not-created", "--now", code=1)
        assert "unresolved: a" in ran.err
    unresolved.ok("state", "resolve", "a", code=64)
    unresolved.ok("state", "resolve", "a", "--not-created", "--id", "x", code=64)


# --- resolve --not-created ---


def test_not_created_waits_fifteen_minutes(project: Project) -> None:
    project.declare({"a": custom()})
    project.server.fault("lost", "POST")
    project.apply(code=7)
    before = project.state_bytes()
    for age in (0, 14):
        project.age_intent(age)
        before = project.state_bytes()
        assert "15 minutes" in project.ok("state", "resolve", "a", "--not-created", code=6).err
        assert project.state_bytes() == before
    project.age_intent(1.1)
    project.ok("state", "resolve", "a", "--not-created")
    assert project.apply().results() == {"a": "done"}
    project.assert_settled()


def test_not_created_now_is_offline(project: Project) -> None:
    project.declare({"a": custom()})
    project.server.fault("lost", "POST")
    project.apply(code=7)
    project.server.forget_requests()
    project.env["DEEPRAILS_API_KEY"] = ""
    project.ok("state", "resolve", "a", "--not-created", "--now")
    assert project.server.requests() == []
    assert project.json("state", "list").json["unresolved"] == []


# --- refusals while unresolved ---


@pytest.mark.parametrize(
    "arguments",
    [("import", "a", "wkfl_1"), ("state", "mv", "a", "c"), ("state", "mv", "b", "a"), ("state", "rm", "a")],
)
def test_refused_while_unresolved(unresolved: Project, arguments: tuple[str, ...]) -> None:
    before = unresolved.state_bytes()
    assert "state resolve a" in unresolved.ok(*arguments, code=7).err
    assert unresolved.state_bytes() == before


def test_lookers_name_the_unresolved_and_keep_their_code(unresolved: Project) -> None:
    outputs = unresolved.json("outputs")
    assert list(outputs.json["outputs"]) == ["b"]
    assert "a" in outputs.err
    assert "unknown outcome" in unresolved.json("drift").err
    assert "unknown outcome" in unresolved.json("show", "b").err + unresolved.json("show", "a").err
    assert [u["address"] for u in unresolved.json("state", "list").json["unresolved"]] == ["a"]
    assert "state resolve a --not-created" in unresolved.ok("state", "list").out


def test_unresolved_is_blocked_even_when_no_longer_declared(unresolved: Project) -> None:
    unresolved.declare({"b": custom()})
    assert unresolved.plan(code=7).actions() == {"a": "blocked"}
    assert unresolved.apply(code=7).results() == {"a": "not_attempted"}
    assert unresolved.plan("--target", "a", code=7).actions() == {"a": "blocked"}
    assert unresolved.plan("--target", "b").json["changes"] == []
    unresolved.declare({"a": custom(), "b": custom()})
    assert unresolved.plan("--replace", "a", code=7).actions() == {"a": "blocked"}


# --- mv, rm ---


def test_mv_and_rm(project: Project) -> None:
    project.declare({"a": custom(name="A"), "b": custom()})
    project.apply()
    project.apply("--replace", "a")
    ids = [w["workflow_id"] for w in project.server.workflows() if w["name"] == "A"]
    project.server.forget_requests()
    assert ids[-1] in project.ok("state", "mv", "a", "c").out
    assert project.json("state", "list").json["retired"] == [{"address": "c", "workflow_id": ids[0]}]
    assert project.bound("c") == ids[-1]
    assert "already" in project.ok("state", "mv", "c", "b", code=1).err
    assert project.ok("state", "mv", "nobody", "x", code=1).err
    project.ok("state", "mv", "c", "Not-An-Address", code=64)
    assert project.ok("state", "rm", "c").out.split() == ids
    assert [b["address"] for b in project.json("state", "list").json["bindings"]] == ["b"]
    assert project.json("state", "list").json["retired"] == []
    project.ok("state", "rm", "c", code=1)
    assert project.server.requests() == []


def test_rm_says_what_becomes_of_the_workflow(project: Project) -> None:
    project.declare({"a": custom()})
    project.apply()
    a = project.bound("a")
    ran = project.ok("state", "rm", "a")
    assert ran.out == f"{a}\n"
    assert "it is still live" in ran.err
    assert "the next apply would create another" in ran.err
    assert f"`defendctl import a {a}` binds it again" in ran.err
    assert project.plan().actions() == {"a": "create"}
    project.ok("import", "a", a)
    project.assert_settled()


# --- import ---


def test_import(project: Project) -> None:
    made = project.server.add(
        name="a", metrics={"completeness": 0.8}, improvement_action="fixit", max_retries=7
    )
    project.declare({"a": custom(max_retries=7)})
    assert "max_retries" in project.ok("import", "a", made).err
    assert project.state["bindings"]["a"]["assumed"] == {"max_retries": 7}
    project.assert_settled()
    assert project.json("drift").json["drifted"] is False
    # While the manifest keeps it, nothing is planned; any change of it is.
    project.declare({"a": custom(max_retries=8)})
    field = project.plan().field("a", "max_retries")
    assert (field["before"], field["after"], field["basis"]) == (None, 8, "unknown")
    assert field["direction"] == "indeterminate"
    project.apply()
    assert project.server.workflow(made)["max_retries"] == 8
    project.assert_settled()


def test_the_first_update_after_an_import_sends_what_was_assumed(project: Project) -> None:
    made = project.server.add(
        name="a", metrics={"completeness": 0.8}, improvement_action="fixit", max_retries=2
    )
    project.declare({"a": custom(max_retries=7)})
    project.ok("import", "a", made)
    project.assert_settled()
    project.declare({"a": custom(max_retries=7, description="d")})
    plan = project.plan()
    assert [f["path"] for f in plan.change("a")["fields"]] == ["description", "max_retries"]
    assert plan.field("a", "max_retries")["basis"] == "unknown"
    assert plan.change("a")["direction"] == "indeterminate"
    project.apply()
    assert project.server.workflow(made)["max_retries"] == 7
    assert "assumed" not in project.state["bindings"]["a"]
    project.assert_settled()


@pytest.mark.parametrize("generation", ["2025-10-07", "2025-10-22", "2025-11-10", "2025-12-07"])
def test_import_on_every_generation(world: World, generation: str) -> None:
    project = world(generation=generation)
    made = project.server.add(name="a", metrics={"completeness": 0.8}, improvement_action="fixit")
    project.pin(generation)
    project.declare({"a": custom()})
    project.ok("import", "a", made)
    project.assert_settled()
    before = project.state_bytes()
    project.apply()
    assert project.state_bytes() == before


def test_import_of_an_undeclared_address_prints_the_manifest(project: Project) -> None:
    made = project.server.add(
        name="Say: 'no'\n", description="x: [y", metrics={"completeness": 0.5, "tone": 1}, web_search=True
    )
    project.settings(custom_metrics=["tone"])
    project.declare({"other": custom()})
    before = project.files()
    ran = project.ok("import", "a", made, code=1)
    assert project.files() == before
    assert "not declared" in ran.err
    (project.root / "workflows" / "pasted.yaml").write_text(ran.out)
    project.ok("validate")
    project.ok("import", "a", made)
    assert project.plan("--target", "a").json["changes"] == []


def test_import_refuses(project: Project) -> None:
    project.declare({"a": custom(), "b": custom()})
    project.apply("--target", "b")
    bound = project.bound("b")
    before = project.state_bytes()
    assert "404" in project.ok("import", "a", "wkfl_nobody", code=1).err
    project.ok("import", "a", bound, code=1)
    project.ok("import", "b", project.server.add(), code=1)
    project.ok("import", "a", "a b", code=64)
    project.server.fault("wrong-id", "GET")
    project.ok("import", "a", project.server.add(), code=1)
    project.server.fault("status", "GET", status=403)
    project.ok("import", "a", project.server.add(), code=3)
    assert project.state_bytes() == before


def test_import_takes_an_id_out_of_the_tombstones(project: Project) -> None:
    project.declare({"a": custom(), "b": custom()})
    project.apply()
    a = project.bound("a")
    project.declare({"b": custom(), "c": custom(name="a")})
    project.apply("--target", "a")
    project.ok("import", "c", a)
    assert project.json("state", "list").json["retired"] == []
    project.assert_settled()


# --- the commands that look ---


def test_show(project: Project) -> None:
    project.declare({"a": custom(max_retries=3), "new": automatic()})
    project.apply("--target", "a")
    project.server.edit(project.bound("a"), description="by hand")
    shown = project.json("show", "a").json
    assert (shown["kind"], shown["address"], shown["status"]) == ("workflow", "a", "active")
    fields = {f["path"]: f for f in shown["fields"]}
    assert fields["description"] == {
        "path": "description",
        "desired": "",
        "live": "by hand",
        "applied": "",
        "basis": "live",
    }
    assert fields["max_retries"]["live"] is None
    assert fields["max_retries"]["basis"] == "applied"
    assert project.json("show", "new").json["workflow_id"] is None
    assert "did you mean" in project.ok("show", "nwe", code=1).err.lower()


def test_drift_of_what_is_no_longer_declared(project: Project) -> None:
    project.declare({"a": custom(), "b": custom()})
    project.apply()
    project.server.edit(project.bound("a"), metrics={"completeness": 0.2})
    project.declare({"b": custom()})
    entry = project.json("drift", code=2).json["workflows"][0]
    assert (entry["address"], entry["direction"]) == ("a", "loosens")
    field = entry["fields"][0]
    assert (field["applied"], field["before"], field["after"]) == (0.8, 0.2, 0.8)
    (project.root / "one.yaml").write_text((project.root / "workflows/all.yaml").read_text())
    assert project.json("drift", "-f", "one.yaml").json["drifted"] is False


def test_outputs(project: Project, tmp_path: Any) -> None:
    project.declare({"support-bot": custom(), "support.bot": custom()})
    project.apply("--target", "support-bot")
    one = project.bound("support-bot")
    assert project.ok("outputs", "--format", "env").out.strip() in (
        f"DEFEND_WORKFLOW_SUPPORT_BOT={one}",
        f"DEFEND_WORKFLOW_SUPPORT_BOT='{one}'",
    )
    project.apply()
    project.ok("outputs", "--format", "env", code=1)
    project.ok("outputs", "--format", "github", code=1)
    project.env["GITHUB_OUTPUT"] = str(tmp_path / "github")
    assert project.ok("outputs", "--format", "github").out == ""
    assert f"support-bot={one}" in (tmp_path / "github").read_text()


def test_state_list_of_nothing(project: Project) -> None:
    listed = project.json("state", "list").json
    assert (listed["kind"], listed["serial"], listed["bindings"]) == ("state", 0, [])


def test_only_get_with_a_limit_of_one(project: Project) -> None:
    project.declare({"a": custom(), "b": custom()})
    project.apply()
    project.server.forget_requests()
    project.plan()
    project.json("drift")
    project.json("show", "a")
    seen = project.server.requests()
    assert len(seen) == 5
    assert {(r["method"], r["query"]) for r in seen} == {("GET", "limit=1")}


def test_offline_commands_send_nothing(project: Project, unused_port: int) -> None:
    project.declare({"a": custom()})
    project.apply()
    project.server.forget_requests()
    project.env["DEEPRAILS_API_KEY"] = ""
    project.json("outputs")
    project.json("state", "list")
    project.json("validate")
    project.ok("schema")
    project.declare({"new": custom()})
    assert project.plan("--target", "new").actions() == {"new": "create"}  # nothing to read
    assert project.server.requests() == []


# --- the lock ---


HOLDER = """
import sys
from pathlib import Path
from tests.state.given import locked
with locked([Path(sys.argv[1])], print) as owner:
    print(owner.id, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def locked(project: Project) -> Any:
    """A project whose lock is held by another process; yields it and the id of the lock."""
    project.declare({"a": custom()})
    path = project.root / ".defendctl" / "defendctl.state.json.lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout
    yield project, holder, holder.stdout.readline().strip()
    holder.kill()
    holder.communicate()


def test_a_held_lock(locked: Any) -> None:
    project, holder, lock_id = locked
    ran = project.run("apply", "--yes")
    assert ran.code == 6
    assert f"process {holder.pid}" in ran.err
    assert f"state unlock {lock_id}" in ran.err
    assert project.run("state", "rm", "a").code == 6
    assert project.server.requests() == []
    project.plan()  # reading needs no lock
    assert "another" not in project.ok("state", "unlock", "000000000000", code=6).err
    project.ok("state", "unlock", lock_id)
    project.apply()
    project.ok("state", "unlock", lock_id, code=1)


def test_a_dead_owner_is_named_and_the_run_goes_on(locked: Any) -> None:
    project, holder, _ = locked
    holder.kill()
    holder.wait()
    ran = project.apply()
    assert f"process {holder.pid}" in ran.err
    assert "process" not in project.apply().err


def test_a_broken_lock_is_left_to_its_new_owner(project: Project) -> None:
    """A run whose lock was broken takes nothing away from the next."""
    from defendctl.state.local.lock import read_owner, unlock
    from tests.state.given import locked

    path = project.root / ".defendctl" / "x.lock"
    with locked([path], print) as first:
        unlock([path], first.id)
        with locked([path], print):
            pass
        second = locked([path], print)
        owner = second.__enter__()
    assert read_owner(path) == owner
    second.__exit__(None, None, None)
    assert read_owner(path) is None


def test_ci_is_named_in_the_lock(project: Project) -> None:
    env = {"GITHUB_RUN_ID": "7", "GITHUB_SERVER_URL": "https://ci.invalid", "GITHUB_REPOSITORY": "o/r"}
    path = project.root / ".defendctl" / "defendctl.state.json.lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **env},
    )
    try:
        assert holder.stdout
        holder.stdout.readline()
        project.declare({"a": custom()})
        assert "https://ci.invalid/o/r/actions/runs/7" in project.ok("apply", "--yes", code=6).err
    finally:
        holder.kill()
        holder.communicate()


def test_json_on_stdout_alone(unresolved: Project) -> None:
    for command in (["plan"], ["apply", "--yes"], ["drift"], ["outputs"], ["state", "list"], ["show", "b"]):
        json.loads(unresolved.run(*command, "--format", "json").out)
