"""`compare --against REV`: what the work tree declares differently from a commit, without key and state."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defendctl.operations import at_revision
from defendctl.policy.against import compare_policies, compare_waivers
from defendctl.policy.rules import FlagRate, Policy, Rule
from tests.conftest import custom
from tests.operations.test_checkout import git

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Project

RULE = {"id": "floor", "level": "deny", "min_threshold": {"completeness": 0.7}}


def bot(threshold: float, **more: Any) -> Any:
    return custom(metrics={"completeness": threshold}, **more)


def commit(project: Project) -> str:
    git(project.root, "add", "-A")
    git(project.root, "commit", "-qm", "as it is")
    return git(project.root, "rev-parse", "HEAD")


@pytest.fixture
def repository(offline: Project) -> Project:
    """One workflow at 0.9, committed; nobody listens, there is no state, and no key."""
    offline.env["DEEPRAILS_API_KEY"] = ""
    git(offline.root, "init", "-q", "-b", "main")
    offline.settings()
    offline.declare({"a": bot(0.9)})
    commit(offline)
    return offline


def compared(project: Project, *more: str) -> Any:
    return project.json("compare", "--against", "HEAD", *more).json


def besides(project: Project) -> dict[str, str]:
    return {one["what"]: one["direction"] for one in compared(project).get("besides", [])}


def test_what_is_looser_is_said_and_in_every_format(repository: Project) -> None:
    same = repository.ok("compare", "--against", "HEAD", "--detailed-exitcode")
    assert same.out.endswith("the work tree does not differ from HEAD: 1 workflow alike.\n")
    repository.declare({"a": bot(0.7), "b": bot(0.5)})
    text = repository.ok("compare", "--against", "HEAD", "--detailed-exitcode", code=2).out
    assert "metrics.completeness  0.9 -> 0.7  loosens" in text
    assert "the work tree is looser than HEAD in 1; 1 only in the work tree; 0 alike." in text
    assert (
        "| `metrics.completeness` | `0.9` → `0.7` | **loosens** |"
        in repository.ok("compare", "--against", "HEAD", "--format", "markdown").out
    )
    assert compared(repository)["summary"]["loosens"] == 1


def test_a_policy_that_is_weakened_comes_first(repository: Project) -> None:
    repository.settings(policy={"rules": [RULE]})
    commit(repository)
    repository.settings(policy={"rules": [{**RULE, "level": "warn"}]})
    assert besides(repository) == {"rule floor": "loosens"}
    text = repository.ok("compare", "--against", "HEAD").out
    assert text.splitlines()[-1].startswith("1 of the policy's rules and waivers let more pass. ")
    assert repository.ok("compare", "--against", "HEAD", "--detailed-exitcode", code=2)


def test_a_policy_in_a_file_of_its_own(repository: Project) -> None:
    file = repository.root / "policies" / "all.yaml"
    file.parent.mkdir()
    file.write_text(json.dumps({"version": 1, "rules": [RULE]}))
    repository.settings(policy={"include": ["policies"]})
    commit(repository)
    file.write_text(json.dumps({"version": 1, "rules": [{**RULE, "min_threshold": {"completeness": 0.8}}]}))
    assert besides(repository) == {"rule floor": "tightens"}


def test_a_waiver_lets_pass(repository: Project) -> None:
    repository.settings(policy={"rules": [RULE]})
    commit(repository)
    waiver = {"address": "a", "rule": "floor", "field": "metrics.completeness", "to": 0.5}
    waiver |= {"reason": "a test of billing", "approver": "ann", "expires": "2099-01-01"}
    path = repository.root / "workflows" / "all.yaml"
    path.write_text(json.dumps({"version": 1, "workflows": {"a": bot(0.9)}, "waivers": [waiver]}))
    assert besides(repository) == {"waiver floor for a, metrics.completeness to 0.5": "loosens"}


def test_where_a_plan_would_go(repository: Project) -> None:
    repository.settings(api={"base_url": "https://other.example.com", "key_variable": "DEEPRAILS_OTHER"})
    assert besides(repository) == {"api.base_url": "indeterminate", "api.key_variable": "indeterminate"}


def test_another_place_of_the_state_is_told(repository: Project) -> None:
    """Who moves it may make a plan of an empty one."""
    repository.settings(state={"url": "git+origin?key=one"})
    assert besides(repository)["state.url"] == "indeterminate"
    commit(repository)
    repository.settings(state={"url": "git+origin?key=two"})
    assert besides(repository) == {"state.url": "indeterminate"}


def test_a_rename_is_no_new_workflow(repository: Project) -> None:
    repository.declare({"b": bot(0.8, name="a", renamed_from="a")})
    told = compared(repository)
    assert told["renamed"] == [{"from": "a", "to": "b"}]
    assert [(one["address"], one["direction"]) for one in told["workflows"]] == [("b", "loosens")]


def test_what_is_left_to_the_console(repository: Project) -> None:
    repository.declare({"a": bot(0.9, unmanaged=["description"])})
    [one] = compared(repository)["workflows"]
    assert {field["path"] for field in one["fields"]} >= {"unmanaged"}


def test_an_environment_and_its_overlay(repository: Project) -> None:
    overlay = repository.root / "over" / "staging.yaml"
    overlay.parent.mkdir()
    overlay.write_text(json.dumps({"version": 1, "workflows": {"a": {"metrics": {"completeness": 0.8}}}}))
    repository.settings(environments={"staging": {"overlays": ["over/staging.yaml"]}, "prod": None})
    commit(repository)
    overlay.write_text(json.dumps({"version": 1, "workflows": {"a": {"metrics": {"completeness": 0.5}}}}))
    told = repository.json("compare", "staging", "--against", "HEAD").json
    assert (told["environment"], told["summary"]["loosens"]) == ("staging", 1)
    assert repository.json("compare", "prod", "--against", "HEAD").json["differ"] is False
    repository.ok("compare", "--against", "HEAD", code=64)
    repository.env["DEFENDCTL_ENV"] = "prod"
    assert repository.json("compare", "--against", "HEAD").json["differ"] is False


def test_an_environment_that_was_not_there_yet(repository: Project) -> None:
    repository.settings(environments={"prod": None})
    commit(repository)
    repository.settings(environments={"prod": None, "staging": None})
    told = repository.json("compare", "staging", "--against", "HEAD").json
    assert [one["only_in"] for one in told["workflows"]] == ["the work tree"]


def test_a_project_that_was_not_there_yet(repository: Project) -> None:
    inner = repository.root / "new"
    (inner / "workflows").mkdir(parents=True)
    (inner / "defendctl.yaml").write_text("version: 1\n")
    (inner / "workflows" / "a.yaml").write_text(json.dumps({"version": 1, "workflows": {"a": bot(0.9)}}))
    told = repository.json("-C", "new", "compare", "--against", "HEAD").json
    assert [one["only_in"] for one in told["workflows"]] == ["the work tree"]


def test_manifests_beside_the_project(repository: Project) -> None:
    """The project is a folder of the repository, and shares manifests with others."""
    inner = repository.root / "team"
    inner.mkdir()
    (inner / "defendctl.yaml").write_text(json.dumps({"version": 1, "manifests": ["../workflows/*.yaml"]}))
    commit(repository)
    repository.declare({"a": bot(0.7)})
    told = repository.json("-C", "team", "compare", "--against", "HEAD").json
    assert told["summary"]["loosens"] == 1


def test_no_folder_of_manifests_is_kept_by_git_while_it_is_empty(repository: Project) -> None:
    (repository.root / "workflows" / "all.yaml").unlink()
    commit(repository)
    repository.declare({"a": bot(0.9)})
    assert [one["only_in"] for one in compared(repository)["workflows"]] == ["the work tree"]


def test_a_file_that_is_searched(repository: Project) -> None:
    repository.settings(api={"uploads": True})
    (repository.root / "docs").mkdir()
    (repository.root / "docs" / "refunds.md").write_text("thirty days")
    repository.declare({"a": bot(0.9, file_search=[{"path": "docs/refunds.md"}])})
    commit(repository)
    assert compared(repository)["differ"] is False
    (repository.root / "docs" / "refunds.md").write_text("ten days")
    [one] = compared(repository)["workflows"]
    assert [field["path"] for field in one["fields"]] == ["file_search"]


def test_what_is_wrong_in_the_commit_is_named_there(repository: Project) -> None:
    repository.declare({"a": {**bot(0.9), "improvement_action": "nonsense"}})
    commit(repository)
    repository.declare({"a": bot(0.9)})
    assert "HEAD:workflows/all.yaml:1:" in repository.ok("compare", "--against", "HEAD", code=1).err


@pytest.mark.parametrize("revision", ["nowhere", "--output=x", "HEAD:workflows", "HEAD\n", "\x1b[31m"])
def test_what_is_no_commit(repository: Project, revision: str) -> None:
    ran = repository.run("compare", f"--against={revision}")
    assert ran.code == 1
    assert "\x1b" not in ran.err


def test_no_repository_at_all(offline: Project) -> None:
    offline.settings()
    offline.declare({"a": bot(0.9)})
    assert "not a git repository" in offline.ok("compare", "--against", "HEAD", code=1).err


@pytest.mark.parametrize("words", [["a", "b", "--against", "HEAD"], ["a"], []], ids=" ".join)
def test_one_environment_or_two(repository: Project, words: list[str]) -> None:
    repository.ok("compare", *words, code=64)


def test_nothing_is_checked_out_and_nothing_of_the_repository_runs(repository: Project) -> None:
    trap = repository.root / "trap"
    trap.write_text("#!/bin/sh\ntouch trapped\ncat\n")
    trap.chmod(0o755)
    (repository.root / ".gitattributes").write_text("*.yaml filter=evil diff=evil\n")
    for name in ("filter.evil.smudge", "diff.evil.textconv", "core.fsmonitor"):
        git(repository.root, "config", name, str(trap))
    git(repository.root, "config", "core.hooksPath", str(repository.root))
    before = {p: p.stat().st_mtime_ns for p in repository.root.rglob("*") if p.is_file()}
    repository.declare({"a": bot(0.7)})
    del before[repository.root / "workflows" / "all.yaml"]
    compared(repository)
    assert {p: p.stat().st_mtime_ns for p in before} == before
    assert not list(repository.root.rglob("trapped"))


def tree_of(project: Project, entries: list[tuple[str, str, str]]) -> str:
    """A commit as no git would make it: mode, name and content; a name of `x/…` is one name with a slash."""
    made = b""
    for mode, name, content in entries:
        blob = subprocess.run(
            ["git", "hash-object", "-w", "--stdin"],
            cwd=project.root,
            input=content.encode(),
            capture_output=True,
            check=True,
        ).stdout.strip()
        made += mode.encode() + b" " + name.encode() + b"\0" + bytes.fromhex(blob.decode())
    tree = subprocess.run(
        ["git", "hash-object", "-w", "-t", "tree", "--literally", "--stdin"],
        cwd=project.root,
        input=made,
        capture_output=True,
        check=True,
    ).stdout.decode()
    return git(project.root, "commit-tree", "-m", "by hand", tree.strip())


MANIFEST = json.dumps({"version": 1, "workflows": {"evil": bot(0.1)}})


@pytest.mark.parametrize(
    "entries",
    [
        [("100644", "../escaped.yaml", "version: 1")],
        [("100644", "workflows/../../escaped.yaml", "version: 1")],
        [("100644", ".git/escaped.yaml", "version: 1"), ("100644", ".GIT/escaped.yaml", "version: 1")],
        [("120000", "out", "{outside}"), ("100644", "out/escaped.yaml", "version: 1")],
        [("100644", "/escaped.yaml", "version: 1")],
        [("120000", "workflows", "/"), ("100644", "x.yaml", "")],
        [("120000", "workflows", "{outside}")],
        [("120000", "defendctl.yaml", "{outside}/secret.yaml")],
    ],
    ids=lambda entries: entries[0][1],
)
def test_a_commit_made_by_hand_writes_nowhere_and_reads_nothing(
    repository: Project, entries: list[tuple[str, str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.yaml").write_text("password: hunter2\n")
    made = tree_of(repository, [(m, n, c.replace("{outside}", str(outside))) for m, n, c in entries])
    ran = repository.run("compare", "--against", made)
    assert ran.code in (0, 1)
    assert "hunter2" not in ran.out + ran.err
    assert [path.name for path in outside.rglob("*")] == ["secret.yaml"]
    assert not list(repository.root.parent.rglob("escaped.yaml"))


def test_names_that_a_terminal_would_obey(repository: Project) -> None:
    made = tree_of(repository, [("100644", "workflows\x1b[31m.yaml", MANIFEST), ("100644", "a\n.yaml", "x")])
    ran = repository.run("compare", "--against", made)
    assert "\x1b" not in ran.out + ran.err


@pytest.mark.parametrize(("limit", "most"), [("MOST_FILES", 1), ("MOST_BYTES", 10)])
def test_more_than_is_read(
    repository: Project, limit: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(at_revision, limit, most)
    assert "more YAML" in repository.ok("compare", "--against", "HEAD", code=1).err


def test_nothing_is_left_behind(repository: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (scratch := tmp_path / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    compared(repository)
    assert not list(scratch.iterdir())


def rule(check: str, limit: Any, level: str = "deny", **more: Any) -> Policy:
    return Policy((Rule("r", level, check, limit, **more),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("check", "old", "new", "way"),
    [
        ("min_threshold", {"x": 0.5}, {"x": 0.4}, "loosens"),
        ("min_threshold", {"x": 0.5}, {"x": 0.6}, "tightens"),
        ("min_threshold", {"x": 0.5}, {"x": 0.6, "y": 0.1}, "tightens"),
        ("min_threshold", {"x": 0.5, "y": 0.1}, {"x": 0.6}, "loosens"),
        ("require_metrics", ["x"], ["x", "y"], "tightens"),
        ("require_metrics", ["x", "z"], ["x", "y"], "loosens"),
        ("allow_types", ["custom"], ["custom", "automatic"], "loosens"),
        ("allow_types", ["custom", "automatic"], ["custom"], "tightens"),
        ("min_retries", 3, 2, "loosens"),
        ("max_retries", 3, 2, "tightens"),
        ("max_creates", 3, 5, "loosens"),
        ("max_threshold_step", 0.1, 0.05, "tightens"),
        ("max_flag_rate", 0.1, 0.2, "loosens"),
        ("max_flag_rate", FlagRate(0.1, 0.95), FlagRate(0.2, 0.95), "loosens"),
        ("max_flag_rate", FlagRate(0.1, 0.95), FlagRate(0.1, 0.99), "tightens"),
        ("max_flag_rate", FlagRate(0.1, 0.95), 0.1, "loosens"),
        ("max_flag_rate", 0.1, FlagRate(0.1, 0.95), "tightens"),
        ("max_flag_rate", FlagRate(0.1, 0.95), FlagRate(0.2, 0.99), "loosens"),
        ("no_loosening", True, False, "loosens"),
        ("no_retire", False, True, "tightens"),
        ("capabilities", {"web_search": True}, {"web_search": False}, "indeterminate"),
    ],
)
def test_the_direction_of_a_rule(check: str, old: Any, new: Any, way: str) -> None:
    [found] = compare_policies(rule(check, old), rule(check, new))
    assert found.direction == way


def test_a_rule_that_comes_goes_or_is_another() -> None:
    there = rule("max_creates", 3)
    assert [one.direction for one in compare_policies(Policy(), there)] == ["tightens"]
    assert [one.direction for one in compare_policies(there, Policy())] == ["loosens"]
    assert [one.direction for one in compare_policies(there, rule("max_changes", 3))] == ["indeterminate"]
    assert [one.direction for one in compare_policies(there, rule("max_creates", 3, "warn"))] == ["loosens"]
    assert list(compare_policies(there, rule("max_creates", 3, message="other words"))) == []


LIMITS = st.integers(0, 9)


@given(st.sampled_from(["min_retries", "max_retries", "max_creates"]), LIMITS, LIMITS)
def test_there_and_back_is_the_other_way(check: str, one: int, other: int) -> None:
    opposite = {"loosens": "tightens", "tightens": "loosens"}
    there = [found.direction for found in compare_policies(rule(check, one), rule(check, other))]
    back = [found.direction for found in compare_policies(rule(check, other), rule(check, one))]
    assert [opposite[way] for way in there] == back
    assert (there == []) == (one == other)
    assert list(compare_waivers((), ())) == []
