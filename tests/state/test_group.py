"""Group commit: what is acknowledged is written, in order, once; what fails fails for all; one writer."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defendctl.diagnostics import Precondition
from defendctl.model import Intent, Revision
from defendctl.state import records
from defendctl.state.group import GroupCommit, boottime
from defendctl.state.open import open_local
from tests.state.given import local

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from defendctl.state.records import Record
    from defendctl.state.session import Session

SOON = 30
"""Seconds after which a thread that should have gone on is taken for stuck."""
FULL = OSError("no space left")


class Place:
    """Holds what is appended; its write number `fails` fails, and `gate` holds every write back."""

    def __init__(self, fails: int | None = None) -> None:
        self.writes: list[list[int]] = []
        self.writers: list[int] = []
        self.fails = fails
        self.gate = threading.Event()
        self.gate.set()
        self.begun = threading.Semaphore(0)
        self._writing = threading.Lock()

    @property
    def written(self) -> list[int]:
        return [each for write in self.writes for each in write]

    def append(self, group: Sequence[Record]) -> None:
        assert self._writing.acquire(blocking=False), "two write at once"
        self.begun.release()
        try:
            assert self.gate.wait(SOON)
            assert group
            if len(self.writes) == self.fails:
                self.fails = -1  # a second one would land, and must not be tried
                raise FULL
            self.writers.append(threading.get_ident())
            self.writes.append([each["n"] for each in group])
        finally:
            self._writing.release()


def at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    """What `work(0)`, `work(1)` … gave, run in a thread each from the same moment on."""
    barrier = threading.Barrier(count)

    def begin(number: int) -> Any:
        barrier.wait(SOON)
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))


@settings(derandomize=True, max_examples=40, deadline=None)
@given(
    threads=st.integers(1, 6),
    each=st.integers(1, 12),
    fails=st.none() | st.integers(0, 20),
    soon=st.booleans(),
)
def test_what_is_acknowledged_is_written_and_nothing_else(
    threads: int, each: int, fails: int | None, soon: bool
) -> None:
    place = Place(fails)
    group = GroupCommit(place.append)

    def work(number: int) -> tuple[list[int], list[BaseException]]:
        told: list[int] = []
        errors: list[BaseException] = []
        mine = [number * 100 + nth for nth in range(each)]
        begun = boottime()
        pendings = ([(n, group.soon({"n": n})) for n in chunk] for chunk in ([mine] if soon else zip(mine)))
        for n, pending in (pair for chunk in pendings for pair in chunk):
            try:
                assert begun <= pending.wait() <= boottime()
            except OSError as error:
                errors.append(error)
            else:
                assert n in place.written, "told before it was written"
                told.append(n)
        return told, errors

    done = at_once(threads, work)
    for number, (told, errors) in enumerate(done):
        assert told == [number * 100 + nth for nth in range(len(told))], "a thread's records keep their order"
        assert told == [n for n in place.written if n // 100 == number]
        assert len(told) + len(errors) == each
        assert all(error is FULL for error in errors)
    if place.fails == -1:
        assert len(place.writes) == fails, "something was written after a write had failed"
        with pytest.raises(OSError, match="no space left"):
            group.soon({"n": 0}).wait()


def test_who_records_while_a_write_is_under_way_is_in_the_next_one() -> None:
    place = Place()
    group = GroupCommit(place.append)
    place.gate.clear()
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(group.soon({"n": 0}).wait)
        assert place.begun.acquire(timeout=SOON)
        rest = [pool.submit(group.soon({"n": n}).wait) for n in range(1, 6)]
        assert not any(each.done() for each in (first, *rest)), "nobody is told before the write is done"
        place.gate.set()
        assert len({each.result(SOON) for each in rest}) == 1
    assert place.writes == [[0], [1, 2, 3, 4, 5]]


def test_one_failed_write_fails_all_that_wait_for_it() -> None:
    place = Place(fails=1)
    group = GroupCommit(place.append)
    group.soon({"n": 0}).wait()
    waiting = [group.soon({"n": n}) for n in range(1, 4)]
    for pending in (*waiting, group.soon({"n": 4})):
        with pytest.raises(OSError, match="no space left"):
            pending.wait()
    assert place.writes == [[0]]


def test_what_is_recorded_soon_goes_out_with_what_somebody_waits_for() -> None:
    place = Place()
    group = GroupCommit(place.append)
    early = group.soon({"n": 1})
    assert not early.is_settled
    group.soon({"n": 2}).wait()
    assert early.is_settled
    early.wait()
    assert place.writes == [[1, 2]]


def test_whoever_lingers_leaves_the_write_to_the_next_that_is_in_a_hurry() -> None:
    place = Place()
    group = GroupCommit(place.append)
    early = group.soon({"n": 1})
    with ThreadPoolExecutor(1) as pool:
        lingering = pool.submit(early.wait, SOON)
        group.soon({"n": 2}).wait()
        lingering.result(SOON)
    assert place.writers == [threading.get_ident()]
    late = group.soon({"n": 3})
    late.wait(0.001)  # but it does not wait for ever
    assert place.writes == [[1, 2], [3]]


class Heart:
    """Beats are told by `beaten`; the one of number `fails` fails."""

    def __init__(self, fails: int | None = None) -> None:
        self.beaten = threading.Semaphore(0)
        self._number = count()
        self._fails = fails

    def beat(self) -> None:
        if next(self._number) == self._fails:
            raise Precondition("the lock was broken")
        self.beaten.release()

    def lives(self, times: int) -> bool:
        return all(self.beaten.acquire(timeout=SOON) for _ in range(times))


def test_a_run_that_writes_nothing_beats_until_it_ends() -> None:
    heart = Heart()
    group = GroupCommit(Place().append, heart.beat, 0.001)
    assert heart.lives(5)
    group.end()
    with group.pen:
        pass
    while heart.beaten.acquire(blocking=False):
        pass
    assert not heart.beaten.acquire(timeout=0.05)
    group.soon({"n": 1}).wait()  # a fold may still follow


def test_a_beat_waits_for_a_write_that_is_under_way() -> None:
    place, heart = Place(), Heart()
    group = GroupCommit(place.append, heart.beat, 0.001)
    place.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(group.soon({"n": 1}).wait)
        assert place.begun.acquire(timeout=SOON)
        while heart.beaten.acquire(blocking=False):
            pass
        assert not heart.beaten.acquire(timeout=0.05)
        place.gate.set()
        writing.result(SOON)
    assert heart.lives(2)
    group.end()


def test_a_beat_that_fails_ends_the_writing() -> None:
    place, heart = Place(), Heart(fails=2)
    group = GroupCommit(place.append, heart.beat, 0.001)
    assert heart.lives(2)
    beating = [each for each in threading.enumerate() if each.name == "beat"]
    for each in beating:
        each.join(SOON)
    with pytest.raises(Precondition, match="the lock was broken"):
        group.soon({"n": 1}).wait()
    assert place.writes == []


INTENT = Intent("op", "2025-12-07T00:00:00+00:00", {"name": "n"})


def _intent(address: str) -> Record:
    return records.intent(address, INTENT)


def test_the_state_in_memory_is_what_the_journal_holds(tmp_path: Path) -> None:
    """Several threads bind one address and rename it: in another order another state comes of it."""
    store = open_local(tmp_path / "s.json", tmp_path / ".defendctl", None)
    with store.session(print) as session:
        session.revision = Revision("a" * 40, 1)

        def work(number: int) -> None:
            for nth in range(4):
                session.record_soon(_intent("all"))
                session.record_soon(records.bound("all", "op", f"wkfl_{number}_{nth}"))
                session.record(records.moved(f"w{number}-{nth}", "all"))

        at_once(4, work)
        read = open_local(tmp_path / "s.json", tmp_path / ".defendctl", None).read().state
        assert read == session.state
        assert session.has_recorded
        journal = store.backend.read().journal
        assert journal
        assert [number for number, each in enumerate(journal.records) if "revision" in each] == [0]
    assert store.read().state.bindings == session.state.bindings


def test_nothing_changes_in_memory_that_was_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_local(tmp_path / "s.json", tmp_path / ".defendctl", None)
    with store.session(print) as session:
        session.record(_intent("a"))
        _fail_appends(session, monkeypatch)
        pending = session.record_soon(_intent("b"))
        for record in (_intent("c"), _intent("d")):
            with pytest.raises(OSError, match="no space left"):
                session.record(record)
        with pytest.raises(OSError, match="no space left"):
            pending.wait()
        assert set(session.state.unresolved) == {"a"}
    assert set(store.read().state.unresolved) == {"a"}


def test_the_commit_is_noted_with_the_first_record_that_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_local(tmp_path / "s.json", tmp_path / ".defendctl", None)
    with store.session(print) as session:
        session.revision = Revision("a" * 40, 1)
        _fail_appends(session, monkeypatch)
        with pytest.raises(OSError, match="no space left"):
            session.record(_intent("a"))
        assert not session.has_recorded
    assert store.read().state.attempted is None


def _fail_appends(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(group: Sequence[Record]) -> None:
        raise FULL

    monkeypatch.setattr(session._lease, "append", full)


def test_what_nobody_waited_for_is_written_at_the_end(tmp_path: Path) -> None:
    store = open_local(tmp_path / "s.json", tmp_path / ".defendctl", None)
    with store.session(print) as session:
        session.record_soon(_intent("a"))
    assert set(store.read().state.unresolved) == {"a"}


def test_where_the_kernel_knows_who_lives_nothing_beats(tmp_path: Path) -> None:
    store = open_local(tmp_path / "s.json", tmp_path / ".defendctl", None)
    before = threading.active_count()
    with store.session(print) as session:
        session.record(_intent("a"))
        assert threading.active_count() == before


def test_a_session_beats_where_its_place_wants_to_hear_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no more once its lock is released."""
    store, heart = open_local(tmp_path / "s.json", tmp_path / ".defendctl", None), Heart()
    backend = local(store)
    backend.pulse = 0.001
    monkeypatch.setattr("defendctl.state.local.backend.LocalLease.beat", lambda lease: heart.beat())
    with store.session(print) as session:
        assert heart.lives(3)
        session.record(_intent("a"))
    while heart.beaten.acquire(blocking=False):
        pass
    assert not heart.beaten.acquire(timeout=0.05)
