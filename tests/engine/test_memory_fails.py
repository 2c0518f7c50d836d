"""The state fails between two steps of a create. The API here answers from a script; the state is real."""

from __future__ import annotations

import resource
import time
from typing import TYPE_CHECKING, Any

import pytest

from defendctl.api.dialects import DIALECTS
from defendctl.api.outcome import Created, Outcome, Refused, Unknown, Unsent
from defendctl.diagnostics import ApiError, Interrupted, Precondition
from defendctl.engine.apply import Applier
from defendctl.model import NEWEST, Intent, Observed, State, Workflow
from defendctl.plan.build import World, build_plan
from defendctl.state import records
from defendctl.state.open import open_local
from tests.state.given import local

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from defendctl.engine.results import ApplyResult
    from defendctl.model import Fields
    from defendctl.state.records import Record
    from defendctl.state.session import Session
    from defendctl.state.store import Store

WORKFLOW = Workflow("n", "custom", {"completeness": 0.5}, "none")
SUPPORT = DIALECTS[NEWEST].support
ID = "wkfl_1"


class Api:
    """Gives `outcomes` one after the other; `meanwhile` happens between the POST and its answer."""

    def __init__(self, *outcomes: Outcome, meanwhile: Callable[[], object] = lambda: None) -> None:
        self.outcomes = list(outcomes)
        self.meanwhile = meanwhile
        self.sent = 0
        self.pauses: list[float] = []

    def create(self, values: Fields, before_send: Callable[[], None]) -> Outcome:
        outcome = self.outcomes.pop(0)
        if not isinstance(outcome, Unsent):
            before_send()
            self.sent += 1
            self.meanwhile()
        return outcome

    def read(self, workflow_id: str) -> Observed | None:
        return Observed(workflow_id, WORKFLOW.fields())

    def update(self, workflow_id: str, values: Fields) -> None:
        raise ApiError("nothing is updated here")

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_local(tmp_path / "s.json", tmp_path / ".defendctl", None)


@pytest.fixture
def session(store: Store) -> Iterator[Session]:
    with store.session(print) as session:
        session.adopt_identity("host", NEWEST)
        yield session
        session._closed = True  # the file is not ours any more in most of these


def run(api: Api, session: Any, workflows: int = 1) -> ApplyResult:
    desired = {f"w{n}": WORKFLOW for n in range(workflows)}
    plan = build_plan(World(desired, {}, State(), SUPPORT, "host", set(desired)))
    return Applier(plan, api, session, SUPPORT, 1).run()


@pytest.fixture
def touched(store: Store) -> Callable[[], object]:
    """Another run takes the journal for its own, as it can when the lock was broken."""

    def touch() -> None:
        with local(store).journal_path.open("ab") as file:
            file.write(b"another run\n")

    return touch


def test_an_id_that_cannot_be_recorded_comes_back_as_a_receipt(
    session: Session, touched: Callable[[], object]
) -> None:
    api = Api(Created(ID), meanwhile=touched)
    result = run(api, session, workflows=3)
    assert [(r.address, r.workflow_id) for r in result.receipts] == [("w0", ID)]
    assert [r.outcome for r in result.results] == ["done", "not_attempted", "not_attempted"]
    assert session.state.bindings["w0"].workflow_id == ID  # in memory, for the fold that may still work
    assert api.sent == 1


def test_an_unknown_that_cannot_be_recorded_stays_an_intent(
    store: Store, session: Session, touched: Callable[[], object]
) -> None:
    result = run(Api(Unknown("a reset"), meanwhile=touched), session)
    assert result.results[0].outcome == "unknown"
    assert session.state.unresolved["w0"].why == "a reset"


def test_a_refusal_that_cannot_be_recorded_stops_the_run(
    session: Session, touched: Callable[[], object]
) -> None:
    api = Api(Refused(422, "no"), meanwhile=touched)
    result = run(api, session, workflows=2)
    assert [r.outcome for r in result.results] == ["failed", "not_attempted"]
    assert result.results[0].exit_code == 6
    assert "another run has changed the journal" in str(result.results[0].error)


def test_whoever_paused_between_intent_and_request_sends_nothing(session: Session) -> None:
    class Slow:
        """The session, on a machine that sleeps while it syncs."""

        def record(self, record: Record) -> float:
            written = session.record(record)
            if record["do"] == "intent":
                time.sleep(session.send_limit * 1.05)
            return written

        def __getattr__(self, name: str) -> Any:
            return getattr(session, name)

    api = Api(Created(ID), Created(ID), Created(ID))
    result = run(api, Slow())
    assert result.results[0].outcome == "failed"
    assert "more than 1 s passed between the intent and the request" in str(result.results[0].error)
    assert api.sent == 0
    assert session.state.unresolved == {}


def test_what_was_not_sent_is_tried_three_times(session: Session) -> None:
    api = Api(*[Unsent("refused")] * 3)
    result = run(api, session)
    assert result.results[0].error == "nothing was sent: refused"
    assert len(api.pauses) == 2


def test_a_given_up_server_is_not_tried_again(session: Session) -> None:
    assert run(Api(Unsent("gone", again=False)), session).results[0].outcome == "failed"


def test_an_interruption_while_waiting_is_not_attempted(session: Session) -> None:
    class Stopped(Api):
        def pause(self, seconds: float) -> None:
            raise Interrupted("interrupted")

    result = run(Stopped(Unsent("refused")), session)
    assert [r.outcome for r in result.results] == ["not_attempted"]


def test_a_journal_whose_write_failed_takes_no_more(session: Session, store: Store) -> None:
    """Half a line may stand there; another after it would be damage."""
    session.record(_intent("a"))
    size = local(store).journal_path.stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            session.record(_intent("b"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    with pytest.raises(OSError, match="File too large"):
        session.record(_intent("c"))
    with pytest.raises(OSError, match="an earlier write to the journal failed"):
        session._lease.append([_intent("d")])
    assert set(store.read().state.unresolved) == {"a"}


def test_records_that_share_a_write_fail_as_one(session: Session, store: Store) -> None:
    """What of it was written whole would be taken for done by the next run, and was told as failed."""
    session.record(_intent("a"))
    journal = local(store).journal_path
    before, limits = journal.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    together = [session.record_soon(_intent(address)) for address in "bcd"]
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 500, limits[1]))
    try:
        for pending in together:
            with pytest.raises(OSError, match="File too large"):
                pending.wait()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert journal.read_bytes() == before
    assert set(session.state.unresolved) == {"a"}


def test_a_run_that_has_ended_records_nothing(store: Store) -> None:
    with store.session(print) as session:
        session.adopt_identity("host", NEWEST)
    with pytest.raises(Precondition, match="the run has ended"):
        session.record(_intent("a"))


def _intent(address: str) -> Record:
    return records.intent(address, Intent("op", "2025-12-07T00:00:00+00:00", WORKFLOW.fields()))
