"""Clones of one repository on one ref of its remote: each sees what any of them did, an old one too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conftest import Project, custom
from tests.state.forge import REF, Forge, run_git

if TYPE_CHECKING:
    from pathlib import Path

URL = "git+origin?key=checkout"
ENVIRONMENTS = ("staging", "production")


@pytest.fixture
def forge(tmp_path: Path) -> Forge:
    return Forge(tmp_path / "forge")


@pytest.fixture
def first(project: Project, forge: Forge) -> Project:
    """A clone with the project in it, committed and pushed; its state begins with the first apply."""
    clone = Project(forge.clone(), project.server, project.env)
    clone.settings(state={"url": URL})
    clone.declare({"bot": custom()})
    clone.apply("--new-state")
    push(clone, "begun")
    return clone


def push(clone: Project, message: str) -> None:
    run_git(clone.root, "add", "--all", "--", "defendctl.yaml", "workflows")
    run_git(clone.root, "commit", "--quiet", "--message", message)
    run_git(clone.root, "push", "--quiet", "origin", "HEAD:refs/heads/main")


def second(first: Project, forge: Forge) -> Project:
    clone = Project(forge.clone(), first.server, first.env)
    run_git(clone.root, "fetch", "--quiet", "origin", "main")
    run_git(clone.root, "checkout", "--quiet", "-B", "main", "FETCH_HEAD")
    return clone


def test_nothing_of_the_state_is_a_file_of_the_repository(first: Project, forge: Forge) -> None:
    assert REF in forge.refs()
    assert run_git(first.root, "ls-files").split() == ["defendctl.yaml", "workflows/all.yaml"]
    assert {path.name for path in first.root.iterdir()} == {
        ".defendctl",
        ".git",
        "defendctl.yaml",
        "workflows",
    }
    assert first.ok("state", "paths").out == ""


def test_two_clones_make_nothing_twice(first: Project, forge: Forge) -> None:
    other = second(first, forge)
    other.assert_settled()
    other.declare({"bot": custom(), "more": custom()})
    assert other.apply().results() == {"more": "done"}
    push(other, "more")
    first.declare({"bot": custom(), "more": custom()})
    first.assert_settled()
    assert first.server.count("POST") == 2
    assert first.json("outputs").json == other.json("outputs").json


def test_a_clone_on_an_old_commit_loosens_nothing_unsaid(first: Project, forge: Forge) -> None:
    old = second(first, forge)
    first.declare({"bot": custom(metrics={"completeness": 0.95}), "more": custom()})
    push(first, "tightened")
    first.apply()
    run_git(old.root, "fetch", "--quiet", "origin", "main")
    refused = old.run("apply", "--yes")
    assert refused.code == 6
    assert "--older-checkout" in refused.err
    assert "older" in " ".join(one["code"] for one in old.plan().json["diagnostics"])
    assert first.server.count("POST") == 2
    first.assert_settled()


def test_three_clones_of_two_environments_make_nothing_twice_and_commit_no_state(
    project: Project, forge: Forge
) -> None:
    """The third stays on an old commit; whoever commits everything commits nothing of a state."""
    first = Project(forge.clone(), project.server, project.env)
    first.ok("init")
    for path in (first.state_file, *(first.root / "workflows").iterdir()):
        path.unlink()
    first.settings(environments={env: {"state": {"url": f"git+origin?key={env}"}} for env in ENVIRONMENTS})
    first.declare({"bot": custom(metrics={"completeness": 0.5})})
    for env in ENVIRONMENTS:
        first.apply("--env", env, "--new-state")
    commit_all(first)
    old, other = second(first, forge), second(first, forge)
    other.declare({"bot": custom(metrics={"completeness": 0.9}), "more": custom()})
    commit_all(other)
    for env in ENVIRONMENTS:
        assert other.apply("--env", env).results() == {"bot": "done", "more": "done"}
    run_git(first.root, "pull", "--quiet", "origin", "main")
    run_git(old.root, "fetch", "--quiet", "origin", "main")
    for env in ENVIRONMENTS:
        assert first.apply("--env", env).json["results"] == []
        refused = old.run("apply", "--yes", "--env", env)
        assert refused.code == 6
        assert "--older-checkout" in refused.err
    assert first.server.count("POST") == 4
    for clone in (first, other, old):
        held = run_git(clone.root, "ls-files", "--others", "--cached", "--exclude-standard").split()
        assert not [path for path in held if "state" in path or path.startswith(".defendctl")], held


def commit_all(clone: Project) -> None:
    """As whoever looks at nothing does it."""
    run_git(clone.root, "add", "--all")
    run_git(clone.root, "commit", "--quiet", "--message", "everything")
    run_git(clone.root, "push", "--quiet", "origin", "HEAD:refs/heads/main")


def test_a_state_moves_from_its_file_into_the_ref_and_back(project: Project, forge: Forge) -> None:
    clone = Project(forge.clone(), project.server, project.env)
    clone.declare({"bot": custom()})
    clone.settings()
    clone.apply("--new-state")
    before = clone.json("outputs").json
    moved = clone.json("state", "migrate", "--to", URL).json
    assert clone.run("plan").code == 6
    (clone.root / "defendctl.yaml").write_text("version: 1\n" + moved["project_file"])
    assert clone.json("outputs").json == before
    clone.assert_settled()
    back = clone.json("state", "migrate", "--to", "defendctl.state.json").json
    refused = clone.run("plan")
    assert refused.code == 6
    assert "moved to defendctl.state.json" in refused.err
    (clone.root / "defendctl.yaml").write_text("version: 1\n" + back["project_file"])
    assert clone.json("outputs").json == before
    assert clone.json("state", "migrate", "--to", URL).json["now"]


def test_pull_push_and_versions_of_the_ref(first: Project) -> None:
    first.ok("state", "pull", "--output", "kept.json")
    first.declare({"bot": custom(), "more": custom()})
    first.apply()
    assert first.run("state", "push", "kept.json").code == 6
    first.ok("state", "push", "kept.json", "--restore")
    assert set(first.json("outputs").json["outputs"]) == {"bot"}
    versions = first.json("state", "versions").json["versions"]
    assert [one["serial"] for one in versions] == sorted((one["serial"] for one in versions), reverse=True)
    assert len(versions) > 1


def test_offline_and_a_remote_that_is_gone(first: Project, forge: Forge) -> None:
    forge.bare.rename(forge.bare.with_name("gone"))
    assert first.run("outputs").code == 1
    assert set(first.json("outputs", "--offline").json["outputs"]) == {"bot"}
    assert first.run("apply", "--yes").code == 1


def test_an_id_that_was_left_is_named_until_somebody_takes_it(first: Project, forge: Forge) -> None:
    live = first.server.add(name="late")
    forge.backend().leave("0123abcd", live)
    for command in ("plan", "state list", "doctor", "apply --yes"):
        ran = first.run(*command.split())
        assert ran.code == 7, (command, ran)
        assert live in ran.out + ran.err, command
    first.declare({"bot": custom(), "late": custom()})
    refused = first.run("apply", "--yes")
    assert refused.code == 7
    assert "nothing is created" in refused.err
    assert first.server.count("POST") == 1
    assert f"late remembers {live}" in first.ok("state", "resolve", "late", "--id", live).out
    assert first.plan().actions() == {"late": "adopt"}
    first.apply()
    first.assert_settled()
    assert first.server.count("POST") == 1


def test_an_id_that_was_left_may_be_forgotten(first: Project, forge: Forge) -> None:
    forge.backend().leave("0123abcd", "wkfl_late")
    assert first.ok("state", "rm", "wkfl_late").out == "wkfl_late\n"
    assert first.run("state", "list").code == 0


def test_doctor_tells_of_the_place(first: Project) -> None:
    said = first.ok("doctor").out
    assert URL in said
    assert "nobody holds it" in said
