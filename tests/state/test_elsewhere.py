"""A project whose state is elsewhere: what each command does with it, and what it does without."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from defendctl.diagnostics import DefendctlError, Precondition
from defendctl.model import Intent
from defendctl.operations.workspace import Settings, open_workspace
from defendctl.state.document import DamagedState, from_text, to_text
from defendctl.state.open import ENGINES
from defendctl.state.owner import this_run
from defendctl.state.place import parse_place
from defendctl.state.session import Session
from tests.conftest import Project, custom
from tests.state import elsewhere

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = "hunter2"


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(ENGINES, "git", elsewhere.ENGINE)
    elsewhere.calls.clear()
    elsewhere.faults.clear()
    yield
    elsewhere.faults.clear()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"git+{tmp_path}/store?key=checkout"


@pytest.fixture
def there(tmp_path: Path) -> Path:
    return tmp_path / "store" / "checkout.json"


@pytest.fixture
def placed(project: Project, url: str) -> Project:
    """Its state is elsewhere, and nothing is there yet."""
    project.settings(state={"url": url})
    project.declare({"bot": custom()})
    return project


@pytest.fixture
def begun(placed: Project) -> Project:
    assert placed.apply("--new-state").results() == {"bot": "done"}
    elsewhere.calls.clear()
    return placed


def test_a_state_begins_elsewhere_and_its_lineage_is_pinned(placed: Project, there: Path) -> None:
    assert "add --new-state" in placed.run_alone("apply", "--yes").err
    placed.apply("--new-state")
    lineage = json.loads(there.read_text())["lineage"]
    assert f"lineage: {lineage}" in (placed.root / "defendctl.yaml").read_text()
    assert not placed.state_file.exists()
    placed.assert_settled()
    assert placed.bound("bot") == placed.server.workflows()[0]["workflow_id"]


def test_every_command_of_a_state_works_there(begun: Project) -> None:
    assert begun.json("state", "list").json["bindings"][0]["address"] == "bot"
    begun.ok("state", "mv", "bot", "other")
    begun.declare({"other": custom(name="bot")})
    begun.assert_settled()
    assert begun.ok("drift").code == 0
    assert begun.json("show", "other").json["workflow_id"]
    assert begun.ok("state", "rm", "other").out.strip()
    begun.ok("import", "other", begun.server.workflows()[0]["workflow_id"])
    begun.assert_settled()


def test_a_second_clone_sees_the_same_state(begun: Project, tmp_path: Path) -> None:
    clone = Project(tmp_path / "clone", begun.server, begun.env)
    clone.root.mkdir()
    (clone.root / "defendctl.yaml").write_text((begun.root / "defendctl.yaml").read_text())
    clone.declare({"bot": custom(), "more": custom()})
    assert clone.run_alone("apply", "--yes", "--format", "json").results() == {"more": "done"}
    assert begun.server.count("POST") == 2
    assert set(begun.json("outputs").json["outputs"]) == {"bot", "more"}


def test_validate_and_what_reads_no_state_ask_nothing_of_it(begun: Project) -> None:
    elsewhere.faults |= dict.fromkeys(("read", "lock", "probe"), elsewhere.unreachable())
    for command in (["validate"], ["fmt"], ["schema"], ["render"]):
        begun.ok(*command)
    assert elsewhere.calls == []


@pytest.mark.parametrize("command", ["plan", "apply --yes", "drift", "outputs", "state list", "show bot"])
def test_a_store_that_does_not_answer_is_never_an_empty_one(begun: Project, command: str) -> None:
    elsewhere.faults |= dict.fromkeys(("read", "lock"), elsewhere.unreachable())
    posts = begun.server.count("POST")
    ran = begun.run_alone(*command.split())
    assert (ran.code, ran.out) == (1, "")
    assert "does not answer" in ran.err
    assert begun.server.count("POST") == posts


def test_a_missing_state_is_missing_and_not_empty(begun: Project, there: Path) -> None:
    there.unlink()
    for command in ("plan", "outputs", "state list", "apply --yes", "apply --yes --new-state"):
        assert begun.run_alone(*command.split()).code == 6


def test_a_store_of_an_older_day_is_noticed_by_who_saw_the_newer_one(begun: Project, there: Path) -> None:
    older = there.read_bytes()
    begun.declare({"bot": custom(), "more": custom()})
    begun.apply()
    there.write_bytes(older)
    assert "it was rolled back" in begun.plan().json["diagnostics"][0]["message"]
    assert begun.run("apply", "--yes").code == 6
    assert begun.server.count("POST") == 2
    for command in ("outputs", "state list", "show bot", "drift"):
        ran = begun.ok(*command.split())
        assert "it was rolled back" in ran.err, command
        assert "state push" in ran.err, command
    assert begun.ok("outputs", "--offline").err.count("rolled back") == 0


def test_a_plan_alone_remembers_what_it_saw(begun: Project, there: Path, tmp_path: Path) -> None:
    older = there.read_bytes()
    reader = Project(tmp_path / "reader", begun.server, begun.env)
    reader.root.mkdir()
    (reader.root / "defendctl.yaml").write_text((begun.root / "defendctl.yaml").read_text())
    begun.declare({"bot": custom(), "more": custom()})
    begun.apply()
    reader.declare({"bot": custom(), "more": custom()})
    reader.assert_settled()
    there.write_bytes(older)
    assert "rolled back" in reader.plan().json["diagnostics"][0]["message"]


@pytest.mark.parametrize("command", ["plan", "apply --yes", "state push pulled.json --restore"])
def test_a_place_that_holds_something_else_is_told_with_the_newest_copy(begun: Project, command: str) -> None:
    begun.ok("state", "pull", "--output", "pulled.json")
    elsewhere.faults |= dict.fromkeys(("read", "lock"), DamagedState("it is not a register of defendctl"))
    ran = begun.ok(*command.split(), code=6)
    assert "move it away" in ran.err
    newest = max(copy.name for copy in (begun.root / ".defendctl" / "backups").rglob("*.json"))
    assert re.search(rf"state push \S+{newest}\S* --restore`", ran.err)


def test_a_plan_takes_no_lock(begun: Project) -> None:
    begun.plan()
    begun.ok("drift")
    assert "lock" not in elsewhere.calls


def test_offline_takes_the_last_read_and_says_which(begun: Project) -> None:
    fresh = begun.json("outputs").json
    elsewhere.faults["read"] = elsewhere.unreachable()
    ran = begun.json("outputs", "--offline")
    assert ran.json == fresh
    assert re.search(r"--offline: serial \d+ of git\+.*, as it was read \d+ seconds? ago", ran.err)
    assert begun.json("state", "list", "--offline").json["bindings"]
    assert begun.run("outputs").code == 1


def test_offline_tells_how_old_a_copy_is(begun: Project) -> None:
    copy = next((begun.root / ".defendctl").rglob("*.json"))
    os.utime(copy, (copy.stat().st_mtime - 2 * 86_400,) * 2)
    for other in (begun.root / ".defendctl").rglob("*.json"):
        if other != copy:
            other.unlink()
    assert "2 days ago" in begun.run("outputs", "--offline").err


def test_offline_without_a_copy_is_an_error(placed: Project) -> None:
    ran = placed.run("outputs", "--offline")
    assert (ran.code, ran.out) == (1, "")
    assert "was never read here" in ran.err


def test_a_file_is_read_whether_offline_or_not(project: Project) -> None:
    project.declare({"bot": custom()})
    project.apply()
    assert project.json("outputs", "--offline").json == project.json("outputs").json


def test_another_place_may_be_said_for_one_run_and_is_never_pinned(
    project: Project, url: str, there: Path
) -> None:
    project.settings()
    project.declare({"bot": custom()})
    before = (project.root / "defendctl.yaml").read_bytes()
    project.apply("--new-state", "--state-url", url)
    assert there.exists()
    assert not project.state_file.exists()
    assert (project.root / "defendctl.yaml").read_bytes() == before
    assert project.json("outputs").json["outputs"] == {}
    project.env["DEFENDCTL_STATE_URL"] = url
    assert set(project.json("outputs").json["outputs"]) == {"bot"}
    del project.env["DEFENDCTL_STATE_URL"]
    project.server.fault("lost-after", "POST")
    project.declare({"bot": custom(), "more": custom()})
    assert (
        f'--state-url "{url}" state resolve more'
        in project.run_alone("apply", "--yes", "--state-url", url).err
    )


def test_the_sandbox_has_its_own_state_whatever_is_said(begun: Project, url: str) -> None:
    elsewhere.calls.clear()
    begun.ok("apply", "--sandbox", "--yes", "--state-url", url)
    assert elsewhere.calls == []


@pytest.mark.parametrize(
    "bad",
    [
        f"postgres://deploy:{SECRET}@db/defend?key=a",
        f"postgres://db/defend?key=a&password={SECRET}",
        f"git+https://{SECRET}@git.example.com/a?key=a",
        f"az://container/a?sig={SECRET}",
        f"mysql://x:{SECRET}@db/a",
        f"{SECRET}",
        "git+origin",
    ],
)
def test_a_bad_url_is_a_usage_error_that_repeats_nothing(begun: Project, bad: str) -> None:
    typed = begun.run("outputs", "--state-url", bad)
    assert (typed.code, typed.out) == (64, "")
    begun.env["DEFENDCTL_STATE_URL"] = bad
    said = begun.run("outputs")
    assert (said.code, said.out) == (64, "")
    assert SECRET not in typed.err + said.err


def test_a_password_in_the_project_file_is_repeated_nowhere(project: Project) -> None:
    project.declare({"bot": custom()})
    project.settings(state={"url": f"postgres://deploy:{SECRET}@db/defend?key=a"})
    for command in (
        "validate",
        "plan",
        "outputs",
        "state list",
        "doctor",
        "state paths",
        "apply --yes",
        "init",
    ):
        ran = project.run_alone(*command.split())
        assert SECRET not in ran.out + ran.err, command
    assert SECRET not in str(project.files() | {"defendctl.yaml": b""})


def test_an_engine_that_is_not_there_is_an_error_with_the_way_out(
    begun: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(place: Any, root: Any) -> Any:
        raise DefendctlError("psycopg is not installed", "pip install 'defendctl[postgres]'")

    monkeypatch.setattr(elsewhere, "open_elsewhere", missing)
    ran = begun.run("plan")
    assert ran.code == 1
    assert "pip install 'defendctl[postgres]'" in ran.err
    begun.ok("validate")


def test_a_tab_looks_at_the_copy_and_asks_nobody(begun: Project) -> None:
    elsewhere.calls.clear()
    begun.env |= {
        "_DEFENDCTL_COMPLETE": "bash_complete",
        "COMP_WORDS": "defendctl state rm ",
        "COMP_CWORD": "3",
    }
    assert "bot" in begun.run("state", "rm").out
    assert elsewhere.calls == []


def test_a_dead_run_is_waited_for_seen_silent_and_taken_over(begun: Project, there: Path) -> None:
    gone = replace(this_run(), id="gone", run="https://ci.example.com/job/7")
    there.with_suffix(".held").write_text(json.dumps(asdict(gone)))
    begun.declare({"bot": custom(), "more": custom()})
    refused = begun.run("apply", "--yes")
    assert refused.code == 6
    assert "https://ci.example.com/job/7" in refused.err
    assert "state unlock gone" in refused.err
    ran = begun.apply("--lock-timeout", "5m")
    assert ran.results() == {"more": "done"}
    assert "taken over" in ran.err


@pytest.mark.parametrize("bad", ["soon", "-1", "5d", "1e3", "nan", ""])
def test_a_timeout_that_is_no_duration_is_a_usage_error(begun: Project, bad: str) -> None:
    assert begun.run("outputs", "--lock-timeout", bad).code == 64


def test_doctor_tries_the_place_and_tells_what_it_keeps(begun: Project) -> None:
    said = begun.ok("doctor").out
    assert "probe" in elsewhere.calls
    assert re.search(r"git\+\S+ answers; reading the state took \d+ ms", said)
    assert "of several writers it lets one win" in said
    assert "0 states kept there" in said


def test_doctor_says_what_a_place_may_lose(begun: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elsewhere.Elsewhere, "probe", lambda backend: "a fail-over may lose something")
    said = begun.ok("doctor").out
    assert "a fail-over may lose something" in said
    assert "docs/reliability.md" in said


def test_doctor_says_what_a_place_lacks(begun: Project) -> None:
    elsewhere.faults["probe"] = Precondition("two writers won where one may", "keep the state elsewhere")
    ran = begun.run("doctor")
    assert ran.code == 6
    assert "two writers won where one may" in ran.out
    elsewhere.faults["probe"] = elsewhere.unreachable()
    assert begun.run("doctor").code == 1
    elsewhere.faults["read"] = elsewhere.unreachable()
    ran = begun.run("doctor")
    assert ran.code == 1
    assert "db.internal does not answer" in ran.out


@pytest.mark.parametrize("call", ["strays", "newest", "versions"])
def test_doctor_reports_where_a_right_is_missing_beyond_reading(
    begun: Project, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def refuse(*_: object) -> None:
        raise DefendctlError("there is no right to list", "grant s3:ListBucket")

    monkeypatch.setattr(elsewhere.Elsewhere, call, refuse)
    ran = begun.run("doctor")
    assert ran.code == 1
    assert "there is no right to list" in ran.out
    assert "grant s3:ListBucket" in ran.out
    assert "reading the state took" in ran.out


def test_doctor_names_who_holds_the_lock(begun: Project, there: Path) -> None:
    gone = replace(this_run(), id="gone", run="https://ci.example.com/job/7")
    there.with_suffix(".held").write_text(json.dumps(asdict(gone)))
    ran = begun.run("doctor")
    assert ran.code == 6
    assert "https://ci.example.com/job/7" in ran.out
    assert "state unlock gone" in ran.out


def test_an_id_that_the_place_does_not_take_is_kept_beside_the_copies(
    begun: Project, there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And found by the next run here: the answer to the create is not lost with the network."""
    monkeypatch.setattr(elsewhere.Elsewhere, "leave", lambda backend, op, workflow_id: None)
    state = from_text(there.read_text())
    state.unresolved["late"] = Intent("0123abcd", "2031-01-01T00:00:00+00:00", {"name": "late"})
    there.write_text(to_text(state))
    live = begun.server.add(name="late")
    with monkeypatch.context() as patch:
        patch.chdir(begun.root)
        store = open_workspace(Settings()).store
        with store.session(lambda line: None) as session:
            kept = session.leave("0123abcd", live)
    assert kept
    assert kept.startswith(str(begun.root / ".defendctl"))
    assert f"--id {live}" in begun.run("state", "list").out
    begun.ok("state", "resolve", "late", "--id", live, "--now")
    assert begun.bound("late") == live
    assert not list((begun.root / ".defendctl").rglob("*.recovery"))


def left_here(project: Project, op: str, workflow_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a run whose place took no id any more."""
    with monkeypatch.context() as patch:
        patch.setattr(elsewhere.Elsewhere, "leave", lambda backend, op, workflow_id: None)
        patch.chdir(project.root)
        with open_workspace(Settings()).store.session(lambda line: None) as session:
            assert session.leave(op, workflow_id)


@pytest.mark.parametrize("way", [["state", "rm"], ["state", "resolve", "late", "--id"]], ids=" ".join)
def test_what_is_kept_beside_the_copies_and_explained_by_no_create_is_named(
    begun: Project, monkeypatch: pytest.MonkeyPatch, way: list[str]
) -> None:
    """Its create was given up before the answer came, and then the place did not take it."""
    live = begun.server.add(name="late")
    left_here(begun, "0123abcd", live, monkeypatch)
    for command in ("plan", "state list", "doctor"):
        ran = begun.run(*command.split())
        assert ran.code == 7, command
        assert f"{live} " in ran.out + ran.err, command
    begun.ok(*way, live)
    assert begun.run("plan").code == 0
    assert not list((begun.root / ".defendctl").rglob("*.recovery"))


def unknown(there: Path, op: str = "0123abcd") -> None:
    state = from_text(there.read_text())
    state.unresolved["late"] = Intent(op, "2020-01-01T00:00:00+00:00", {"name": "late"})
    there.write_text(to_text(state))


def test_an_answer_that_comes_while_its_create_is_given_up_is_kept(
    begun: Project, there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the run that had asked, which only stood still: whoever gives up has not seen it."""
    unknown(there)
    real = Session.edit

    def answered_meanwhile(session: Session, change: Any) -> None:
        session.leave("0123abcd", "wkfl_late")
        real(session, change)

    with monkeypatch.context() as patch:
        patch.setattr(Session, "edit", answered_meanwhile)
        begun.ok("state", "resolve", "late", "--not-created", "--now")
    ran = begun.run("plan")
    assert (ran.code, "wkfl_late was created by a run" in ran.err) == (7, True)


def test_an_answer_is_not_replaced_by_another_id_unsaid(begun: Project, there: Path) -> None:
    unknown(there)
    answered, other = begun.server.add(name="late"), begun.server.add(name="late")
    elsewhere.Elsewhere(parse_place(begun_url(there))).leave("0123abcd", answered)
    ran = begun.ok("state", "resolve", "late", "--id", other, code=6)
    assert f"was answered with the id {answered}, and not {other}" in ran.err
    begun.ok("state", "resolve", "late", "--id", other, "--now")
    assert begun.bound("late") == other
    assert f"{answered} was created by a run" in begun.ok("plan", code=7).err


def test_what_cannot_be_removed_is_no_reason_to_fail_where_the_state_says_it(
    begun: Project, there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But where nothing else is done it is."""
    unknown(there)
    live, forgotten = begun.server.add(name="late"), begun.server.add(name="later")
    place = elsewhere.Elsewhere(parse_place(begun_url(there)))
    place.leave("0123abcd", live)
    place.leave("4567cdef", forgotten)

    def refuse(*_: object) -> None:
        raise DefendctlError("there is no right to delete")

    monkeypatch.setattr(elsewhere.Elsewhere, "forget_left", refuse)
    begun.ok("state", "resolve", "late", "--id", live, "--now")
    assert begun.bound("late") == live
    ran = begun.ok("state", "rm", forgotten, code=1)
    assert (ran.out, "there is no right to delete" in ran.err) == ("", True)


def begun_url(there: Path) -> str:
    return f"git+{there.parent}?key={there.stem}"


def test_a_create_is_no_older_than_this_machine_has_known_of_it(begun: Project, there: Path) -> None:
    """When it was sent says the clock of another machine, which may be slow by any time."""
    state = from_text(there.read_text())
    state.unresolved["late"] = Intent("0123abcd", "2020-01-01T00:00:00+00:00", {"name": "late"})
    there.write_text(to_text(state))
    give_up = ("state", "resolve", "late", "--not-created")
    assert "this machine has known of it for less than 15 minutes" in begun.ok(*give_up, code=6).err
    (seen,) = (begun.root / ".defendctl").rglob("unresolved")
    before = datetime.now(UTC) - timedelta(minutes=14)
    seen.write_text(json.dumps({"0123abcd": before.isoformat(), "89ab": before.isoformat()}))
    begun.ok(*give_up, code=6)
    seen.write_text(json.dumps({"0123abcd": (before - timedelta(minutes=2)).isoformat()}))
    begun.ok(*give_up)
    assert begun.run("plan").code == 0
    assert json.loads(seen.read_text()) == {}


_LATER = '{"0123abcd": "2999-01-01T00:00:00+00:00"}'


@pytest.mark.parametrize("bad", ["", "[]", "7", '{"0123abcd": 7}', _LATER])
def test_what_is_no_time_is_not_believed(begun: Project, there: Path, bad: str) -> None:
    state = from_text(there.read_text())
    state.unresolved["late"] = Intent("0123abcd", "2020-01-01T00:00:00+00:00", {"name": "late"})
    there.write_text(to_text(state))
    begun.ok("state", "list")
    (seen,) = (begun.root / ".defendctl").rglob("unresolved")
    seen.write_text(bad)
    begun.ok("state", "resolve", "late", "--not-created", code=6)


def test_init_names_a_state_that_is_elsewhere_and_begins_one_there(placed: Project, there: Path) -> None:
    assert "--new-state` begins one" in placed.ok("init").err
    assert not there.exists()
    assert "probe" not in elsewhere.calls
    placed.ok("init", "--new-state")
    assert there.exists()
    assert "probe" in elsewhere.calls
    assert "lineage" in (placed.root / "defendctl.yaml").read_text()
    placed.apply()
