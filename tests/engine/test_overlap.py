"""What of a create overlaps what: no more than three in flight or unknown, and told once it is durable.

The API answers here from a script, and the state is a list; both can be held up at any point.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defendctl.api.dialects import DIALECTS
from defendctl.api.outcome import Created, Outcome, Refused, Unknown, Unsent
from defendctl.engine.apply import UNKNOWN_LIMIT, Applier
from defendctl.model import NEWEST, Observed, State, Workflow
from defendctl.plan.build import World, build_plan
from defendctl.state.group import GroupCommit, boottime
from defendctl.state.records import take
from defendctl.threads import NoThread
from tests.starving import starve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from defendctl.engine.results import ApplyResult, Result
    from defendctl.model import Fields
    from defendctl.state.records import Record

WORKFLOW = Workflow("n", "custom", {"completeness": 0.5}, "none")
SUPPORT = DIALECTS[NEWEST].support
SOON = 30
"""Seconds after which a thread that should have gone on is taken for stuck."""
MOMENT = 0.0005


def _open() -> threading.Event:
    gate = threading.Event()
    gate.set()
    return gate


class Memory:
    """A state whose journal is a list. `hold` is called with each write before it lands."""

    send_limit = 1.0

    def __init__(self, hold: Callable[[Sequence[Record]], object] = lambda group: None) -> None:
        self.state = State()
        self.journal: list[Record] = []
        self._hold = hold
        self._ids: set[str] = set()
        self.record_soon = GroupCommit(self._append).soon

    def _append(self, group: Sequence[Record]) -> None:
        self._hold(group)
        self.journal += group
        self.note(*group)

    def record(self, record: Record) -> float:
        return self.record_soon(record).wait()

    def note(self, *noted: Record) -> None:
        for record in noted:
            take(self.state, record)

    def claim(self, workflow_id: str) -> bool:
        return not (workflow_id in self._ids or self._ids.add(workflow_id))  # type: ignore[func-returns-value]

    def holds(self, what: str, address: str) -> bool:
        return any((each["do"], each["address"]) == (what, address) for each in self.journal)


class Api:
    """Each create ends as its name in `outcomes` says; `reading` holds every reading back."""

    def __init__(self, outcomes: dict[str, Outcome] | None = None) -> None:
        self.outcomes = outcomes or {}
        self.reading = _open()
        self.asked: list[tuple[str, str]] = []
        self.most: Counter[str] = Counter()
        self._now: Counter[str] = Counter()
        self._unknown = 0
        self._guard = threading.Lock()
        self._turn = threading.Condition(self._guard)

    @contextmanager
    def _request(self, kind: str, name: str) -> Iterator[None]:
        with self._turn:
            self.asked.append((kind, name))
            self._now.update((kind, "requests"))
            self._note()
            self._turn.notify_all()
        try:
            yield
        finally:
            with self._turn:
                self._now.subtract((kind, "requests"))

    def _note(self) -> None:
        in_doubt = self._now["POST"] + self._unknown
        for name, number in (*self._now.items(), ("in doubt", in_doubt)):
            self.most[name] = max(self.most[name], number)

    def create(self, values: Fields, before_send: Callable[[], None]) -> Outcome:
        name = values["name"]
        outcome = self.outcomes.get(name, Created(f"wkfl_{name}"))
        if isinstance(outcome, Unsent):
            return outcome
        before_send()
        with self._request("POST", name):
            time.sleep(MOMENT)
            with self._guard:
                self._unknown += isinstance(outcome, Unknown)
            return outcome

    def read(self, workflow_id: str) -> Observed | None:
        name = workflow_id.removeprefix("wkfl_")
        with self._request("GET", name):
            assert self.reading.wait(SOON)
            time.sleep(MOMENT)
            return Observed(workflow_id, {**WORKFLOW.fields(), "name": name})

    def update(self, workflow_id: str, values: Fields) -> None:
        raise AssertionError("nothing is updated here")

    def pause(self, seconds: float) -> None:
        pass

    def sees(self, kind: str, times: int) -> bool:
        with self._turn:
            return self._turn.wait_for(lambda: [k for k, _ in self.asked].count(kind) >= times, SOON)


def run(
    api: Api,
    memory: Memory,
    names: Sequence[str],
    parallelism: int,
    tell: Callable[[Result], None] = lambda result: None,
) -> ApplyResult:
    desired = {name: Workflow(name, "custom", {"completeness": 0.5}, "none") for name in names}
    plan = build_plan(World(desired, {}, State(), SUPPORT, "host", set(desired)))
    return Applier(plan, api, memory, SUPPORT, parallelism, tell).run()


def open_intents(journal: Sequence[Record]) -> int:
    """How many creates nobody knows the end of, of what the journal holds."""
    begun: set[str] = set()
    for record in journal:
        if record["do"] == "intent":
            begun.add(record["intent"]["op"])
        elif record["do"] in ("bound", "withdrawn"):
            begun.discard(record["op"])
    return len(begun)


outcomes = st.sampled_from(["made", "made", "made", "refused", "unsent", "unknown"])


@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.lists(outcomes, min_size=1, max_size=14), st.integers(1, 12))
def test_no_more_than_three_are_in_flight_or_unknown(drawn: list[str], parallelism: int) -> None:
    """Nor in any part of the journal that a crash may leave; nor more requests at once than are allowed."""
    ends: dict[str, Outcome] = {
        "refused": Refused(422, "no"),
        "unsent": Unsent("no", again=False),
        "unknown": Unknown("a reset"),
    }
    names = [f"w{number}" for number in range(len(drawn))]
    api = Api({name: ends[end] for name, end in zip(names, drawn, strict=True) if end in ends})
    memory = Memory(lambda group: time.sleep(MOMENT))

    def tell(result: Result) -> None:
        what = {"done": "bound", "unknown": "unknown"}.get(result.outcome)
        assert what is None or memory.holds(what, result.address), "told before it was durable"

    result = run(api, memory, names, parallelism, tell)
    most = min(parallelism, UNKNOWN_LIMIT)
    assert api.most["POST"] <= most
    assert api.most["in doubt"] <= UNKNOWN_LIMIT
    assert api.most["requests"] <= parallelism
    for end in range(len(memory.journal) + 1):
        assert open_intents(memory.journal[:end]) <= UNKNOWN_LIMIT
    told = {each.address: each.outcome for each in result.results}
    assert all(
        told[name] in ("done", "not_attempted")
        for name, end in zip(names, drawn, strict=True)
        if end == "made"
    )
    if drawn.count("unknown") < UNKNOWN_LIMIT:
        assert "not_attempted" not in told.values(), "nobody waits for what will not come"
    assert {a for a, outcome in told.items() if outcome == "done"} == memory.state.bindings.keys()


def test_a_create_is_read_back_while_its_binding_is_written_and_told_after_it() -> None:
    gate, told = threading.Event(), threading.Event()

    def hold(group: Sequence[Record]) -> None:
        assert group[0]["do"] != "bound" or gate.wait(SOON)

    api, memory = Api(), Memory(hold)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run, api, memory, ["a"], 2, lambda result: told.set())
        assert api.sees("GET", 1)
        assert not memory.holds("bound", "a")
        assert not told.wait(0.05)
        gate.set()
        assert told.wait(SOON)
        assert memory.holds("bound", "a")
        running.result(SOON)


def test_reading_back_takes_no_place_of_a_create() -> None:
    """With every reading back held up, creates go on, as many as may be read at once."""
    api, memory, names = Api(), Memory(), [f"w{number}" for number in range(20)]
    api.reading.clear()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run, api, memory, names, 8)
        assert api.sees("POST", 8)
        assert api.sees("GET", 8)
        assert api.most["POST"] <= UNKNOWN_LIMIT
        api.reading.set()
        result = running.result(SOON)
    assert [each.outcome for each in result.results] == ["done"] * 20
    assert api.most["requests"] <= 8


def test_a_binding_does_not_wait_for_its_reading_back() -> None:
    """Killed meanwhile, the run would leave an unknown create; so it is written, though nothing else is."""
    api, memory = Api(), Memory()
    api.reading.clear()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run, api, memory, ["a"], 1)
        assert api.sees("GET", 1)
        for _ in range(round(SOON / MOMENT)):
            if memory.holds("bound", "a"):
                break
            time.sleep(MOMENT)
        assert memory.holds("bound", "a")
        api.reading.set()
        running.result(SOON)


def test_one_at_a_time_is_one_at_a_time() -> None:
    api, memory = Api(), Memory()
    run(api, memory, ["a", "b", "c"], 1)
    assert api.asked == [(kind, name) for name in "abc" for kind in ("POST", "GET")]
    assert api.most["requests"] == 1


def test_bindings_share_a_write_with_the_next_intents() -> None:
    """Each create needs a write for its intent; hardly any needs another one for its binding."""
    writes: list[int] = []
    api, names = Api(), [f"w{number}" for number in range(30)]
    run(api, Memory(lambda group: writes.append(len(group))), names, 10)
    assert sum(writes) == 2 * len(names)
    assert len(writes) < 1.7 * len(names)


def test_a_binding_that_cannot_be_written_is_a_receipt_and_ends_the_run() -> None:
    def hold(group: Sequence[Record]) -> None:
        if any(each["do"] == "bound" for each in group):
            raise OSError("no space left")

    api, memory = Api(), Memory(hold)
    result = run(api, memory, [f"w{number}" for number in range(12)], 10)
    made = {name for kind, name in api.asked if kind == "POST"}
    assert 1 <= len(made) <= UNKNOWN_LIMIT
    assert {(each.address, each.workflow_id) for each in result.receipts} == {(n, f"wkfl_{n}") for n in made}
    assert {each.address for each in result.results if each.outcome == "done"} == made
    assert memory.state.bindings.keys() == made, "in memory, for the fold that may still work"


def test_an_error_of_the_place_that_nobody_foresaw_is_a_receipt_too() -> None:
    """Whatever it is: the workflows exist."""

    def hold(group: Sequence[Record]) -> None:
        if any(each["do"] == "bound" for each in group):
            raise MemoryError

    api = Api()
    result = run(api, Memory(hold), [f"w{number}" for number in range(12)], 10)
    made = {name for kind, name in api.asked if kind == "POST"}
    assert {each.address for each in result.receipts} == made
    assert {str(each.error) for each in result.results if each.outcome == "not_attempted"} == {
        "the state cannot be written: MemoryError"
    }


def test_after_an_error_that_nobody_foresaw_no_more_than_three_creates_are_unknown() -> None:
    class Broken(Api):
        def create(self, values: Fields, before_send: Callable[[], None]) -> Outcome:
            super().create(values, before_send)
            time.sleep(0.1)  # until there are workers enough
            raise ZeroDivisionError

    api, memory = Broken(), Memory()
    with pytest.raises(ZeroDivisionError):
        run(api, memory, [f"w{number}" for number in range(20)], 10)
    assert 1 <= len(api.asked) == open_intents(memory.journal) <= UNKNOWN_LIMIT


@pytest.mark.parametrize("left", [1, 2, 3])
def test_where_no_thread_can_begin_nothing_is_lost(left: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One writes bindings in time; without it nothing is sent. Without a worker, this thread does it all."""
    asked = starve(monkeypatch, left)
    api, memory, names = Api(), Memory(lambda group: time.sleep(20 * MOMENT)), ["a", "b", "c", "d"]
    result = run(api, memory, names, 10)
    assert [each.outcome for each in result.results] == ["done"] * 4
    assert sorted(memory.state.bindings) == names
    assert next(asked) > left, "no further one was asked for"


def test_without_a_thread_that_writes_in_time_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    starve(monkeypatch, 0)
    api = Api()
    with pytest.raises(NoThread, match="no further thread"):
        run(api, Memory(), ["a"], 10)
    assert api.asked == []


class Clock:
    """Goes on when told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = boottime()
        for module in ("state.group", "engine.create"):
            monkeypatch.setattr(f"defendctl.{module}.boottime", lambda: self.now)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_a_run_that_slept_while_its_intent_was_written_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot tell how long the answer had been there, and whoever broke its lock meanwhile has seen it."""
    clock, api = Clock(monkeypatch), Api()
    memory = Memory(lambda group: clock.sleep(Memory.send_limit * 1.1 if group[0]["do"] == "intent" else 0))
    (result,) = run(api, memory, ["a"], 1).results
    assert (result.outcome, api.asked) == ("failed", [])
    assert "more than 1 s passed between the intent and the request" in str(result.error)
    assert open_intents(memory.journal) == 0


def test_what_went_before_an_intent_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow place holds up whoever waits for its turn; nobody has seen that intent yet."""
    clock, api, others = Clock(monkeypatch), Api(), threading.Event()

    def hold(group: Sequence[Record]) -> None:
        if group[0]["do"] == "moved":
            others.set()
            assert queued.wait(SOON)
            clock.sleep(Memory.send_limit * 10)

    memory, queued = Memory(hold), threading.Event()
    soon: Any = memory.record_soon

    def record_soon(record: Record) -> Any:
        pending = soon(record)
        if record["do"] == "intent":
            queued.set()
        return pending

    memory.record_soon = record_soon
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(memory.record, {"do": "moved", "address": "y", "from": "x"})
        assert others.wait(SOON)
        (result,) = run(api, memory, ["a"], 2).results
        writing.result(SOON)
    assert result.outcome == "done"


def test_the_limit_is_that_of_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, api = Clock(monkeypatch), Api()
    memory = Memory(lambda group: clock.sleep(5))
    memory.send_limit = 10.0
    assert run(api, memory, ["a"], 1).results[0].outcome == "done"
    memory.send_limit = 4.0
    (result,) = run(api, memory, ["b"], 1).results
    assert "more than 4 s passed" in str(result.error)
