"""Events that fail lead to improvement attempts, until all metrics pass or the limit is reached."""

import time
from typing import Any

import httpx
import pytest

from defendctl.sandbox.scores import parse_scores

from .bodies import AUTOMATIC, CUSTOM, EVENT, LEVELS, NEWEST, THRESHOLDS
from .conftest import Sandbox

GOOD, BAD = 0.95, 0.1
BOTH_BAD = {"completeness": BAD, "instruction_adherence": BAD}


def told(client: httpx.Client, settings: dict[str, Any], event: dict[str, Any] = EVENT) -> dict[str, Any]:
    """The event that these settings make of this submission."""
    made = client.post("/defend", json={**NEWEST, **settings})
    made.raise_for_status()
    return submitted(client, made.json()["workflow_id"], event)


def submitted(client: httpx.Client, workflow_id: str, event: dict[str, Any] = EVENT) -> dict[str, Any]:
    answer = client.post(f"/defend/{workflow_id}/events", json=event)
    answer.raise_for_status()
    event = client.get(f"/defend/{workflow_id}/events/{answer.json()['event_id']}").json()
    assert event["status"] == "Completed"
    return event


def scripted(sandbox: Sandbox, *attempts: dict[str, Any], **options: Any) -> httpx.Client:
    return sandbox(scores=parse_scores({EVENT["model_output"]: list(attempts)}), delay=0, **options)


@pytest.mark.parametrize("action", ["fixit", "regen"])
def test_attempts_end_when_all_pass(sandbox: Sandbox, action: str) -> None:
    client = scripted(
        sandbox,
        BOTH_BAD,
        {"completeness": GOOD, "instruction_adherence": BAD},
        {"instruction_adherence": GOOD},
    )
    event = told(client, {"improvement_action": action})
    history = event["evaluation_history"]
    names = ["Initial Evaluation", "Improvement Attempt 1", "Improvement Attempt 2"]
    assert [each["attempt"] for each in history] == names
    assert [each["guardrail_metrics"] for each in history] == [
        ["completeness", "instruction_adherence"],
        ["completeness", "instruction_adherence"],
        ["instruction_adherence"],
    ]
    statuses = ["improvement_required", "improvement_required", "improved"]
    assert [each["improvement_tool_status"] for each in history] == statuses
    assert (event["filtered"], event["improvement_tool_status"]) == (False, "improved")
    assert event["improved_model_output"] == history[-1]["model_output"] != EVENT["model_output"]
    assert {each["model_output"] for each in history[1:]}.isdisjoint({EVENT["model_output"]})


def test_passed_scores_are_carried_over(sandbox: Sandbox) -> None:
    client = scripted(
        sandbox,
        {"completeness": GOOD, "instruction_adherence": BAD},
        {"completeness": BAD, "instruction_adherence": GOOD},
    )
    event = told(client, {})
    assert len(event["evaluation_history"]) == 2
    carried = event["evaluation_result"]["completeness"]
    assert (carried["score"], carried["threshold"]) == (GOOD, 0.85)
    assert "assumed pass" in carried["rationale"]


@pytest.mark.parametrize("limit", [1, 3])
def test_attempts_end_at_the_limit(sandbox: Sandbox, limit: int) -> None:
    event = told(scripted(sandbox, BOTH_BAD), {"max_improvement_attempts": limit})
    assert len(event["evaluation_history"]) == 1 + limit
    assert (event["filtered"], event["improvement_tool_status"]) == (True, "improvement_failed")
    assert event["improved_model_output"] is None


@pytest.mark.parametrize("settings", [{"improvement_action": "do_nothing"}, {"max_improvement_attempts": 0}])
def test_without_attempts_improvement_stays_required(sandbox: Sandbox, settings: dict[str, Any]) -> None:
    event = told(scripted(sandbox, BOTH_BAD), settings)
    assert len(event["evaluation_history"]) == 1
    assert (event["filtered"], event["improvement_tool_status"]) == (True, "improvement_required")


def test_what_can_never_pass_comes_to_an_end(sandbox: Sandbox) -> None:
    event = told(scripted(sandbox, BOTH_BAD), {"max_improvement_attempts": 10**9})
    assert len(event["evaluation_history"]) == 101


@pytest.mark.parametrize("generation", ["2025-10-07", "2025-10-22"])
def test_older_answers_count_the_attempts(sandbox: Sandbox, generation: str) -> None:
    client = scripted(sandbox, BOTH_BAD, BOTH_BAD, dict.fromkeys(BOTH_BAD, GOOD), generation=generation)
    workflow_id = client.post("/defend", json=CUSTOM[generation]).json()["workflow_id"]
    path = f"/defend/{workflow_id}/events"
    event_id = client.post(path, json={**EVENT, "run_mode": "smart"}).json()["event_id"]
    event = client.get(f"{path}/{event_id}").json()
    assert (event["attempt_number"], event["filtered"]) == (2, False)
    (stored,) = client.get("/_sandbox/events").json()
    assert event["evaluation_id"] == stored["evaluations"][-1]["evaluation_id"]


@pytest.mark.parametrize(
    ("score", "filtered"), [(0.84, True), (0.85, False), (False, True), (True, False), (None, False)]
)
def test_which_scores_fail(sandbox: Sandbox, score: object, filtered: bool) -> None:
    client = scripted(sandbox, {"completeness": score})
    event = told(client, {"improvement_action": "do_nothing"})
    assert event["filtered"] is filtered
    assert event["evaluation_result"]["completeness"]["score"] is score or score == 0.84 or score == 0.85
    assert "instruction_adherence" not in event["evaluation_result"], "it is not in the script"


@pytest.mark.parametrize("action", ["fixit", "regen"])
def test_synthetic_stories_are_always_the_same_and_say_what_they_are(sandbox: Sandbox, action: str) -> None:
    client = sandbox(delay=0)
    first, second = (told(client, {"improvement_action": action}) for _ in range(2))
    results = [
        [each["evaluation_result"] for each in event["evaluation_history"]] for event in (first, second)
    ]
    assert results[0] == results[1]
    assert len(results[0]) > 1
    rationales = [score["rationale"] for result in results[0] for score in result.values()]
    assert all("Synthetic" in text or "assumed pass" in text for text in rationales)


def test_a_repair_never_lowers_a_synthetic_score(sandbox: Sandbox) -> None:
    client = sandbox(delay=0)
    strict = {THRESHOLDS: {"completeness": 1.0}}
    history = told(client, strict)["evaluation_history"]
    scores = [each["evaluation_result"]["completeness"]["score"] for each in history]
    assert scores == sorted(scores)
    assert len(scores) > 1


def test_the_number_behind_a_level_is_seen_in_results(sandbox: Sandbox) -> None:
    client = sandbox(delay=0)
    for level in ("low", "medium", "high"):
        body = {**AUTOMATIC["2025-12-07"], LEVELS: {"completeness": level}}
        workflow_id = client.post("/defend", json=body).json()["workflow_id"]
        result = submitted(client, workflow_id)["evaluation_result"]["completeness"]
        assert 0 < result["threshold"] < 1


EXTRAS = {"web_search": True, "context_awareness": True, "file_search": ["file_a"]}


@pytest.mark.parametrize(
    ("settings", "run_mode", "costs"),
    [
        ({}, "super_fast", [0.002, 0.001]),
        ({}, "precision", [0.01, 0.005]),
        ({}, "precision_max_codex", [0.02, 0.01]),
        (EXTRAS, "precision", [0.0225, 0.01125]),
    ],
)
def test_costs_follow_metrics_run_mode_and_capabilities(
    sandbox: Sandbox, settings: dict[str, Any], run_mode: str, costs: list[float]
) -> None:
    client = scripted(sandbox, {"completeness": BAD, "instruction_adherence": GOOD}, {"completeness": GOOD})
    event = told(client, settings, {**EVENT, "run_mode": run_mode})
    assert [each["evaluation_total_cost"] for each in event["evaluation_history"]] == costs


@pytest.mark.parametrize("run_mode", ["ultra_fast", "super_fast"])
def test_the_fastest_modes_are_taken_and_do_not_search(sandbox: Sandbox, run_mode: str) -> None:
    costs = []
    for search in ({}, {"web_search": True, "file_search": ["file_a"]}):
        client = scripted(sandbox, {"completeness": GOOD, "instruction_adherence": GOOD})
        event = told(client, search, {**EVENT, "run_mode": run_mode})
        costs.append([each["evaluation_total_cost"] for each in event["evaluation_history"]])
    assert costs == [[0.002], [0.002]]


def test_an_event_shows_nothing_before_it_is_completed(sandbox: Sandbox) -> None:
    client = sandbox(scores=parse_scores({"How are you": [BOTH_BAD]}), delay=0.2)
    made = client.post("/defend", json=NEWEST).json()["workflow_id"]
    event = {**EVENT, "model_input": {"user_prompt": "Well! How are you?"}}
    path = f"/defend/{made}/events/{client.post(f'/defend/{made}/events', json=event).json()['event_id']}"
    running = client.get(path).json()
    assert (running["filtered"], running["improvement_tool_status"]) == (False, None)
    assert running["evaluation_history"] == running["analysis_of_failures"] == []
    time.sleep(0.25)
    done = client.get(path).json()
    assert (done["filtered"], len(done["evaluation_history"])) == (True, 11), "the prompt chose the script"
    times = [(each["created_at"]) for each in done["evaluation_history"]]
    assert times == sorted(set(times)), "one evaluation after the other"


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("I am good, thank you!", True),
        ("good", True),
        ("How are you", True),
        ("tutor", True),
        ("Good", False),
        ("gpt-4o-mini", False),
    ],
)
def test_which_events_a_text_fits(sandbox: Sandbox, text: str, fits: bool) -> None:
    client = sandbox(scores=parse_scores({text: {"completeness": 0.123}}), delay=0)
    prompts = {"user_prompt": "Hello, how are you? How are you?", "system_prompt": "You are a tutor."}
    event = told(client, {"improvement_action": "do_nothing"}, {**EVENT, "model_input": prompts})
    assert (event["evaluation_result"]["completeness"]["score"] == 0.123) is fits


def test_the_first_text_that_fits_wins(sandbox: Sandbox) -> None:
    scripts = parse_scores(
        {text: {"completeness": score} for text, score in (("x", 1), ("am", 0.9), ("I", 0.2))}
    )
    event = told(sandbox(scores=scripts, delay=0), {})
    assert event["evaluation_result"]["completeness"]["score"] == 0.9
