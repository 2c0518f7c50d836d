"""An event in each generation's spelling becomes one Event; what it says is kept only where asked for."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defendctl.api.detail import NO_ID, detail, recent
from defendctl.api.dialects import DIALECTS
from defendctl.api.submission import body, unfit
from defendctl.event import Score, Submission, Turn, scored

MARK = "planted"
AT, LATER = "2025-11-10T01:32:44Z", "2025-11-10T01:33:00Z"


def evaluation(attempt: Any, named: list[str], at: str = AT, **scores: Any) -> dict[str, Any]:
    result = {name: {"score": s, "rationale": MARK, "threshold": 0.8} for name, s in scores.items()}
    return {
        "attempt": attempt,
        "evaluation_status": "completed",
        "guardrail_metrics": named,
        "run_mode": "fast",
        "model_input": {"user_prompt": MARK},
        "model_output": MARK,
        "nametag": MARK,
        "evaluation_result": result,
        "evaluation_total_cost": 0.25,
        "created_at": at,
    }


FIRST = evaluation("Initial Evaluation", ["a", "b", "c"], a=0.5, b=0.9)
SECOND = evaluation("Improvement Attempt 1", ["a"], LATER, a=0.8, b=0.9)
NEWEST = {
    "event_id": "evt_1",
    "status": "Completed",
    "filtered": False,
    "improvement_tool_status": "improved",
    "improved_model_output": MARK,
    "threshold_type": "custom",
    "custom_hallucination_threshold_values": {"a": 0.8},
    "improvement_action": "regen",
    "max_improvement_attempts": 2,
    "capabilities": [{"capability": "web_search"}],
    "evaluation_history": [SECOND, FIRST],
}


def test_the_newest_form() -> None:
    event = detail(NEWEST, content=False)
    assert (event.event_id, event.status, event.filtered, event.flagged) == (
        "evt_1",
        "completed",
        False,
        True,
    )
    assert (event.improvement, event.attempts, event.cost) == ("improved", 1, 0.5)
    assert (event.at, event.run_mode) == (AT, "fast")
    first, second = event.evaluations
    assert first.scores == {"a": Score(0.5, 0.8), "b": Score(0.9, 0.8), "c": Score(None)}
    assert second.scores == {"a": Score(0.8, 0.8), "b": Score(0.9, 0.8, carried=True)}
    assert (first.flagged, second.flagged) == (True, False)
    assert event.settings == {
        "type": "custom",
        "metrics": {"a": 0.8},
        "improvement_action": "regenerate",
        "max_retries": 2,
        "web_search": True,
        "context_awareness": False,
        "file_search": (),
    }
    assert MARK not in repr(event)


def test_content_is_kept_where_it_is_asked_for() -> None:
    event = detail({**NEWEST, "files": [{"file_id": "f", "presigned_url": "secret"}]}, content=True)
    assert event.content == {"improved_model_output": MARK}
    assert event.evaluations[0].content == {
        "nametag": MARK,
        "model_input": {"user_prompt": MARK},
        "model_output": MARK,
        "rationales": {"a": MARK, "b": MARK},
    }
    assert event.settings["file_search"] == ("f",)
    assert "secret" not in repr(event)
    assert detail({"evaluation_history": [{}]}, content=True).evaluations[0].content == {}


STATUSES: list[tuple[dict[str, Any], str]] = [
    ({"status": "Completed"}, "completed"),
    ({"event_status": "Completed"}, "completed"),
    ({"status": "completed"}, "completed"),
    ({"status": "In Progress"}, "in_progress"),
    ({"status": "in_progress"}, "in_progress"),
    ({"status": "queued"}, "in_progress"),
    ({"status": "failed"}, "failed"),
    ({"status": "canceled"}, "failed"),
    ({"status": "sleeping"}, "unknown"),
    ({"status": 3}, "unknown"),
    ({"filtered": True}, "completed"),
    ({"filtered": None}, "in_progress"),
    ({"evaluations": [{}]}, "completed"),
    ({"evaluations": []}, "in_progress"),
    ({"status": "Completed", "evaluation_history": [{"evaluation_status": "failed"}]}, "failed"),
    ({"status": "In Progress", "evaluation_history": [{"evaluation_status": "failed"}]}, "in_progress"),
]


@pytest.mark.parametrize(("answer", "status"), STATUSES)
def test_statuses_in_all_their_spellings(answer: dict[str, Any], status: str) -> None:
    assert detail(answer, content=False).status == status


FLAGS: list[tuple[dict[str, Any], bool | None]] = [
    ({"filtered": True, "attempt_number": 0}, True),
    ({"filtered": False, "attempt_number": 0}, False),
    ({"filtered": False, "attempt_number": 2}, True),
    ({"filtered": False}, None),
    ({"filtered": False, "attempt_number": -1}, None),
    ({"filtered": False, "evaluation_history": [{"attempt": "Improvement Attempt 1"}]}, True),
    ({"evaluations": [evaluation("Initial Evaluation", ["a"])]}, None),
    ({"status": "In Progress", "filtered": False, "attempt_number": 0}, None),
]


@pytest.mark.parametrize(("answer", "flagged"), FLAGS)
def test_whether_what_was_submitted_failed(answer: dict[str, Any], flagged: bool | None) -> None:
    """An attempt is only made of what failed; where scores are not told, the API's own word counts."""
    assert detail(answer, False).flagged is flagged


SCORES: list[tuple[Score, bool | None]] = [
    (Score(0.8, 0.8), False),
    (Score(0.79, 0.8), True),
    (Score(True), False),
    (Score(False, 0.1), True),
    (Score(None, 0.1), None),
    (Score(0.5), None),
]


@pytest.mark.parametrize(("score", "flagged"), SCORES)
def test_below_fails_and_equal_passes(score: Score, flagged: bool | None) -> None:
    assert score.flagged is flagged


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("failed on max retries", "failed"),
        ("improvement_failed", "failed"),
        ("no_improvement_required", "not_required"),
        ("improvement_required", "required"),
        ("sleeping", None),
        (None, None),
    ],
)
def test_what_the_improvement_came_to(word: str | None, meaning: str | None) -> None:
    assert detail({"improvement_tool_status": word}, content=False).improvement == meaning


def test_a_metric_without_a_usable_name_is_left_out() -> None:
    given_ = {"evaluation_result": {"a" * 201: {"score": 1}, "b": 0.5}, "guardrail_metrics": [3]}
    assert detail({"evaluation_history": [given_]}, False).evaluations[0].scores == {"b": Score(0.5)}


def test_the_older_name_of_the_action() -> None:
    assert detail({"improvement_tool_type": "fixit"}, False).settings == {"improvement_action": "fixit"}


def test_listed_events_are_the_newest_first() -> None:
    events = [{"event_id": "old", "created_at": AT}, "no event", {"event_id": "new", "created_at": LATER}]
    found = recent({"events": [*events, {"event_id": "\x1b"}]}, 2, content=False)
    assert found.events is not None
    assert [event.event_id for event in found.events] == ["new", "old"]
    assert recent({}, 2, content=False).events is None


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*NEWEST, *FIRST, "score", "threshold", "rationale", "file_id"]),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.dictionaries(st.sampled_from([*NEWEST, "attempt_number", "events"]), JSON))
def test_any_answer_is_an_event(answer: dict[str, Any]) -> None:
    event = detail(answer, content=True)
    assert event.flagged in (True, False, None)
    assert event.event_id == NO_ID or event.event_id == answer["event_id"]
    recent(answer, 3, content=False)


# --- what was not evaluated ---

FAILED = {**FIRST, "evaluation_status": "failed", "error_message": "planted"}
RUNNING = {**FIRST, "evaluation_status": "in_progress"}
NO_WORD = {key: value for key, value in FIRST.items() if key != "evaluation_status"}
UNTOLD: list[tuple[str, dict[str, Any], list[Any], str]] = [
    ("it broke off", {}, [FAILED], "failed"),
    ("the event says so", {"status": "failed"}, [NO_WORD], "failed"),
    ("it goes on", {"status": "in_progress"}, [RUNNING], "in_progress"),
    ("the event says that it goes on", {"status": "In Progress"}, [NO_WORD], "in_progress"),
    ("before 1.24.0 no event says it: it broke off", {"status": None}, [FAILED], "failed"),
    ("before 1.24.0 no event says it: it goes on", {"status": None}, [RUNNING], "in_progress"),
]


@pytest.mark.parametrize(
    ("changes", "evaluations", "status"), [each[1:] for each in UNTOLD], ids=[each[0] for each in UNTOLD]
)
def test_what_was_not_evaluated_has_no_score(
    changes: dict[str, Any], evaluations: list[Any], status: str
) -> None:
    """The same for a listed event and for the detail of one: there is one reader."""
    for key in ("evaluations", "evaluation_history"):
        answer = {**NEWEST, "filtered": True, "evaluation_history": None, key: evaluations, **changes}
        event = detail(answer, content=False)
        assert (event.status, event.flagged, event.filtered) == (status, None, None)
        assert event.evaluations[0].scores["a"] == Score(None, 0.8)
        told = scored(event)
        assert (told.evaluated, told.scores["a"], told.attempts, told.costs) == (False, None, 0, ())


def test_an_attempt_that_broke_off_leaves_the_first_scores() -> None:
    answer = {**NEWEST, "evaluation_history": [FIRST, {**SECOND, "evaluation_status": "failed"}]}
    event = detail(answer, content=False)
    assert (event.status, event.flagged, event.attempts) == ("failed", True, None)
    assert scored(event).scores == {"a": 0.5, "b": 0.9, "c": None}
    assert scored(event).evaluated


def test_a_metric_of_the_settings_without_a_score_is_there() -> None:
    """Else an event would pass whose other metrics do."""
    passing = evaluation("Initial Evaluation", ["b"], b=0.9)
    answer = {**NEWEST, "filtered": None, "evaluation_history": [passing]}
    event = detail(answer, content=False)
    assert event.evaluations[0].scores == {"a": Score(None), "b": Score(0.9, 0.8)}
    assert event.flagged is None


def test_where_evaluations_are_told_filtered_decides_nothing() -> None:
    unscored = evaluation("Initial Evaluation", ["a"], a=None)
    passing = evaluation("Initial Evaluation", ["a"], a=0.9)
    for told, filtered, flagged in (
        (unscored, False, None),
        (unscored, True, None),
        (passing, False, False),
        (passing, True, None),  # the two contradict one another
        (passing, None, False),
    ):
        answer = {**NEWEST, "filtered": filtered, "evaluation_history": [told]}
        assert detail(answer, content=False).flagged is flagged, (told, filtered)


def test_the_time_of_an_event_is_that_of_its_first_evaluation() -> None:
    """An attempt is later, and may be later than a change of the workflow that did not judge the event."""
    answer = {**NEWEST, "evaluation_history": [{**FIRST, "created_at": None}, SECOND]}
    assert detail(answer, content=False).at is None


NOTHING = ["null,", "null", " Null, ", "", None, ["null,"], [], [None, "null"]]


@pytest.mark.parametrize("nothing", NOTHING)
def test_words_for_nothing_are_nothing(nothing: Any) -> None:
    """As the vendor's own sample spells it. What was submitted may say `null` and mean it."""
    notes = dict.fromkeys(("analysis_of_failures", "key_improvements"), nothing)
    told = {**FIRST, **notes, "error_message": nothing, "model_output": "null", "run_mode": "null"}
    event = detail({**NEWEST, **notes, "evaluation_history": [told]}, content=True)
    assert event.content == {"improved_model_output": MARK}
    assert (event.evaluations[0].content or {}).keys() == {
        "nametag",
        "model_input",
        "model_output",
        "rationales",
    }
    assert event.run_mode is None
    word = None if isinstance(nothing, list) else nothing
    assert detail({"status": word, "filtered": True}, content=False).status == "completed"


# --- what is submitted ---

TURNS = (Turn("user", "hi"), "more")
FITS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("2025-10-07", {"user_prompt": "p", "context": ("c",)}, []),
    ("2025-10-07", {"user_prompt": "p", "context": TURNS}, ["context"]),
    ("2025-10-07", {"system_prompt": "p", "run_mode": "fast"}, ["run_mode"]),
    ("2025-10-22", {"system_prompt": "p", "context": ("c",)}, ["context"]),
    ("2025-11-10", {"system_prompt": "p", "run_mode": "economy"}, []),
    ("2025-12-07", {"user_prompt": "p", "context": TURNS, "run_mode": "precision_max"}, []),
    ("2025-12-07", {"system_prompt": "p"}, ["user_prompt"]),
]


@pytest.mark.parametrize(("generation", "given_", "wrong"), FITS)
def test_what_a_generation_takes(generation: str, given_: dict[str, Any], wrong: list[str]) -> None:
    found = unfit(Submission("out", "model", **given_), DIALECTS[generation])
    assert [key for key, _ in found] == wrong


def test_the_body_in_the_words_of_a_generation() -> None:
    given_ = Submission("out", "model", user_prompt="p", context=("c",), nametag="n")
    old = body(given_, DIALECTS["2025-10-07"])
    assert old["model_input"] == {"user_prompt": "p", "context": "c"}
    turned = Submission("out", "model", user_prompt="p", context=TURNS)
    assert body(turned, DIALECTS["2025-12-07"]) == {
        "model_input": {"user_prompt": "p", "context": [{"role": "user", "content": "hi"}, "more"]},
        "model_output": "out",
        "model_used": "model",
        "run_mode": "precision",
    }
