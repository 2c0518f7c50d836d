"""At most one create: every answer to a POST, what is recorded of it, and what blind re-runs do."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest

from defendctl.api.patience import BUDGET
from defendctl.engine.apply import UNKNOWN_LIMIT
from tests.conftest import custom

if TYPE_CHECKING:
    from tests.conftest import Project

THREE = {name: custom() for name in ("a", "b", "c")}
MIDDLE_FIRST = [
    pytest.param(1, id="middle"),
    pytest.param(0, id="first", marks=pytest.mark.slow),
    pytest.param(2, id="last", marks=pytest.mark.slow),
]

REFUSED = (400, 404, 405, 413, 414, 415, 422, 431)
KEY_REFUSED = (401, 403)
REDIRECTS_NOT_TAKEN = (307, 308)
UNKNOWN_STATUS = (301, 302, 303, 304, 408, 409, 418, 425, 451, 500, 501, 502, 503, 504, 599)

NOT_AN_ID: tuple[Any, ...] = (
    "",
    " ",
    ".",
    "..",
    "a b",
    "a\nb",
    "a\u0007b",
    "\u00a0",
    "x" * 257,
    12,
    None,
    ["x"],
    {},
)
UNKNOWN: dict[str, dict[str, Any]] = {
    **{f"{status}": {"kind": "status", "status": status} for status in UNKNOWN_STATUS},
    **{f"{status}-after-commit": {"kind": "status-after", "status": status} for status in (303, 409, 500)},
    "lost": {"kind": "lost"},
    "lost-after-commit": {"kind": "lost-after"},
    "late": {"kind": "slow-after", "seconds": 3},
    "dripping": {"kind": "drip", "seconds": 0.1},
    "truncated": {"kind": "truncated"},
    "oversized": {"kind": "oversized", "bytes": 9 << 20},
    "compressed": {"kind": "gzip"},
    "bomb": {"kind": "gzip", "bytes": 1 << 30},
    "html": {"kind": "not-json"},
    "no-id": {"kind": "no-id"},
    "empty": {"kind": "body", "body": ""},
    "list": {"kind": "body", "body": "[]"},
    "text": {"kind": "body", "body": '"wkfl_1"'},
    "deep": {"kind": "body", "body": "[" * 100_000},
    "huge-number": {"kind": "body", "body": "9" * 10_000},
    "wrapped": {"kind": "body", "body": '{"data": {"workflow_id": "wkfl_1"}}'},
    "204": {"kind": "status-after", "status": 204},
    **{
        f"id-{json.dumps(value)[:12]}": {"kind": "body", "body": json.dumps({"workflow_id": value})}
        for value in NOT_AN_ID
    },
}


@pytest.mark.parametrize("position", MIDDLE_FIRST)
@pytest.mark.parametrize("name", UNKNOWN)
def test_unknown(project: Project, name: str, position: int) -> None:
    hit, others = _hit(position)
    fault = UNKNOWN[name]
    project.declare(THREE)
    project.server.fault(method="POST", skip=position, **fault)

    ran = project.apply("--parallelism", "1", "--timeout", "1.5", code=7)

    assert ran.results() == {hit: "unknown", **dict.fromkeys(others, "done")}
    assert ran.result(hit)["workflow_id"] is None
    assert ran.result(hit)["error"]
    assert list(project.state["unresolved"]) == [hit]
    assert list(project.state["bindings"]) == others
    assert not project.journal.exists()
    assert project.server.count("POST") == 3
    committed = fault["kind"] not in ("lost", "status")
    assert project.server.names() == sorted([*others, *[hit] * committed])
    assert f"defendctl state resolve {hit} --id WORKFLOW_ID" in ran.err
    assert f"defendctl state resolve {hit} --not-created" in ran.err

    before = project.state_bytes()
    for _ in range(3):
        again = project.apply(code=7)
        assert again.results() == {hit: "not_attempted"}
        assert f"defendctl state resolve {hit} --not-created" in again.err
    assert project.plan(code=7).actions() == {hit: "blocked"}
    assert project.server.count("POST") == 3
    assert project.state_bytes() == before


@pytest.mark.parametrize("position", MIDDLE_FIRST)
@pytest.mark.parametrize("status", [*REFUSED, *REDIRECTS_NOT_TAKEN])
def test_refused(project: Project, status: int, position: int) -> None:
    hit, others = _hit(position)
    project.declare(THREE)
    headers = {"location": f"{project.server.url}/defend/elsewhere"} if status < 400 else {}
    project.server.fault("status", "POST", skip=position, status=status, headers=headers)

    ran = project.apply("--parallelism", "1", code=4)

    assert ran.results() == {hit: "failed", **dict.fromkeys(others, "done")}
    assert str(status) in ran.result(hit)["error"]
    _assert_nothing_left(project, hit, others)
    assert project.server.count("POST") == 3
    assert not any("elsewhere" in each["path"] for each in project.server.requests())
    _assert_next_run_creates(project, hit, posts=4)


@pytest.mark.parametrize("status", KEY_REFUSED)
def test_a_refused_key_ends_the_run(project: Project, status: int) -> None:
    project.declare(THREE)
    project.server.fault("status", "POST", status=status)

    ran = project.apply("--parallelism", "1", code=3)

    assert ran.results() == {"a": "failed", "b": "not_attempted", "c": "not_attempted"}
    assert project.server.count("POST") == 1
    assert project.apply().results() == {"a": "done", "b": "done", "c": "done"}


@pytest.mark.parametrize("after", ["0", "1", "date", None, "nonsense", "-5"])
def test_429_is_waited_out(project: Project, pauses: list[float], after: str | None) -> None:
    project.declare(THREE)
    if after == "date":
        after = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    headers = {} if after is None else {"retry-after": after}
    project.server.fault("status", "POST", status=429, headers=headers)

    project.apply("--parallelism", "1")

    assert after != "1" or max(pauses) > 0.9
    assert project.server.count("POST") == 4
    assert project.server.names() == ["a", "b", "c"]
    project.assert_settled()


@pytest.mark.parametrize("after", ["61", "86400", "inf", "1e30", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_429_that_asks_too_much(project: Project, pauses: list[float], after: str) -> None:
    project.declare({"a": custom()})
    project.server.fault("status", "POST", status=429, headers={"retry-after": after})

    ran = project.apply(code=1)

    assert sum(pauses) < 5
    assert ran.results() == {"a": "failed"}
    assert project.server.count("POST") == 1
    _assert_next_run_creates(project, "a", posts=2)


def test_429_for_ever(project: Project) -> None:
    project.declare({"a": custom()})
    project.server.fault("status", "POST", status=429, times=None, headers={"retry-after": "0"})
    ran = project.apply(code=1)
    assert ran.results() == {"a": "failed"}
    assert project.server.count("POST") == 3
    _assert_nothing_left(project, "a", [])


def test_429_holds_back_everybody(project: Project) -> None:
    project.declare({f"w{n}": custom() for n in range(12)})
    project.server.fault("status", "POST", status=429, headers={"retry-after": "1"})
    project.apply("--parallelism", "10")
    assert len(project.server.workflows()) == 12
    project.assert_settled()


def test_no_connection_means_nothing_was_sent(project: Project, unused_port: int) -> None:
    project.env["DEEP_RAILS_BASE_URL"] = f"http://127.0.0.1:{unused_port}"
    project.declare(THREE)
    ran = project.apply(code=1)
    assert set(ran.results().values()) == {"failed"}
    assert "nothing was sent" in ran.result("a")["error"]
    assert not project.journal.exists()
    assert not project.state_file.exists() or not project.state["unresolved"]


def test_no_connection_is_given_up_in_time(project: Project, pauses: list[float], unused_port: int) -> None:
    project.env["DEEP_RAILS_BASE_URL"] = f"http://127.0.0.1:{unused_port}"
    project.declare({f"w{n:03}": custom() for n in range(200)})
    project.apply(code=1)
    each = 1 + UNKNOWN_LIMIT  # a failure holds back whoever creates beside it, too
    assert len(pauses) <= each * BUDGET, "three tries of each would be six hundred"


def test_an_unknown_name_is_not_sent(project: Project) -> None:
    project.env["DEEP_RAILS_BASE_URL"] = "https://api.invalid"
    project.declare({"a": custom()})
    ran = project.apply(code=1)
    assert "nothing was sent" in ran.result("a")["error"]


@pytest.mark.parametrize("remembered", [False, True], ids=["bound", "retired"])
def test_an_id_that_we_have_already(project: Project, remembered: bool) -> None:
    project.declare({"old": custom()})
    project.apply()
    taken = project.bound("old")
    declared = {} if remembered else {"old": custom()}
    if remembered:
        project.declare({"other": custom()})
        project.apply("--target", "old")
    project.server.fault("body", "POST", body=json.dumps({"workflow_id": taken}))
    project.declare({**declared, "new": custom()})

    ran = project.apply("--target", "new", code=7)

    assert ran.results() == {"new": "unknown"}
    assert taken in ran.result("new")["error"]
    assert list(project.state["unresolved"]) == ["new"]
    assert project.run("state", "resolve", "new", "--id", taken, "--now").code == 6


@pytest.mark.parametrize("parallelism", [1, 2, 3, 10, 50])
def test_at_most_three_unknown(project: Project, parallelism: int) -> None:
    project.declare({f"w{n:02}": custom() for n in range(20)})
    project.server.fault("status-after", "POST", status=500, times=None)

    ran = project.apply("--parallelism", str(parallelism), code=7)

    assert ran.json["summary"] == {"done": 0, "failed": 0, "unknown": 3, "not_attempted": 17}
    assert project.server.count("POST") == len(project.server.workflows()) == 3
    assert len(project.state["unresolved"]) == 3


def test_two_unknown_and_the_others_go_on(project: Project) -> None:
    project.declare({f"w{n:02}": custom() for n in range(20)})
    project.server.fault("lost-after", "POST", skip=3, times=2)
    ran = project.apply("--parallelism", "10", code=7)
    assert ran.json["summary"] == {"done": 18, "failed": 0, "unknown": 2, "not_attempted": 0}
    assert len(project.server.workflows()) == 20


@pytest.mark.parametrize("workflow_id", ["a/b", "ü", "%2e%2e", "x?y#z", "a\\b", "x" * 256, "...", "\u202eid"])
def test_any_usable_id_works(project: Project, workflow_id: str) -> None:
    """Opaque, so kept and escaped whatever it looks like."""
    project.declare({"odd": custom()})
    project.server.add(workflow_id=workflow_id, name="odd", metrics={"completeness": 0.5})
    project.ok("import", "odd", workflow_id)
    project.apply()
    assert project.server.workflow(workflow_id)["metrics"] == {"completeness": 0.8}
    assert project.bound("odd") == workflow_id
    project.assert_settled()


def test_a_create_that_reads_back_different_is_bound_and_failed(project: Project) -> None:
    project.declare({"a": custom()})
    ids = [project.server.add(name="a", metrics={"completeness": 0.1})]
    project.server.fault("body", "POST", body=json.dumps({"workflow_id": ids[0]}))
    ran = project.apply(code=1)
    assert ran.results() == {"a": "failed"}
    assert ran.result("a")["workflow_id"] == ids[0]
    assert "metrics.completeness" in ran.result("a")["error"]
    assert project.bound("a") == ids[0]
    project.apply()
    project.assert_settled()


@pytest.mark.parametrize("status", [200, 201, 202, 299])
def test_any_2xx_with_an_id_is_created(project: Project, status: int) -> None:
    project.declare({"a": custom()})
    made = project.server.add(name="a", metrics={"completeness": 0.8}, improvement_action="fixit")
    body = json.dumps({"workflow_id": made, "status": "brand new", "more": [None]})
    project.server.fault("status", "POST", status=status, body=body)
    assert project.apply().results() == {"a": "done"}
    assert project.bound("a") == made


def test_a_create_that_cannot_be_read_back_is_done_with_a_warning(project: Project) -> None:
    project.declare({"a": custom()})
    project.server.fault("status", "GET", status=500, times=None)
    ran = project.apply()
    assert ran.results() == {"a": "done"}
    assert "could not be read back" in ran.err
    project.server.heal()
    project.assert_settled()


def test_each_answer_is_recorded_before_the_next_post(project: Project) -> None:
    """Whatever was refused or lost leaves the two-way mixture of results as it was."""
    project.declare({name: custom() for name in "abcd"})
    project.server.fault("status", "POST", status=422, skip=1)
    project.server.fault("status", "POST", status=500, skip=2)
    ran = project.apply("--parallelism", "1", code=7)
    assert sorted(ran.results().values()) == ["done", "done", "failed", "unknown"]


def _hit(position: int) -> tuple[str, list[str]]:
    hit = "abc"[position]
    return hit, [name for name in "abc" if name != hit]


def _assert_nothing_left(project: Project, hit: str, others: list[str]) -> None:
    assert project.state["unresolved"] == {}
    assert sorted(project.state["bindings"]) == others
    assert hit not in project.server.names()
    assert not project.journal.exists()


def _assert_next_run_creates(project: Project, hit: str, posts: int) -> None:
    assert project.apply().results() == {hit: "done"}
    before = project.state_bytes()
    for _ in range(2):
        assert project.apply().results() == {}
    assert project.state_bytes() == before
    assert project.server.count("POST") == posts
    project.assert_settled()
