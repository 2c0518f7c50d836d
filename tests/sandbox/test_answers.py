"""Whole answers of every generation about one workflow whose events ended in every way there is.

After a change that was meant: UPDATE_GOLDEN=1 pytest tests/sandbox, then read the difference.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from defendctl.sandbox.app import GENERATIONS

from .conftest import Sandbox

GOLDEN = Path(__file__).parent / "golden"
WORKFLOW: dict[str, Any] = {
    "workflow_id": "wkfl_1",
    "name": "Story",
    "type": "custom",
    "metrics": {"completeness": 0.8, "instruction_adherence": 0.7},
    "improvement_action": "fixit",
    "max_retries": 2,
    "web_search": True,
    "context_awareness": True,
    "file_search": ["file_a"],
    "created_at": "2026-01-01T00:00:00.000000Z",
    "updated_at": "2026-01-01T00:00:00.000000Z",
}
LOW, HIGH = 0.4, 0.9
EVENTS: list[dict[str, Any]] = [
    {"event_id": "evt_passed", "scores": {"completeness": 0.8, "instruction_adherence": True}},
    {
        "event_id": "evt_improved",
        "scores": [
            {"completeness": LOW, "instruction_adherence": HIGH},
            {"completeness": 0.6},
            {"completeness": HIGH},
        ],
    },
    {
        "event_id": "evt_given_up",
        "scores": [
            {"completeness": HIGH, "instruction_adherence": LOW},
            *[{"instruction_adherence": LOW}] * 2,
        ],
    },
    {
        "event_id": "evt_left_alone",
        "settings": {"improvement_action": "none", "file_search": [], "web_search": False},
        "scores": {"completeness": LOW, "instruction_adherence": None},
    },
    {"event_id": "evt_broken", "status": "failed", "scores": {"completeness": HIGH}},
    {"event_id": "evt_running", "status": "in_progress", "scores": {"completeness": LOW}},
]


def scene(client: httpx.Client) -> None:
    client.post("/_sandbox/workflows", json=WORKFLOW).raise_for_status()
    events = [{**event, "created_at": f"2026-01-02T0{hour}:00:00Z"} for hour, event in enumerate(EVENTS)]
    body = {"workflow_id": "wkfl_1", "events": events}
    client.post("/_sandbox/events", json=body).raise_for_status()


def neutral(text: str) -> str:
    """Without what differs from run to run."""
    text = re.sub(r"(eval|bill)_[0-9a-f]{32}", r"\1_…", text)
    return re.sub(r'("presigned_url_expires_at": )"[^"]*"', r'\1"…"', text)


@pytest.mark.parametrize("generation", GENERATIONS)
def test_whole_answers(sandbox: Sandbox, generation: str) -> None:
    client = sandbox(generation=generation)
    scene(client)
    answers = {
        "workflow": client.get("/defend/wkfl_1").json(),
        **{
            each["event_id"]: client.get(f"/defend/wkfl_1/events/{each['event_id']}").json()
            for each in EVENTS
        },
    }
    golden = GOLDEN / f"{generation}.json"
    actual = neutral(json.dumps(answers, indent=1, ensure_ascii=False)) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(actual, encoding="utf-8")
    assert actual == golden.read_text(encoding="utf-8"), (
        "if that is meant: UPDATE_GOLDEN=1 pytest tests/sandbox"
    )


STATUSES = {
    "2025-11-10": [None, "improved", "failed on max retries", "improvement_required", None, None],
    "2025-12-07": [
        "no_improvement_required",
        "improved",
        "improvement_failed",
        "improvement_required",
        None,
        None,
    ],
}


@pytest.mark.parametrize("generation", STATUSES)
def test_how_events_ended_in_the_words_of_the_generation(sandbox: Sandbox, generation: str) -> None:
    client = sandbox(generation=generation)
    scene(client)
    events = client.get("/defend/wkfl_1").json()["events"]
    assert [event["event_id"] for event in events] == [event["event_id"] for event in EVENTS[::-1]]
    assert [event["improvement_tool_status"] for event in events[::-1]] == STATUSES[generation]


def test_stats_count_what_is_stored(client: httpx.Client) -> None:
    scene(client)
    counted = client.get("/defend/wkfl_1?limit=0").json()["stats"]
    assert counted == {"outputs_processed": 4, "outputs_below_threshold": 3, "outputs_improved": 1}


@pytest.mark.parametrize("generation", ["2025-10-07", "2025-10-22"])
def test_success_is_to_pass_the_latest_evaluation(sandbox: Sandbox, generation: str) -> None:
    client = sandbox(generation=generation)
    scene(client)
    assert client.get("/defend/wkfl_1").json()["success_rate"] == 2 / 4
