"""plan --no-refresh: for pull requests that may not see the key. No request, no digest, nothing to apply."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conftest import GENERATIONS, custom

if TYPE_CHECKING:
    from tests.conftest import Project, World


@pytest.fixture
def changed(project: Project) -> Project:
    """One workflow loosened in git, one drifted, one to create, one to retire."""
    project.declare({name: custom(max_retries=5) for name in ("loosened", "drifted", "retired", "kept")})
    project.apply()
    project.server.edit(project.bound("drifted"), name="edited in the console")
    project.declare(
        {
            "loosened": custom(metrics={"completeness": 0.1}, max_retries=5),
            "drifted": custom(max_retries=5),
            "kept": custom(max_retries=5),
            "new": custom(),
        }
    )
    project.server.forget_requests()
    return project


def test_it_compares_with_what_was_applied(changed: Project) -> None:
    del changed.env["DEEPRAILS_API_KEY"]
    ran = changed.plan("--no-refresh")
    assert ran.actions() == {"loosened": "update", "new": "create", "retired": "retire"}
    field = ran.field("loosened", "metrics.completeness")
    assert (field["basis"], field["before"], field["direction"]) == ("applied", field["applied"], "loosens")
    assert ran.json["digest"] is None
    assert changed.server.requests() == []


def test_its_text_says_so(changed: Project) -> None:
    out = changed.ok("plan", "--no-refresh").out
    assert "live not read" in out.splitlines()[0]
    assert "No digest" in out
    assert "sha256:" not in out


def test_it_cannot_be_applied(changed: Project) -> None:
    changed.ok("plan", "--no-refresh", "--out", "p.json")
    before = changed.state_bytes()
    refused = changed.ok("apply", "p.json", code=6)
    assert "made with --no-refresh" in refused.err
    assert changed.state_bytes() == before
    assert changed.server.requests() == []


@pytest.mark.parametrize("generation", GENERATIONS)
def test_what_is_settled_is_empty(world: World, generation: str) -> None:
    project = world(generation=generation)
    project.pin(generation)
    project.declare({"a": custom(max_retries=3), "b": custom()})
    project.apply()
    assert project.plan("--no-refresh", "--detailed-exitcode").json["changes"] == []


def test_an_unknown_create_is_told_all_the_same(project: Project) -> None:
    project.declare({"a": custom()})
    project.server.fault("lost-after", "POST")
    project.apply(code=7)
    assert project.plan("--no-refresh", code=7).actions() == {"a": "blocked"}
