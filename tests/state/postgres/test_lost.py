"""Connections that break before or after what they carry was done: nothing lost, nothing twice."""

from __future__ import annotations

import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from defendctl.diagnostics import DefendctlError
from defendctl.state.backend import Unreachable
from defendctl.state.postgres import link
from defendctl.state.postgres.backend import PATIENCE
from tests.servers.postgres import postgres
from tests.servers.proxy import proxied
from tests.state.postgres.door import Door
from tests.state.postgres.given import await_blocked, leased, row_held, through_proxy
from tests.state.test_backend_contract import HEAD, NEW, OLD, owner, record, refuse_to_warn

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from defendctl.state.postgres.backend import PostgresBackend
    from defendctl.state.postgres.lease import PostgresLease
    from tests.servers.proxy import Loss

pytestmark = pytest.mark.slow
LOSSES: tuple[Loss, ...] = ("before", "after")
OP = "0123abcd"


def lines(door: Door) -> list[object]:
    """Of the journal, the head without its own."""
    return [
        row[0] for row in door.sql("select seq from defendctl.journal where key = $1 order by epoch, seq")
    ]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("nth", [1, 2], ids=["of the lock", "of the read under it"])
def test_the_lock_is_taken_once(door: Door, loss: Loss, nth: int) -> None:
    with through_proxy(door) as (backend, proxy):
        proxy.lose_next(loss, nth)
        lease = backend.lock(owner("alice"), refuse_to_warn)
        lease.append([HEAD, record(0)])
        held = door.open().held()
        assert held
        assert held.owner.id == "alice"
        lease.release()
    assert door.open().held() is None


def test_a_lock_that_cannot_be_released_is_told_of(door: Door) -> None:
    told: list[str] = []
    with through_proxy(door) as (backend, proxy):
        lease = backend.lock(owner("alice"), told.append)
        proxy.refuses = True
        proxy.cut()
        lease.release()
    (warning,) = told
    assert "defendctl state unlock alice" in warning
    assert door.open().held() is not None


STEPS: dict[str, Callable[[PostgresLease], object]] = {
    "append": lambda lease: lease.append([record(1), record(2)]),
    "replace": lambda lease: lease.replace(NEW),
    "drop": lambda lease: lease.drop_journal(),
    "beat": lambda lease: lease.beat(),
    "release": lambda lease: lease.release(),
}
AFTER = {
    "append": (OLD, [0, 1, 2, 3]),
    "replace": (NEW, []),
    "drop": (OLD, []),
    "beat": (OLD, [0, 1]),
    "release": (OLD, [0, 1]),
}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("step", STEPS)
def test_each_step_of_a_lease_is_done_once(door: Door, step: str, loss: Loss) -> None:
    with through_proxy(door) as (backend, proxy), leased(backend) as lease:
        lease.replace(OLD)
        lease.append([HEAD, record(0)])
        proxy.lose_next(loss)
        STEPS[step](lease)
        assert (door.open().read().document, lines(door)) == AFTER[step]
        if step != "release":
            before = len(lines(door))
            lease.append([record(3)])
            assert len(lines(door)) == before + 1
    assert door.open().held() is None


@pytest.mark.parametrize("loss", LOSSES)
def test_a_document_whose_answer_was_lost_is_kept_once(door: Door, loss: Loss) -> None:
    with through_proxy(door) as (backend, proxy), leased(backend) as lease:
        proxy.lose_next(loss)
        lease.replace(OLD)
        lease.replace(NEW)
    assert door.sql("select count(*) from defendctl.versions where key = $1") == [(2,)]
    assert door.open().read().document == NEW


ASKED: dict[str, Callable[[PostgresBackend], object]] = {
    "read": lambda backend: backend.read().document,
    "held": lambda backend: getattr(backend.held(), "owner", owner("nobody")).id,
    "leave": lambda backend: "left_ids" in (backend.leave(OP, "wkfl_1") or "nowhere"),
    "left": lambda backend: backend.left([OP]),
    "forget": lambda backend: backend.forget_left(OP),
    "unlock": lambda backend: backend.unlock("bob").id,
}
ANSWERS = {"read": OLD, "held": "bob", "leave": True, "left": {}, "forget": None, "unlock": "bob"}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("asked", ASKED)
def test_each_question_is_answered(door: Door, asked: str, nth: int, loss: Loss) -> None:
    with leased(door.open(), "bob") as lease, through_proxy(door) as (backend, proxy):
        lease.replace(OLD)
        proxy.lose_next(loss, nth)
        assert ASKED[asked](backend) == ANSWERS[asked]


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_acknowledged_is_read_by_the_next_run(door: Door, seed: int) -> None:
    """Of all exchanges about a third is lost, on either side; records come once and in order."""
    draw = random.Random(seed)
    told: list[object] = []
    with proxied(door.port) as proxy:
        proxy.lose = lambda number: draw.choice(["before", "after", None, None, None, None, None])
        backend = door.open(port=proxy.port)
        backend.patience = 60.0
        lease = backend.lock(owner("alice"), refuse_to_warn)
        for number in range(12):
            if number % 5 == 4:
                lease.replace(b"%d" % number)
                told = []
            batch = [record(number), record(100 + number)]
            lease.append(batch if told else [HEAD, *batch])
            told += batch
    stored = door.open().read()
    assert stored.journal
    assert [*stored.journal.records] == told
    assert stored.document == b"9"


def test_a_server_that_loses_three_answers_of_ten_is_hardly_ever_given_up(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Less than once in a thousand questions: an attempt is up to three exchanges. Its clock counts the
    waits alone."""
    slept: list[float] = []
    monkeypatch.setattr(link, "time", SimpleNamespace(monotonic=lambda: sum(slept), sleep=slept.append))
    with proxied(door.port) as proxy:
        proxy.lose = lambda number: "before"
        with pytest.raises(DefendctlError, match="does not answer"):
            door.open(port=proxy.port).read()
        assert (1 - 0.7**3) ** proxy.questions < 0.001
    assert sum(slept) <= PATIENCE


@pytest.mark.parametrize("how", ["pg_cancel_backend", "pg_terminate_backend"])
def test_a_statement_that_is_cancelled_is_asked_again(door: Door, how: str) -> None:
    with leased(door.open()) as lease, ThreadPoolExecutor(1) as pool:
        with row_held(door):
            written = pool.submit(lease.append, [HEAD, record(0)])
            door.cluster.sql(f"select {how}({await_blocked(door)})")
            await_blocked(door)
        assert written.result() is None
        assert lines(door) == [0, 1]


@pytest.mark.parametrize("state", ["40001", "40P01", "53300", "57P01"])
def test_what_may_pass_is_tried_again(door: Door, state: str) -> None:
    """Failures to serialize, deadlocks and their like, as a trigger raises them three times."""
    name = f"passing_{door.key}"
    door.sql(
        f"""create sequence {name}; grant usage on {name} to public;
        create function {name}() returns trigger language plpgsql as $f$ begin
        if nextval('{name}') <= 3 then raise exception 'gives way' using errcode = '{state}'; end if;
        return new; end $f$;
        create trigger {name} before insert on defendctl.journal for each row
        when (new.key = $1) execute function {name}()"""
    )
    try:
        with leased(door.open()) as lease:
            lease.append([HEAD, record(0)])
            assert lines(door) == [0, 1]
    finally:
        door.sql(f"drop trigger {name} on defendctl.journal")


def test_a_server_that_stands_still_is_not_waited_for(door: Door) -> None:
    with through_proxy(door) as (backend, proxy):
        lease = backend.lock(owner("alice"), refuse_to_warn)
        lease.append([HEAD, record(0)])
        backend._link.limit, lease.patience = 0.3, 0.5
        proxy.stalls = True
        with pytest.raises(Unreachable):
            lease.append([record(1)])
        proxy.stalls = False
        with pytest.raises(Unreachable, match="earlier"):
            lease.append([record(2)])
        lease.release()
    assert lines(door) == [0, 1]
    assert door.open().held() is None


def test_a_lock_that_is_held_by_another_transaction_is_not_waited_for(door: Door) -> None:
    with leased(door.open()) as lease:
        backend = door.open()
        backend._link.limit = backend.patience = 0.3
        with row_held(door), pytest.raises(DefendctlError, match="stands still"):
            backend.lock(owner("bob"), refuse_to_warn)
        lease.append([HEAD])
        held = door.open().held()
        assert held
        assert held.owner.id == "alice", "what was given up is not done late"


def test_a_place_that_cannot_be_reached_is_never_an_empty_one(door: Door, unused_port: int) -> None:
    with proxied(door.port) as proxy:
        proxy.refuses = True
        for port in (proxy.port, unused_port):
            backend = door.open(port=port)
            backend.patience = 0.1
            for ask in (backend.read, backend.held, backend.versions, backend.probe):
                with pytest.raises(DefendctlError, match="does not answer"):
                    ask()


def test_an_id_that_the_store_does_not_take_is_left_on_this_machine(door: Door) -> None:
    """And found by the next run there, which reaches the store again."""
    (door.root / ".defendctl").mkdir()
    with through_proxy(door) as (backend, proxy):
        backend.patience = 0.1
        proxy.refuses = True
        proxy.cut()
        path = backend.leave(OP, "wkfl_1")
        assert path
        assert path.startswith(str(door.root / ".defendctl"))
        proxy.refuses = False
        assert backend.left([OP, "89abef01"]) == {OP: "wkfl_1"}
        (stray,) = backend.strays(())
        assert (stray.op, stray.workflow_id) == (OP, "wkfl_1")
        backend.forget_left(OP)
        assert (backend.left([OP]), [*backend.strays(())]) == ({}, [])


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["fast", "as a power cut"])
def test_a_run_outlives_a_restart_of_the_server(tmp_path: Path, how: int) -> None:
    with postgres() as cluster:
        door = Door(cluster, tmp_path)
        with leased(door.open()) as lease:
            lease.replace(OLD)
            lease.append([HEAD, record(0)])
            with ThreadPoolExecutor(1) as pool:
                cluster.stop(how)
                written = pool.submit(lease.append, [record(1)])
                time.sleep(0.3)
                cluster.start()
                assert written.result() is None
            lease.append([record(2)])
        journal = door.open().read().journal
        assert journal
        assert [*journal.records] == [record(0), record(1), record(2)]
