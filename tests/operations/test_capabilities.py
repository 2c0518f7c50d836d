"""A capability that is on and that no manifest can speak of: told wherever what is live is looked at."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from defendctl.api.decode import observe
from tests.conftest import KEY, custom

if TYPE_CHECKING:
    from tests.conftest import Project

NEW = "deep_think"
SAID = "only the console can change it"


@pytest.fixture
def live(project: Project) -> Project:
    """`a` is as declared, but for a capability of tomorrow that somebody switched on in the console."""
    project.declare({"a": custom()})
    project.apply()
    switched_on(project, [{"capability": NEW}])
    return project


def switched_on(project: Project, capabilities: Any) -> None:
    project.server.heal()
    url = f"{project.server.url}/defend/{project.bound('a')}"
    told = httpx.get(url, headers={"Authorization": f"Bearer {KEY}"}, trust_env=False).json()
    body = json.dumps({**told, "capabilities": capabilities})
    project.server.fault("body", "GET", path=f"/defend/{project.bound('a')}$", body=body, times=None)


def test_plan_tells_it_and_does_nothing_about_it(live: Project) -> None:
    ran = live.plan("--detailed-exitcode")
    change = ran.change("a")
    assert (change["action"], change["direction"], ran.json["summary"]["drift"]) == (
        "none",
        "indeterminate",
        1,
    )
    field = ran.field("a", f"capabilities.{NEW}")
    assert (field["before"], field["after"], field["origin"]) == (True, False, "drift")
    for form in ("text", "markdown", "github"):
        out = live.ok("plan", "--format", form).out
        assert f"capabilities.{NEW}" in out
        assert SAID in out
    assert live.apply().json["results"] == []


def test_drift_is_2_until_it_is_ignored(live: Project) -> None:
    [entry] = live.json("drift", code=2).json["workflows"]
    [field] = entry["fields"]
    assert (entry["direction"], field["path"]) == ("indeterminate", f"capabilities.{NEW}")
    assert SAID in field["note"]
    assert SAID in live.ok("drift", "--write", code=2).out
    live.ok("drift", "--ignore", "capabilities")
    live.ok("drift", "--ignore", f"capabilities.{NEW}")
    live.ok("drift", "--ignore", "capabilities.other", code=2)


def test_show_and_its_provenance(live: Project) -> None:
    for option in ([], ["--provenance"]):
        assert f"capabilities.{NEW}" in live.ok("show", "a", *option).out
    [row] = [row for row in live.json("show", "a").json["fields"] if row["path"] == f"capabilities.{NEW}"]
    assert (row["desired"], row["live"], row["applied"], row["basis"]) == (None, True, None, "live")


def test_doctor(live: Project) -> None:
    assert f"a: it has capabilities that no manifest can declare: {NEW}" in live.ok("doctor").out


def test_verify_proves_nothing_beside_it(live: Project) -> None:
    live.server.give(live.bound("a"), {"event_id": "evt_1"})
    url = f"{live.server.url}/defend/{live.bound('a')}/events/evt_1"
    told = httpx.get(url, headers={"Authorization": f"Bearer {KEY}"}, trust_env=False).json()
    live.server.heal()
    live.ok("verify", "a")
    body = json.dumps({**told, "capabilities": [{"capability": NEW}]})
    live.server.fault("body", "GET", path="/events/evt_1$", body=body, times=None)
    assert f"capabilities.{NEW}" in live.ok("verify", "a", code=2).out


def test_another_change_is_applied_beside_it(live: Project) -> None:
    live.declare({"a": custom(description="new")})
    ran = live.plan()
    assert ran.change("a")["action"] == "update"
    live.server.heal()
    live.declare({"a": custom(description="new")})
    saved = live.root / "plan.json"
    live.ok("plan", "--out", str(saved))
    switched_on(live, [{"capability": NEW}])
    assert live.ok("apply", str(saved), code=6).out == "", "it was switched on after the plan was made"


SPELLINGS: list[tuple[Any, set[str]]] = [
    ([], set()),
    (None, set()),
    ("deep_think", set()),
    ([{"capability": "web_search"}, {"capability": "file_search"}, "context_awareness"], set()),
    (
        [{"capability": "deep_think"}, "deep_think", {"capability": "Web_Search"}],
        {"deep_think", "Web_Search"},
    ),
    ([{}, None, 5, [1]], {"(no name)", "5", "(a list)"}),
]


@pytest.mark.parametrize(("listed", "unknown"), SPELLINGS)
def test_an_open_set(listed: Any, unknown: set[str]) -> None:
    assert observe({"workflow_id": "w", "capabilities": listed}).capabilities == unknown


def test_more_than_any_workflow_has() -> None:
    listed = [{"capability": f"c{n}"} for n in range(101)]
    with pytest.raises(ValueError, match="more than 100 capabilities"):
        observe({"workflow_id": "w", "capabilities": listed})
