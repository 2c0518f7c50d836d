"""show --provenance over the real command line: what is told, and what the state keeps for it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conftest import Project, Server, custom

EARLIER = "2026-01-01T00:00:00Z"


def told(project: Project, path: str = "max_retries") -> dict[str, Any]:
    rows = project.json("show", "bot", "--provenance").json["provenance"]
    row: dict[str, Any] = next(row for row in rows if row["path"] == path)
    return row


@pytest.fixture
def applied(project: Project) -> Project:
    project.declare({"bot": custom(max_retries=4)})
    project.digest = project.plan().json["digest"]  # type: ignore[attr-defined]
    project.apply()
    return project


def give(server: Server, workflow_id: str, at: str, attempts: int) -> None:
    secret = {"model_output": "planted-prompt", "scores": {"completeness": 0.9}}
    server.give(workflow_id, {"created_at": at, "settings": {"max_improvement_attempts": attempts}, **secret})


def test_which_apply_and_when(applied: Project) -> None:
    row = told(applied)
    assert (row["value"], row["source"], row["event"]) == (4, "applied", None)
    assert datetime.fromisoformat(row["recorded_at"]) > datetime.now(UTC) - timedelta(minutes=5)
    assert row["recorded_by"] == f"apply {applied.digest[:19]}"  # type: ignore[attr-defined]
    assert told(applied, "metrics.completeness")["source"] == "live"
    assert "by apply sha256:" in applied.ok("show", "bot", "--provenance").out


def test_a_recent_event_tells_the_attempts(applied: Project) -> None:
    workflow_id = applied.bound("bot")
    give(applied.server, workflow_id, EARLIER, 9)
    assert told(applied)["source"] == "applied", "it is older than the last change"
    give(applied.server, workflow_id, datetime.now(UTC).isoformat(), 7)
    applied.server.forget_requests()
    row = told(applied)
    assert (row["value"], row["source"], row["event"]["value"]) == (7, "event", 7)
    assert {each["method"] for each in applied.server.requests()} == {"GET"}
    ran = applied.ok("show", "bot", "--provenance")
    assert "event evt_" in ran.out
    assert "planted-prompt" not in ran.out + ran.err
    applied.server.forget_requests()
    applied.ok("show", "bot")
    assert len(applied.server.requests()) == 1, "nobody asked for events"


def test_an_update_is_signed_and_an_event_before_it_is_silent(applied: Project) -> None:
    give(applied.server, applied.bound("bot"), "2026-01-01T00:00:00Z", 4)
    before = told(applied)["recorded_by"]
    applied.declare({"bot": custom(max_retries=5)})
    applied.apply()
    row = told(applied)
    assert (row["value"], row["source"]) == (5, "applied")
    assert row["recorded_by"] != before


def test_nothing_to_record_leaves_the_state(applied: Project) -> None:
    before = applied.state_bytes()
    applied.apply()
    assert applied.state_bytes() == before


def test_an_older_state_says_so(applied: Project) -> None:
    """What another version wrote has no times; it is read, and told of."""
    from defendctl.state.document import from_text, to_text

    state = from_text(applied.state_file.read_text())
    state.bindings["bot"] = state.bindings["bot"].signed(state.bindings["bot"].applied, None, None)
    applied.state_file.write_text(to_text(state))
    assert "recorded" not in json.loads(applied.state_file.read_text())["bindings"]["bot"]
    assert told(applied)["recorded_at"] is None
    assert "before times were recorded" in applied.ok("show", "bot", "--provenance").out


def test_import_is_signed_and_assumes(project: Project) -> None:
    project.declare({"bot": custom()})
    project.ok("import", "bot", project.server.add(name="bot", metrics={"completeness": 0.8}))
    assert told(project)["source"] == "assumed"
    assert told(project, "name")["recorded_by"] == "import"


def test_not_bound_missing_and_events_that_fail(applied: Project) -> None:
    applied.declare({"bot": custom(max_retries=4), "new": custom()})
    rows = applied.json("show", "new", "--provenance").json["provenance"]
    assert {row["source"] for row in rows} == {"unknown"}
    applied.server.remove(applied.bound("bot"))
    applied.json("show", "bot", "--provenance", code=1)
