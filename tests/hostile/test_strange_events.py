"""Events and workflows with values that no API should send: an answer, or an error in words; no defect."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.conftest import custom

if TYPE_CHECKING:
    from tests.conftest import Json, Project

COSTLY = {"status": "completed", "evaluation_history": [{"evaluation_total_cost": 1e308}] * 2}
COSTLY_LIST = {"evaluations": COSTLY["evaluation_history"], "event_id": "e"}
EVENTS = ("events", "show", "a", "EVENT"), ("events", "watch", "a", "EVENT", "--wait", "0")
READS = ("events", "list", "a"), ("plan", "--replay"), ("doctor",), ("show", "a", "--provenance")


@pytest.mark.parametrize(
    ("path", "answer", "commands"),
    [
        ("/events/", COSTLY, EVENTS),
        ("/events/", {**COSTLY, "status": [], "filtered": "yes", "improvement_tool_status": {}}, EVENTS),
        ("$", {"status": [], "events": [COSTLY_LIST]}, READS),
        ("$", {"status": {}, "events": [1, None, [], {}]}, READS),
        ("$", {"events": {"a": 1}}, READS),
    ],
)
def test_told_or_refused(
    project: Project, path: str, answer: Json, commands: tuple[tuple[str, ...], ...]
) -> None:
    project.declare({"a": custom()})
    project.apply()
    known = {"workflow_id": project.bound("a"), "event_id": "EVENT", "name": "a"}
    project.server.fault("body", "GET", path=path, times=None, body=json.dumps({**known, **answer}))
    for command in commands:
        ran = project.run(*command)
        assert ran.code in (0, 1), (command, ran)
