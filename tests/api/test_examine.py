"""What an answer looks like; of what its texts say nothing is left."""

from __future__ import annotations

import json
from typing import Any

import pytest

from defendctl.api.examine import examined
from defendctl.inspection.questions import Answers, Seen, questions

SECRET = "planted-prompt"


def evaluation(**more: Any) -> dict[str, Any]:
    result = {
        "completeness": {"score": 0.4, "threshold": 0.7, "rationale": SECRET},
        "correctness": 1,
        SECRET: {},
    }
    return {"created_at": "2026-01-02T00:00:00Z", "evaluation_result": result, "model_output": SECRET, **more}


def answer(**more: Any) -> dict[str, Any]:
    return {
        "workflow_id": "wkfl_1",
        "name": "Bot",
        "status": "active",
        "updated_at": "2026-01-01T00:00:00.5Z",
        "threshold_type": "automatic",
        "automatic_hallucination_tolerance_levels": {"completeness": "low"},
        "events": [{"evaluations": [evaluation()]}],
        **more,
    }


def seen(headers: tuple[str, ...] = (), **more: Any) -> Seen:
    return examined(200, headers, json.dumps(answer(**more)).encode())


def test_a_workflow() -> None:
    found = seen(headers=("X-RateLimit-Remaining", "Content-Type", "Retry-After"), quota=SECRET, **{"a b": 1})
    assert found.limits == ("retry-after", "x-ratelimit-remaining")
    assert (found.evidence, found.type, found.metrics) == ("2025-12-07", "automatic", {"completeness": "low"})
    assert (found.events, found.event_at, found.thresholds) == (
        1,
        "2026-01-02T00:00:00Z",
        {"completeness": 0.7},
    )
    assert found.unknown == ("quota", "and 1 more")
    assert (found.state, found.changed, found.attempts) == ("active", "2026-01-01T00:00:00.5Z", None)
    assert SECRET not in repr(found)


@pytest.mark.parametrize(
    "events",
    [
        None,
        "x",
        [],
        ["x"],
        [{}],
        [{"evaluations": 3}],
        [{"evaluations": ["x", {"evaluation_result": [], "created_at": SECRET}]}],
        [{"evaluation_history": [{"evaluation_result": {"completeness": {"threshold": True}}}]}],
    ],
)
def test_strange_events_tell_nothing(events: Any) -> None:
    found = seen(events=events)
    assert (found.event_at, found.thresholds) == (None, {})
    assert found.events == (len(events) if isinstance(events, list) else None)


def test_strange_words_are_no_words() -> None:
    found = seen(status=SECRET, threshold_type=SECRET, updated_at=SECRET, modified_at="2026-01-03T00:00:00Z")
    assert (found.state, found.type, found.changed) == (None, None, "2026-01-03T00:00:00Z")
    assert SECRET not in repr(found)


@pytest.mark.parametrize(
    ("status", "body", "form"),
    [
        (404, b'{"detail": "x"}', "an object with `detail`, a text"),
        (422, b'{"detail": []}', "an object with `detail`, a list"),
        (403, b'{"message": {}}', "an object with `message`, an object"),
        (500, b'{"error": "x"}', "an object with `error`, a text"),
        (404, b"{}", "an object without `detail`, `message` or `error`"),
        (404, b"<html>", "no JSON object"),
        (404, b" ", "nothing"),
        (200, b"[]", "no JSON object"),
        (200, b'{"name": "no id"}', "an object without `detail`, `message` or `error`"),
    ],
)
def test_what_is_no_workflow_has_a_form(status: int, body: bytes, form: str) -> None:
    assert examined(status, (), body) == Seen(status, error=form)


def settled(answers: Answers) -> dict[str, str]:
    return {q.id: q.answer for q in questions(answers) if q.answer}


def test_nothing_read_settles_nothing() -> None:
    assert settled(Answers()) == {}
    assert len(questions(Answers())) == 19


LIMITED = Seen(404, error="nothing", limits=("retry-after",))


@pytest.mark.parametrize(
    ("answers", "id", "said"),
    [
        (Answers((Seen(200),)), "attempts-readable", "No: no workflow that was read has it."),
        (
            Answers((Seen(200, attempts=0), Seen(200))),
            "attempts-readable",
            "Yes: 1 of 2 workflows that were read have it.",
        ),
        (Answers((Seen(200, attempts=0),)), "zero-attempts", "Yes: a workflow that was read has 0."),
        (Answers(zero=Seen(422)), "limit-zero", "No: it answers 422."),
        (Answers(zero=Seen(200, events=0)), "limit-zero", "Yes, and no event is listed."),
        (Answers(zero=Seen(200, events=3)), "limit-zero", "Yes, but 3 events are listed."),
        (Answers(absent=LIMITED), "error-form", "A 404 holds nothing."),
        (Answers(absent=LIMITED), "rate-limits", "Answers announce them in retry-after."),
        (Answers((Seen(200),)), "rate-limits", "None of 1 answers announces one."),
        (
            Answers((Seen(200, name="a"), Seen(200, name="a"))),
            "unique-names",
            "No: two workflows that were read have one name.",
        ),
        (
            Answers((Seen(200, type="automatic", metrics={"correctness": "low"}),)),
            "correctness",
            "Yes: an automatic workflow that was read has it.",
        ),
        (Answers((Seen(200, metrics={"tone": 1}),)), "own-metrics", "Like these, which were read: tone."),
        (
            Answers((Seen(200, state="archived"), Seen(200, state="active"), Seen(200))),
            "inactive",
            "A workflow that is off has the status archived.",
        ),
        (
            Answers(
                (
                    Seen(
                        200, metrics={"a": "low", "b": "high", "c": "low"}, thresholds={"a": 0.5, "b": 0.75}
                    ),
                    Seen(200, metrics={"a": 0.4}, thresholds={"a": 0.4}),
                )
            ),
            "levels",
            "Newest events were judged by low: 0.5; high: 0.75.",
        ),
        (
            Answers((Seen(200, changed="2026-01-01T00:00:00Z", event_at="2026-01-01T00:00:00.1Z"),)),
            "updated-at-moves",
            "No: an event was evaluated after the `updated_at` of its workflow.",
        ),
    ],
)
def test_what_a_read_settles(answers: Answers, id: str, said: str) -> None:
    assert settled(answers)[id] == said


def test_an_event_before_the_last_change_settles_nothing() -> None:
    read = Seen(200, changed="2026-01-02T00:00:00Z", event_at="2026-01-01T00:00:00Z")
    assert "updated-at-moves" not in settled(Answers((read, Seen(200, metrics={"completeness": 0.5}))))
