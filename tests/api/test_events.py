"""Listed events, in each generation's spelling, as a replay needs them: ids, times, scores and flags."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defendctl.api.client import DefendApi
from defendctl.api.detail import NO_ID, Recent, recent
from defendctl.diagnostics import ApiError, KeyRefused
from defendctl.engine.refresh import read_events
from defendctl.event import Scored, scored
from tests.conftest import KEY
from tests.hostile.wire import OK, answering, listening

if TYPE_CHECKING:
    from collections.abc import Callable

MARK = "planted"
AT = "2025-11-10T01:32:44.591Z"
LATER = "2025-11-10T01:33:00Z"


def evaluation(attempt: Any, at: str | None = AT, cost: Any = 0.01, **scores: Any) -> dict[str, Any]:
    """As the newest generation lists it."""
    results = {name: {"score": s, "rationale": MARK, "threshold": 0.8} for name, s in scores.items()}
    return {
        "attempt": attempt,
        "evaluation_status": "completed",
        "guardrail_metrics": list(scores),
        "run_mode": "precision",
        "model_input": {"user_prompt": MARK, "context": [{"role": "user", "content": MARK}]},
        "model_output": MARK,
        "nametag": MARK,
        "error_message": None,
        "analysis_of_failures": MARK,
        "key_improvements": [MARK],
        "evaluation_result": results,
        "evaluation_total_cost": cost,
        "created_at": at,
    }


FIRST = evaluation("Initial Evaluation", completeness=0.6, instruction_adherence=1)
SECOND = evaluation("Improvement Attempt 1", LATER, 0.005, completeness=0.9)
NEWEST = {
    "event_id": "evt_1",
    "status": "completed",
    "improvement_tool_status": "improved",
    "improved_model_output": MARK,
    "billing_request_id": MARK,
    "evaluations": [FIRST, SECOND],
}
SCORED = Scored(
    event_id="evt_1",
    at=AT,
    run_mode="precision",
    scores={"completeness": 0.6, "instruction_adherence": 1.0},
    attempts=2,
    cost=0.015,
    costs=(0.01, 0.005),
    context=True,
    ground_truth=False,
)


def listing(answer: dict[str, Any], asked: int) -> tuple[Scored, ...] | None:
    events = recent(answer, asked, content=False).events
    return None if events is None else tuple(map(scored, events))


def one(**changes: Any) -> Scored:
    [found] = listing({"events": [{**NEWEST, **changes}]}, 50) or ()
    return found


def of(**changes: Any) -> Scored:
    """Of an event with one evaluation."""
    return one(evaluations=[{**FIRST, **changes}])


def test_as_the_newest_generation_lists_it() -> None:
    assert one() == SCORED


def test_as_older_generations_list_it() -> None:
    """Before 1.24.0 an event has no status; its detail calls evaluations a history."""
    old = {"event_id": "evt_1", "improvement_tool_status": None, "evaluations": [FIRST, SECOND]}
    assert listing({"events": [old]}, 50) == (SCORED,)
    detail = {
        "event_id": "evt_1",
        "event_status": "Completed",
        "filtered": False,
        "evaluation_result": SECOND["evaluation_result"],
        "evaluation_history": [FIRST, SECOND],
    }
    assert listing({"events": [detail]}, 50) == (SCORED,)


def test_the_oldest_generations_list_none() -> None:
    assert listing({"workflow_id": "w", "success_rate": 0.9}, 50) is None
    assert listing({"events": None}, 50) == ()


FIRSTS = [
    ("by its name", [SECOND, FIRST], 0.6),
    ("by its name, whatever the times", [{**SECOND, "created_at": AT}, {**FIRST, "created_at": LATER}], 0.6),
    ("only improvements: not known", [SECOND], None),
    ("by numbers", [evaluation(2, m=0.2), evaluation(1, m=0.1)], 0.1),
    ("by numbers in words", [evaluation("Attempt 10", m=0.2), evaluation("Attempt 9", m=0.1)], 0.1),
    ("by time", [evaluation(None, LATER, m=0.2), evaluation("again", m=0.1)], 0.1),
    ("by time, where one has none", [evaluation(None, None, m=0.2), evaluation(None, m=0.1)], 0.1),
    ("by place", [evaluation(None, m=0.1), evaluation(None, m=0.2)], 0.1),
    (
        "by `attempt_number`",
        [{**evaluation(None), "attempt_number": 1}, {**FIRST, "attempt": "first", "attempt_number": 0}],
        0.6,
    ),
    ("a number that is none", [evaluation(True, LATER, m=0.2), evaluation(False, m=0.1)], 0.1),
]


@pytest.mark.parametrize(("evaluations", "score"), [e[1:] for e in FIRSTS], ids=[e[0] for e in FIRSTS])
def test_the_first_attempt_counts(evaluations: list[Any], score: float | None) -> None:
    found = one(evaluations=evaluations)
    assert found.attempts == len(evaluations) + (score is None), "the first one, told or not, is one of them"
    assert (found.scores.get("m") or found.scores.get("completeness")) == score
    assert found.cost is not None


SCORES = [
    ({"m": {"score": 1}}, {"m": 1.0}),
    ({"m": {"score": True}, "n": False}, {"m": True, "n": False}),
    ({"m": 0.5}, {"m": 0.5}),
    ({"m": {"score": None}}, {"m": None}),
    ({"m": {"rationale": MARK}}, {"m": None}),
    ({"m": {"score": "0.5"}}, {"m": None}),
    ({"m": {"score": [0.5]}}, {"m": None}),
    ({"m": {"score": float("nan")}}, {"m": None}),
    ({"m": 10**400}, {"m": None}),
    ({"m" * 201: 0.5}, {}),
    (None, {"named": None}),
    ([], {"named": None}),
]


@pytest.mark.parametrize(("result", "expected"), SCORES, ids=lambda value: str(value)[:30])
def test_scores(result: Any, expected: dict[str, Any]) -> None:
    named = ["named"] if "named" in expected else None
    found = of(evaluation_result=result, guardrail_metrics=named).scores
    assert found == expected
    assert [type(score) for score in found.values()] == [type(score) for score in expected.values()]


def test_a_metric_without_a_score_is_there() -> None:
    assert of(guardrail_metrics=["completeness", "correctness", 5]).scores["correctness"] is None


def test_more_scores_than_are_read_are_not_cut_in_silence() -> None:
    """One that was left out would be a metric that did not fail."""
    assert len(of(evaluation_result={f"m{n}": 0.5 for n in range(1000)}, guardrail_metrics=[]).scores) == 1000
    with pytest.raises(ValueError, match="more than 1,000 metrics"):
        of(evaluation_result={f"m{n}": 0.5 for n in range(1001)})


STRANGE = [
    ({"event_id": None}, {"event_id": NO_ID}),
    ({"event_id": "\x1b[2J"}, {"event_id": NO_ID}),
    ({"created_at": LATER}, {"at": LATER}),
    ({"created_at": f"{MARK} text"}, {"at": AT}),
    ({"status": "in_progress"}, {"attempts": 0, "costs": ()}),
    ({"status": None, "event_status": "In Progress"}, {"attempts": 0, "costs": ()}),
    ({"status": "Completed"}, {}),
    ({"status": "failed"}, {"attempts": 0, "costs": ()}),
    ({"filtered": True}, {}),
    ({"status": "sleeping"}, {"attempts": 0, "costs": ()}),
    ({"unknown": {"deep": [MARK]}}, {}),
    ({"evaluations": [FIRST, None, MARK, SECOND]}, {}),
]


@pytest.mark.parametrize(("changes", "expected"), STRANGE, ids=lambda value: str(value)[:40])
def test_strange_events(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    assert one(**changes) == replace(SCORED, **expected)


@pytest.mark.parametrize("evaluations", [None, [], {}, "x", [None]])
def test_an_event_without_evaluations_is_there_and_unknown(evaluations: Any) -> None:
    assert one(evaluations=evaluations) == Scored("evt_1", None, None, {}, attempts=0, evaluated=False)


CARRIED = [
    ({"context": [], "ground_truth": "g"}, False, True),
    ({"context": " ", "ground_truth": ""}, False, False),
    ({"context": "c", "ground_truth": None}, True, False),
    ({}, False, False),
    (None, None, None),
    ("text", None, None),
]


@pytest.mark.parametrize(("model_input", "context", "ground_truth"), CARRIED)
def test_what_the_input_carries(model_input: Any, context: bool | None, ground_truth: bool | None) -> None:
    found = of(model_input=model_input)
    assert (found.context, found.ground_truth) == (context, ground_truth)


@pytest.mark.parametrize("cost", [None, "0.01", True, float("inf")])
def test_a_cost_that_is_none(cost: Any) -> None:
    found = one(evaluations=[FIRST, {**SECOND, "evaluation_total_cost": cost}])
    assert (found.cost, found.costs) == (0.01, ())
    assert of(evaluation_total_cost=cost).cost is None


def test_a_run_mode_is_a_word() -> None:
    assert of(run_mode=f"{MARK} and more").run_mode is None
    assert of(run_mode=5).run_mode is None


def test_the_newest_come_first_and_none_twice() -> None:
    def at(event_id: str | None, minute: int) -> dict[str, Any]:
        return {"event_id": event_id, "created_at": f"2025-11-10T01:{minute:02}:00Z"}

    events = [at("a", 1), at("b", 3), at("a", 9), at(None, 2), at(None, 2), "x"]
    found = listing({"events": events}, 4) or ()
    assert [event.event_id for event in found] == ["b", NO_ID, NO_ID, "a"]


anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.just(MARK)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = sorted({*NEWEST, *FIRST, "filtered", "event_status", "evaluation_history", "score"} - {"event_id"})
spoiled = st.dictionaries(st.sampled_from(FIELDS), anything, max_size=4)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.tuples(spoiled, st.lists(spoiled, max_size=3)), max_size=3))
def test_no_answer_is_a_defect_and_none_leaves_its_words(told: list[tuple[Any, list[Any]]]) -> None:
    events = [
        {"event_id": f"e{n}", "evaluations": [{**FIRST, **each} for each in evaluations], **event}
        for n, (event, evaluations) in enumerate(told)
    ]
    found = listing({"events": events}, 50) or ()
    assert len(found) == len(told)
    words = repr([replace(each, run_mode=None, scores={}) for each in found])
    assert MARK not in words
    assert all(score is None or isinstance(score, float | bool) for e in found for score in e.scores.values())


# --- over the wire ---


def answer(content: bytes, status: bytes = b"200 OK") -> bytes:
    head = OK.replace(b"200 OK", status)
    return head + b"content-length: %d\r\n\r\n" % len(content) + content


def asked(request: bytes) -> int:
    return int(request.split(b"limit=")[1].split(b" ")[0])


def heavy(size: int) -> Callable[[bytes], bytes]:
    """So many events as are asked for, of `size` bytes each."""

    def talk(request: bytes) -> bytes:
        filler = MARK * (size // len(MARK))
        events = [
            {**NEWEST, "event_id": f"e{n}", "improved_model_output": filler} for n in range(asked(request))
        ]
        return answer(json.dumps({"workflow_id": "w", "events": events}).encode())

    return talk


def values(count: int) -> Callable[[bytes], bytes]:
    """The same with so many values each, which are few bytes."""

    def talk(request: bytes) -> bytes:
        events = [{**NEWEST, "event_id": f"e{n}", "more": [0] * count} for n in range(asked(request))]
        return answer(json.dumps({"workflow_id": "w", "events": events}).encode())

    return talk


def read(url: str, last: int = 50) -> Recent | None:
    api = DefendApi(url, KEY)
    try:
        return api.recent("w", last, content=False)
    finally:
        api.close()


@pytest.mark.parametrize(
    ("talk", "limits"),
    [
        (heavy(1_000), [50]),
        (heavy(500_000), [50, 25, 12]),
        (heavy(5_000_000), [50, 25, 12, 6, 3, 1]),
        (values(10_000), [50, 25, 12]),
    ],
    ids=["small", "large", "one alone", "values"],
)
def test_an_answer_that_is_too_large_is_asked_again_with_half(
    talk: Callable[[bytes], bytes], limits: list[int]
) -> None:
    with listening(answering(talk)) as server:
        found = read(server.url)
    assert [asked(request) for request in server.received] == limits
    assert found is not None
    assert found.asked == len(found.events or ()) == limits[-1]


def test_one_event_that_is_too_large() -> None:
    with (
        listening(answering(heavy(9 << 20))) as server,
        pytest.raises(ApiError, match="8 MiB, though only one event was asked for"),
    ):
        read(server.url, 2)
    assert [asked(request) for request in server.received] == [2, 1]


def test_nothing_there() -> None:
    with listening(answering(lambda _: answer(b"{}", b"404 Not Found"))) as server:
        assert read(server.url) is None


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (answer(MARK.encode()), "not a JSON object"),
        (answer(b'{"detail": "planted"}', b"422 Unprocessable"), "the API answered 422"),
    ],
)
def test_no_answer(reply: bytes, why: str) -> None:
    with listening(answering(lambda _: reply)) as server, pytest.raises(ApiError, match=why) as caught:
        read(server.url)
    assert MARK not in str(caught.value)


# --- many ---


class Source:
    """Events of some workflows; the others go wrong."""

    def __init__(self, refuse: str | None = None) -> None:
        self.refuse = refuse

    def recent(self, workflow_id: str, last: int, content: bool) -> Recent | None:
        if workflow_id == self.refuse:
            raise KeyRefused("no")
        if workflow_id == "gone":
            return None
        if workflow_id == "broken":
            raise ApiError("broken")
        return Recent(last, ())


def test_one_that_fails_does_not_stop_the_others() -> None:
    ticks: list[int] = []
    ids = {"a": "fine", "b": "gone", "c": "broken"}
    found = read_events(Source(), ids, 7, 2, lambda: ticks.append(1))
    assert (found["a"], found["b"]) == (Recent(7, ()), None)
    assert str(found["c"]) == "broken"
    assert len(ticks) == 3


def test_a_refused_key_stops_all() -> None:
    with pytest.raises(KeyRefused):
        read_events(Source(refuse="fine"), {"a": "fine"}, 7, 2)


def test_nothing_to_read() -> None:
    assert read_events(Source(), {}, 7, 2) == {}
