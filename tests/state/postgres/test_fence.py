"""Whose lock was broken adds nothing, whenever that happens; one of many gets the lock."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from defendctl.diagnostics import Precondition
from defendctl.state.backend import Locked, Unreachable
from defendctl.state.lines import encode
from tests.servers.pgbouncer import shared_pgbouncer
from tests.state.postgres.door import Door
from tests.state.postgres.given import await_blocked, leased, row_held
from tests.state.test_backend_contract import HEAD, NEW, OLD, OTHER, owner, record, refuse_to_warn

if TYPE_CHECKING:
    from collections.abc import Callable

    from defendctl.state.owner import Owner
    from defendctl.state.postgres.lease import PostgresLease

pytestmark = pytest.mark.slow
BREAK = "update defendctl.state set epoch = epoch + 1, owner = null where key = %s"
WRITES: dict[str, Callable[[PostgresLease], object]] = {
    "append": lambda lease: lease.append([record(1)]),
    "replace": lambda lease: lease.replace(NEW),
    "beat": lambda lease: lease.beat(),
}


@pytest.mark.parametrize("write", WRITES)
def test_a_write_that_waits_while_the_lock_is_broken_is_refused(door: Door, write: str) -> None:
    """It began before the lock was broken, and ends after: what counts is what is there when it goes on."""
    with leased(door.open()) as lease:
        lease.append([HEAD, record(0)])
        with ThreadPoolExecutor(1) as pool, row_held(door, BREAK):
            late = pool.submit(WRITES[write], lease)
            await_blocked(door)
        with pytest.raises(Precondition):
            late.result()
    stored = door.open().read()
    assert stored.document is None
    assert stored.journal
    assert [*stored.journal.records] == [record(0)]


def test_a_journal_is_not_dropped_by_a_run_whose_lock_is_broken_meanwhile(door: Door) -> None:
    """Whoever broke it may have read it, and have nothing else of it yet."""
    with leased(door.open()) as lease:
        lease.append([HEAD, record(0)])
        with ThreadPoolExecutor(1) as pool, row_held(door, BREAK):
            late = pool.submit(lease.drop_journal)
            await_blocked(door)
        assert [*late.result()] == []
    assert door.open().read().journal


@pytest.mark.parametrize("write", WRITES)
def test_a_lock_that_this_run_took_once_more_ends_the_lease_of_before(door: Door, write: str) -> None:
    """As a request for the lock may do that was taken for lost and arrives late."""
    with leased(door.open()) as lease:
        door.sql("update defendctl.state set epoch = epoch + 1 where key = $1")
        with pytest.raises(Precondition):
            WRITES[write](lease)
    assert door.open().held() is None


def test_the_epoch_grows_with_every_lock_that_is_taken_or_given_back(door: Door) -> None:
    seen = [0]

    def look() -> None:
        ((epoch,),) = door.sql("select epoch from defendctl.state where key = $1")
        assert isinstance(epoch, int)
        seen.append(epoch)

    for name in ("alice", "bob"):
        with leased(door.open(), name):
            look()
        look()
    with leased(door.open()):
        look()
        door.open().unlock("alice")
        look()
    assert [*sorted({*seen})] == seen


def test_a_document_that_somebody_points_to_by_hand_is_not_replaced(door: Door) -> None:
    """As whoever puts an older one back with psql, while a run goes on that has read another."""
    with leased(door.open()) as lease:
        lease.replace(OLD)
        lease.replace(NEW)
        door.sql(
            "update defendctl.state set version = "
            "(select min(id) from defendctl.versions where key = $1) where key = $1"
        )
        for _ in range(2):
            with pytest.raises(Precondition):
                lease.replace(OTHER)
    assert door.open().read().document == OLD


def test_what_a_zombie_cannot_record_it_can_leave(door: Door) -> None:
    backend = door.open()
    with leased(backend, "bob") as zombie:
        door.open().unlock("bob")
        with leased(door.open()) as heir:
            heir.replace(OLD)
            with pytest.raises(Precondition):
                zombie.append([HEAD, record(0)])
            assert "left_ids" in (backend.leave("0123abcd", "wkfl_1") or "")
            assert door.open().left(["0123abcd"]) == {"0123abcd": "wkfl_1"}
            heir.append([HEAD, record(1)])
    (stray,) = door.open().strays(())
    assert (stray.op, stray.workflow_id) == ("0123abcd", "wkfl_1")
    assert "wkfl_1" in stray.told
    assert "0123abcd" in stray.told


def test_of_many_that_want_the_lock_at_once_one_gets_it(door: Door) -> None:
    backends = [door.open(port=port) for port in (None, shared_pgbouncer()) for _ in range(3)]

    def take(number: int) -> PostgresLease | None:
        with suppress(Locked):
            return backends[number].lock(owner(f"run-{number}"), refuse_to_warn)
        return None

    with ThreadPoolExecutor(len(backends)) as pool:
        for _ in range(10):
            won = [lease for lease in pool.map(take, range(len(backends))) if lease]
            assert len(won) == 1
            won[0].append([HEAD])
            won[0].release()


def test_a_lock_that_is_given_back_while_it_is_looked_at_is_taken(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend, other = door.open(), door.open()
    before = other.lock(owner("bob"), refuse_to_warn)
    look = backend._look

    def look_late() -> dict[str, object]:
        before.release()
        return look()

    monkeypatch.setattr(backend, "_look", look_late)
    with leased(backend):
        held = door.open().held()
        assert held
        assert held.owner.id == "alice"


def test_what_the_last_holder_writes_until_it_goes_is_read_by_the_next(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is read before the lock is there may be less than what is there with it."""
    backend, before = door.open(), door.open().lock(owner("bob"), refuse_to_warn)
    take = backend._lock

    def take_late(who: Owner) -> int:
        before.replace(NEW)
        before.append([HEAD, record(0)])
        before.release()
        return take(who)

    monkeypatch.setattr(backend, "_lock", take_late)
    with leased(backend) as lease:
        assert lease.stored.document == NEW
        assert lease.stored.journal
        assert [*lease.stored.journal.records] == [record(0)]
        lease.replace(OLD)


def test_a_write_that_was_interrupted_is_the_last(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it was done is not known, and nobody waits to find out."""
    with leased(door.open()) as lease, monkeypatch.context() as patch:
        patch.setattr(lease._link, "ask", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            lease.append([HEAD])
        patch.undo()
        with pytest.raises(Unreachable, match="interrupted"):
            lease.append([HEAD])
    assert door.open().held() is None


def test_who_is_interrupted_while_it_locks_leaves_no_lock_behind(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = door.open()
    real = backend._link.ask

    def interrupted(*given: Any, **values: Any) -> Any:
        monkeypatch.setattr(backend._link, "ask", real)
        real(*given, **values)
        raise KeyboardInterrupt

    monkeypatch.setattr(backend._link, "ask", interrupted)
    with pytest.raises(KeyboardInterrupt):
        backend.lock(owner("alice"), refuse_to_warn)
    assert door.open().held() is None


def _interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_an_epoch_that_comes_again_is_not_the_lease_of_before(door: Door) -> None:
    """As after a database was put back to an older day: the id of the owner tells them apart."""
    with leased(door.open(), "bob") as zombie:
        door.sql("delete from defendctl.state where key = $1")
        with leased(door.open()) as heir:
            with pytest.raises(Precondition):
                zombie.append([HEAD, record(0)])
            heir.append([HEAD, record(1)])
    assert door.open().held() is None


def test_another_record_in_the_same_place_is_not_taken_for_ours(door: Door) -> None:
    with leased(door.open()) as lease:
        line = encode(record(7)).decode().strip()
        door.sql(f"insert into defendctl.journal (key, epoch, seq, line) values ($1, 1, 0, '{line}')")
        with pytest.raises(Precondition):
            lease.append([HEAD])


def test_the_beat_of_a_holder_moves_with_all_it_writes(door: Door) -> None:
    beats = []
    with leased(door.open()) as lease:
        for write in ("nothing", "beat", "append", "beat"):
            if write != "nothing":
                WRITES[write](lease)
            held = door.open().held()
            assert held
            beats.append(held.beat)
    assert len({*beats}) == len(beats)


def test_the_holder_that_is_told_after_a_read_is_told_once(door: Door) -> None:
    """A waiter that looks again must see what is there then."""
    backend = door.open()
    backend.read()
    with leased(door.open()):
        assert backend.held() is None
        held = backend.held()
        assert held
        assert held.owner.id == "alice"


@pytest.mark.parametrize(("there", "lock_id"), [('{"id": 7}', "7"), ("{}", ""), ("[1]", ""), ('"x"', "")])
def test_an_owner_that_nobody_wrote_holds_the_lock_all_the_same(door: Door, there: str, lock_id: str) -> None:
    """And can be broken by what the message says."""
    with leased(door.open()):
        door.sql(f"update defendctl.state set owner = '{there}' where key = $1")
        with pytest.raises(Locked, match="somebody") as refused:
            door.open().lock(owner("bob"), refuse_to_warn)
        assert (refused.value.hint or "").endswith("state unlock {}".format(lock_id or "''"))
        door.open().unlock(lock_id)
        with leased(door.open(), "bob"):
            pass


def test_an_owner_that_is_nothing_holds_no_lock(door: Door) -> None:
    with leased(door.open()):
        door.sql("update defendctl.state set owner = 'null' where key = $1")
        assert door.open().held() is None
        with leased(door.open(), "bob"):
            pass


def test_runs_in_different_keys_do_not_meet(door: Door) -> None:
    other = Door(door.cluster, door.root, uuid.uuid4().hex)
    with leased(door.open()) as mine, leased(other.open()) as theirs:
        mine.append([HEAD, record(0)])
        theirs.replace(NEW)
    assert door.open().read().journal
    assert other.open().read().journal is None
