"""What was reviewed is what is done: PLAN, --expect, --yes, --target, --replace and -f."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import automatic, custom

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Project


@pytest.fixture
def planned(project: Project) -> Project:
    """One workflow is bound, and a plan with every kind of work is saved as p.json."""
    project.declare({"a": custom(), "gone": custom(), "old": custom()})
    project.apply()
    project.declare({"a": custom(max_retries=3, file_search=["f"]), "b": automatic(), "old": custom()})
    project.ok("plan", "--out", "p.json", "--replace", "old")
    return project


def _saved(project: Project) -> Any:
    return json.loads((project.root / "p.json").read_text())


def _save(project: Project, document: Any) -> None:
    (project.root / "p.json").write_text(json.dumps(document))


def test_a_saved_plan_is_applied_without_a_question(planned: Project) -> None:
    document = _saved(planned)
    assert document["kind"] == "plan"
    assert document["digest"] == planned.plan("--replace", "old").json["digest"]
    ran = planned.json("apply", "p.json")
    assert ran.results() == dict.fromkeys(("a", "b", "gone", "old"), "done")
    planned.assert_settled()


def test_a_plan_that_was_applied_already_is_stale(planned: Project) -> None:
    planned.ok("apply", "p.json")
    before = planned.state_bytes()
    assert "stale" in planned.ok("apply", "p.json", code=6).err
    assert planned.state_bytes() == before
    assert len(planned.server.workflows()) == 5


def test_an_empty_plan_may_be_applied_again(planned: Project) -> None:
    planned.apply()
    planned.ok("plan", "--out", "p.json")
    for _ in range(2):
        assert planned.json("apply", "p.json").json["results"] == []


def _manifest(project: Project) -> None:
    project.declare({"a": custom(max_retries=4, file_search=["f"]), "b": automatic(), "old": custom()})


def _console(project: Project) -> None:
    project.server.edit(project.bound("a"), description="by hand")


def _state(project: Project) -> None:
    project.ok("state", "rm", "gone")


def _generation(project: Project) -> None:
    project.pin("2025-11-10")


@pytest.mark.parametrize("move", [_manifest, _console, _state, _generation])
@pytest.mark.parametrize("expect", [False, True])
def test_what_moved_makes_a_plan_stale(
    planned: Project, move: Callable[[Project], None], expect: bool
) -> None:
    digest = _saved(planned)["digest"]
    move(planned)
    before = planned.state_bytes()
    planned.server.forget_requests()
    consent = ["--expect", digest, "--replace", "old"] if expect else ["p.json"]
    ran = planned.ok("apply", *consent, "--format", "json", code=6)
    assert ran.out == ""
    assert digest in ran.err
    assert {each["method"] for each in planned.server.requests()} == {"GET"}
    assert planned.state_bytes() == before


def test_an_edited_plan(planned: Project) -> None:
    document = _saved(planned)
    document["changes"][0]["fields"][0]["after"] = "harmless"
    _save(planned, document)
    assert "edited" in planned.ok("apply", "p.json", code=6).err
    document = _saved(planned)
    document["changes"] = []
    _save(planned, document)
    planned.ok("apply", "p.json", code=6)
    document["digest"] = "sha256:" + "0" * 64
    _save(planned, document)
    planned.ok("apply", "p.json", code=6)
    assert planned.server.count("PUT") == 0


def test_other_options_than_were_reviewed(planned: Project) -> None:
    document = _saved(planned)
    document["options"]["replace"] = []
    _save(planned, document)
    planned.ok("apply", "p.json", code=6)
    document["options"] = {"target": ["nobody"], "replace": []}
    _save(planned, document)
    assert planned.run("apply", "p.json").code in (6, 64)


def test_a_reworded_reason_is_no_edit(project: Project) -> None:
    """A newer version may say it in other words."""
    project.declare({"a": custom(), "b": custom()})
    project.apply()
    project.server.remove(project.bound("a"))
    project.declare({"a": custom(), "b": custom(), "c": custom()})
    project.ok("plan", "--out", "p.json", code=1)
    document = _saved(project)
    document["changes"][0]["reason"] = "other words"
    document["diagnostics"] = []
    _save(project, document)
    assert project.json("apply", "p.json", code=1).results() == {"a": "not_attempted", "c": "done"}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", 1),
        ("{}", 1),
        ("[]", 1),
        ('{"kind": "plan"}', 1),
        ('{"kind": "plan", "format_version": "2.0"}', 6),
        ('{"kind": "plan", "format_version": "1.0"}', 1),
        ("[" * 100_000, 1),
        ('{"kind": "drift", "format_version": "1.0"}', 1),
    ],
)
def test_a_file_that_is_no_plan(planned: Project, content: str, code: int) -> None:
    (planned.root / "p.json").write_text(content)
    assert planned.ok("apply", "p.json", code=code).err.startswith("error: ")


def test_a_missing_plan_and_a_strange_one(planned: Project) -> None:
    planned.ok("apply", "nowhere.json", code=1)
    planned.ok("apply", ".", code=1)
    (planned.root / "p.json").write_bytes(b"\xff\xfe\x00")
    planned.ok("apply", "p.json", code=1)


def test_a_plan_with_a_newer_minor_version_and_more_keys(planned: Project) -> None:
    document = {**_saved(planned), "format_version": "1.7", "more": 1}
    _save(planned, document)
    planned.ok("apply", "p.json")


def test_options_beside_a_plan_are_a_mistake(planned: Project) -> None:
    for options in (["--target", "a"], ["--replace", "a"], ["--expect", "sha256:" + "0" * 64]):
        planned.ok("apply", "p.json", *options, code=64)


def test_expect(planned: Project) -> None:
    digest = planned.plan().json["digest"]
    assert planned.json("apply", "--expect", digest).json["summary"]["done"] == 3
    planned.ok("apply", "--expect", digest, code=6)
    planned.ok("apply", "--expect", "nonsense", code=6)


def test_the_digest_is_a_function(project: Project) -> None:
    project.declare({"a": custom(), "b": automatic()})
    one = project.plan().json["digest"]
    assert one == project.plan("--parallelism", "1").json["digest"]
    project.declare({"b": automatic()}, "workflows/one.yaml")
    project.declare({"a": custom()}, "workflows/all.yaml")
    assert project.plan().json["digest"] == one
    assert project.plan("--target", "a").json["digest"] != one


def test_without_a_terminal_yes_is_needed(project: Project) -> None:
    project.declare({"a": custom()})
    ran = project.ok("apply", code=1)
    assert "--yes" in ran.err
    assert project.server.count("POST") == 0
    assert not project.state_file.exists()


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("\n", 1)])
def test_a_terminal_is_asked(project: Project, answer: str, code: int) -> None:
    project.declare({"a": custom()})
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "defendctl", "apply"],
        cwd=project.root,
        env={**os.environ, **project.env},
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.write(master, answer.encode())
    out, err = process.communicate(timeout=30)
    os.close(master)
    os.close(slave)
    assert process.returncode == code, out + err
    assert "[y/N]" in err
    assert "Plan: 1 create" in out
    assert len(project.server.workflows()) == (code == 0)


# --- scope ---


def test_target_leaves_all_others_alone(project: Project) -> None:
    project.declare({"a": custom(), "b": custom(), "c": custom()})
    assert project.apply("--target", "a", "--target", "b").results() == {"a": "done", "b": "done"}
    project.server.forget_requests()
    project.declare({"a": custom(name="A"), "c": custom()})
    plan = project.plan("--target", "a")
    assert plan.actions() == {"a": "update"}
    assert plan.json["options"]["target"] == ["a"]
    assert project.server.count("GET") == 1
    project.apply("--target", "a")
    assert project.plan().actions() == {"b": "retire", "c": "create"}


def test_files_leave_all_others_alone(project: Project) -> None:
    project.declare({"a": custom(), "b": custom()})
    project.apply()
    project.declare({"a": custom(name="A"), "new": custom()}, "other.yaml")
    assert project.plan("-f", "other.yaml").actions() == {"a": "update", "new": "create"}
    project.apply("-f", "other.yaml")
    assert sorted(project.state["bindings"]) == ["a", "b", "new"]
    assert project.plan("-f", "other.yaml").json["changes"] == []


def test_unknown_addresses_are_usage_errors(project: Project) -> None:
    project.declare({"support-bot": custom()})
    for options in (
        ["--target", "suport-bot"],
        ["--replace", "suport-bot"],
        ["--target", "support-bot", "--replace", "suport-bot"],
    ):
        assert 'Did you mean "support-bot"?' in project.ok("plan", *options, code=64).err
    project.ok("plan", "--parallelism", "0", code=64)
    project.ok("plan", "--parallelism", "many", code=64)
    project.ok("apply", "--target", code=64)
    assert project.server.requests() == []


def test_replace_outside_of_target(project: Project) -> None:
    project.declare({"a": custom(), "b": custom()})
    project.ok("plan", "--target", "a", "--replace", "b", code=64)


def test_nothing_declared(project: Project) -> None:
    project.declare({"a": custom()})
    project.apply()
    (project.root / "workflows/all.yaml").unlink()
    before = project.state_bytes()
    for command in (["plan"], ["apply", "--yes"], ["apply", "--yes", "-f", "workflows"]):
        assert project.ok(*command, code=1).out == ""
    assert project.state_bytes() == before
    project.json("drift")


def test_a_folder_with_nothing_in_it(project: Project) -> None:
    (project.root / "workflows").rmdir()
    for command in (["plan"], ["apply", "--yes"], ["state", "list"], ["drift"], ["outputs"]):
        assert "defendctl init" in project.ok(*command, code=1).err
