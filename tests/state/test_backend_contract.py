"""What every backend keeps to, whatever it is made of: the protocol of `defendctl/state/backend.py`, run.

Another backend joins by a row in `PLACES`: how to open it at a place of its own, as often as there are runs.
Places differ in one thing: where appends are fenced, a run whose lock was broken adds nothing; where they are
not, what it adds late is read and folded.
"""

from __future__ import annotations

import json
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest

from defendctl.diagnostics import Precondition
from defendctl.state.backend import NotLocked, version_of
from defendctl.state.lines import head
from defendctl.state.local.backend import LocalBackend
from defendctl.state.open import open_backend
from defendctl.state.owner import this_run
from defendctl.state.register.backend import RegisterBackend
from tests.servers.buckets import at_azure, at_s3
from tests.servers.git_daemon import git_daemon
from tests.servers.pgbouncer import shared_pgbouncer
from tests.servers.postgres import shared_postgres
from tests.servers.tried import PLACE
from tests.state.forge import Forge
from tests.state.memory_engine import MemoryEngine, Shelf
from tests.state.postgres.door import Door

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from _pytest.mark.structures import ParameterSet

    from defendctl.state.backend import Backend, Lease
    from defendctl.state.owner import Owner
    from defendctl.state.records import Record

    Place = Callable[[], Backend]
    """Opens the same state again, as another run does."""

OLD, NEW, OTHER = b'{"serial": 1}\n', b'{"serial": 2}\n', b'{"serial": 3}\n'
HEAD = head("j1", ("lineage", 1, "writer", None))
OPS = ("0123abcd", "4567cdef")


def local(request: pytest.FixtureRequest) -> Place:
    folder: Path = request.getfixturevalue("tmp_path")
    return lambda: LocalBackend(folder / "state.json", folder / ".defendctl", folder)


def memory(request: pytest.FixtureRequest) -> Place:
    """The register, without what any engine of it adds."""
    del request
    shelf = Shelf()
    return lambda: RegisterBackend(MemoryEngine(shelf))


def git(request: pytest.FixtureRequest) -> Place:
    """A clone for every run."""
    forge = Forge(request.getfixturevalue("tmp_path"))
    return forge.backend


def daemon(request: pytest.FixtureRequest) -> Place:
    """The same over a network, to a server that is git's own."""
    forge, stack = Forge(request.getfixturevalue("tmp_path")), ExitStack()
    request.addfinalizer(stack.close)
    url = f"git+{stack.enter_context(git_daemon(forge.folder))}/{forge.bare.name}?key=checkout"
    return lambda: forge.backend(url=url)


def postgres(request: pytest.FixtureRequest) -> Place:
    return Door(shared_postgres(), request.getfixturevalue("tmp_path")).open


def pgbouncer(request: pytest.FixtureRequest) -> Place:
    """By a pooler that lends its connections to one after another."""
    door = Door(shared_postgres(), request.getfixturevalue("tmp_path"))
    return partial(door.open, port=shared_pgbouncer())


def seaweedfs(request: pytest.FixtureRequest) -> Place:
    patch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    place = at_s3(request.getfixturevalue("weed").port, patch)
    return lambda: open_backend(place, request.getfixturevalue("tmp_path"))


def azurite(request: pytest.FixtureRequest) -> Place:
    patch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    place = at_azure(request.getfixturevalue("azure").port, patch)
    return lambda: open_backend(place, request.getfixturevalue("tmp_path"))


PLACES: dict[str, Callable[[pytest.FixtureRequest], Place]] = {
    **{"local": local, "memory": memory, "git": git, "git daemon": daemon},
    **{"postgres": postgres, "pgbouncer": pgbouncer, "seaweedfs": seaweedfs, "azurite": azurite},
}
SLOW = {"git daemon", "postgres", "pgbouncer", "seaweedfs", "azurite"}
"""Those that need a server."""
UNFENCED = {"local"}


def rows(*, fenced: bool | None = None) -> list[ParameterSet]:
    """Places, by whether a run whose lock was broken can add nothing; by default all."""
    chosen = [name for name in PLACES if fenced in (None, name not in UNFENCED)]
    return [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in chosen]


at_fenced = pytest.mark.parametrize("place", rows(fenced=True), indirect=True)
at_unfenced = pytest.mark.parametrize("place", rows(fenced=False), indirect=True)


@pytest.fixture(params=rows())
def place(request: pytest.FixtureRequest) -> Place:
    request.node.user_properties.append((PLACE, request.param))
    return PLACES[request.param](request)


def owner(name: str) -> Owner:
    return replace(this_run(), id=name, user=name)


def refuse_to_warn(message: str) -> None:
    raise AssertionError(f"nobody left a lock here: {message}")


@contextmanager
def leased(backend: Backend, name: str = "alice") -> Iterator[Lease]:
    lease = backend.lock(owner(name), refuse_to_warn)
    try:
        yield lease
    finally:
        lease.release()


@contextmanager
def broken(place: Place) -> Iterator[tuple[Lease, Lease]]:
    """A run whose lock was broken, with two records written, and the run that took over."""
    backend = place()
    with leased(backend, "bob") as zombie:
        zombie.append([HEAD, record(0)])
        zombie.append([record(1)])
        place().unlock("bob")
        with leased(place()) as heir:
            yield zombie, heir


def record(number: int) -> Record:
    return {"do": "moved", "address": f"to{number}", "from": f"from{number}"}


def written(serial: int) -> bytes:
    """What a place may want to know of a document without parsing it."""
    head = {"lineage": "lineage", "serial": serial, "writer": f"writer{serial}"}
    return (json.dumps(head, indent=2, sort_keys=True) + "\n").encode()


def put(place: Place, document: bytes) -> None:
    with leased(place()) as lease:
        lease.replace(document)


def recorded(place: Place) -> list[Record]:
    journal = place().read().journal
    return [*journal.records] if journal else []


def test_where_nothing_is_nothing_is_read_and_nothing_is_made(place: Place, tmp_path: Path) -> None:
    stored = place().read()
    assert (stored.document, stored.journal, stored.version) == (None, None, None)
    assert place().held() is None
    assert place().newest(None) is None
    assert place().newest("lineage") is None
    assert place().left(OPS) == {}
    assert place().strays(()) == []
    assert [*tmp_path.rglob(".defendctl")] == []


def test_what_is_put_is_read_byte_for_byte(place: Place) -> None:
    for document in (OLD, NEW, b"\x00\xff no state, and no matter of a backend", b""):
        put(place, document)
        stored = place().read()
        assert (stored.document, stored.journal) == (document, None)
        assert stored.version == version_of(document)


def test_a_lease_tells_what_was_there_when_it_was_taken(place: Place) -> None:
    with leased(place()) as lease:
        assert lease.stored.document is None
        lease.replace(OLD)
        lease.append([HEAD, record(0)])
        assert lease.stored.document is None
        assert lease.stored.journal is None
    with leased(place()) as lease:
        assert lease.stored == place().read()
        assert lease.stored.document == OLD


def test_a_lease_goes_on_from_what_it_has_put_itself(place: Place) -> None:
    with leased(place()) as lease:
        for document in (OLD, NEW, OLD):
            lease.replace(document)
            assert place().read().document == document


@pytest.mark.parametrize("before", [None, OLD])
def test_a_document_that_has_changed_is_not_replaced(place: Place, before: bytes | None) -> None:
    if before:
        put(place, before)
    with leased(place(), "bob") as lease:
        place().unlock("bob")
        put(place, NEW)
        for _ in range(2):
            with pytest.raises(Precondition):
                lease.replace(OTHER)
    assert place().read().document == NEW


def test_records_are_read_in_their_order_by_another_run_as_soon_as_append_returns(place: Place) -> None:
    put(place, OLD)
    with leased(place()) as lease:
        lease.append([HEAD, record(0)])
        for number in range(1, 6):
            lease.append([record(2 * number - 1), record(2 * number)])
            assert recorded(place) == [record(each) for each in range(2 * number + 1)]
    assert place().read().document == OLD


def test_the_first_record_of_a_journal_is_its_head(place: Place) -> None:
    """It names the journal and what it extends, and is none of the records."""
    put(place, OLD)
    with leased(place()) as lease:
        lease.append([HEAD])
        journal = place().read().journal
    assert journal
    assert (journal.id, journal.lineage, journal.serial, journal.writer) == ("j1", "lineage", 1, "writer")
    assert (journal.environment, journal.records) == (None, ())


def test_records_outlive_their_run(place: Place) -> None:
    put(place, OLD)
    with leased(place()) as lease:
        lease.append([HEAD, record(0)])
    assert recorded(place) == [record(0)]
    with leased(place()) as lease:
        assert lease.stored.journal
        assert [*lease.stored.journal.records] == [record(0)]


def test_a_journal_of_this_run_is_dropped_and_another_begun(place: Place) -> None:
    put(place, OLD)
    with leased(place()) as lease:
        for number in range(2):
            lease.append([HEAD, record(number)])
            assert recorded(place) == [record(number)]
            lease.replace(NEW)
            assert [*lease.drop_journal()] == []
            assert place().read().journal is None
    assert place().read().document == NEW


def test_a_journal_that_was_left_is_dropped_whole(place: Place) -> None:
    put(place, OLD)
    with leased(place()) as lease:
        lease.append([HEAD, record(0)])
    with leased(place()) as lease:
        assert [*lease.drop_journal()] == [], "what the lease told of is not late"
        assert place().read().journal is None
        lease.append([HEAD, record(1)])
        assert recorded(place) == [record(1)]


@at_unfenced
def test_what_a_run_records_after_its_lock_was_broken_is_late_and_not_lost(place: Place) -> None:
    put(place, OLD)
    with broken(place) as (zombie, heir):
        zombie.append([record(2)])
        zombie.append([record(3)])
        assert heir.stored.journal
        assert [*heir.stored.journal.records] == [record(0), record(1)]
        assert [*heir.drop_journal()] == [record(2), record(3)]
        assert place().read().journal is None


@at_fenced
def test_a_run_whose_lock_was_broken_adds_nothing_late(place: Place) -> None:
    """From the moment on at which it was broken, whoever took over or nobody yet."""
    put(place, OLD)
    with leased(place(), "bob") as zombie:
        zombie.append([HEAD, record(0)])
        place().unlock("bob")
        for _ in range(2):
            with pytest.raises(Precondition):
                zombie.append([record(1)])
            with pytest.raises(Precondition):
                zombie.beat()
        with leased(place()) as heir:
            with pytest.raises(Precondition):
                zombie.append([record(1)])
            assert heir.stored.journal
            assert [*heir.stored.journal.records] == [record(0)]
            assert [*heir.drop_journal()] == []
    assert recorded(place) == []


@at_fenced
def test_a_document_takes_the_records_that_are_part_of_it_with_it(place: Place) -> None:
    """In one step, so that no reader sees the one without the other; a journal begins anew after it."""
    put(place, OLD)
    with leased(place(), "bob") as lease:
        lease.append([HEAD, record(0)])
    with leased(place()) as lease:
        lease.replace(NEW)
        assert place().read().journal is None
        lease.append([HEAD, record(1)])
        lease.append([record(2)])
        assert recorded(place) == [record(1), record(2)]
        lease.replace(OTHER)
        assert place().read().journal is None
        assert [*lease.drop_journal()] == []
    assert place().read().document == OTHER


@at_fenced
def test_the_beat_changes_with_every_sign_of_life(place: Place) -> None:
    def beat() -> str:
        held = place().held()
        return held.beat if held else ""

    put(place, OLD)
    with leased(place()) as lease:
        seen = [beat()]
        assert beat() == seen[0], "nobody has moved"
        lease.beat()
        seen.append(beat())
        lease.append([HEAD, record(0)])
        seen.append(beat())
        lease.beat()
        seen.append(beat())
        assert recorded(place) == [record(0)]
    assert len(set(seen)) == 4
    assert "" not in seen
    assert 0 < place().pulse < place().silence


@at_fenced
def test_earlier_states_are_kept_and_told_the_newest_first(place: Place) -> None:
    for serial in range(1, 5):
        put(place, written(serial))
    backend = place()
    assert [(one.serial, one.writer) for one in backend.versions()] == [
        (serial, f"writer{serial}") for serial in range(4, 0, -1)
    ]
    assert all(str(one.serial) in one.restore for one in backend.versions())
    assert all(datetime.fromisoformat(one.at).utcoffset() == timedelta(0) for one in backend.versions())
    newest = backend.newest("lineage")
    assert newest
    assert newest.serial >= 3
    assert backend.newest("another") is None


@at_fenced
def test_a_place_that_keeps_what_it_promises_passes_its_probe_and_is_as_before(place: Place) -> None:
    place().probe()
    assert place().read().document is None
    put(place, OLD)
    place().probe()
    assert (place().read().document, place().held(), [*place().strays(())]) == (OLD, None, [])


def test_a_journal_that_came_later_is_left(place: Place) -> None:
    put(place, OLD)
    with leased(place(), "bob") as zombie:
        place().unlock("bob")
        with leased(place()) as heir:
            heir.append([HEAD, record(0)])
            assert [*zombie.drop_journal()] == []
            assert recorded(place) == [record(0)]
            heir.append([record(1)])
    assert recorded(place) == [record(0), record(1)]


def test_a_run_whose_lock_was_broken_drops_its_own_journal_only(place: Place) -> None:
    put(place, OLD)
    with broken(place) as (zombie, heir):
        heir.drop_journal()
        heir.append([HEAD, record(5)])
        assert [*zombie.drop_journal()] == []
        assert recorded(place) == [record(5)]


def test_a_run_whose_lock_was_broken_writes_nothing_more(place: Place) -> None:
    put(place, OLD)
    with broken(place) as (zombie, heir):
        heir.drop_journal()
        heir.replace(NEW)
        heir.append([HEAD, record(5)])
        for _ in range(2):
            with pytest.raises(Precondition):
                zombie.append([record(2)])
            with pytest.raises(Precondition):
                zombie.replace(OTHER)
        assert recorded(place) == [record(5)]
    assert place().read().document == NEW


@pytest.mark.parametrize("is_over", [False, True], ids=["the heir goes on", "the heir has ended"])
def test_a_run_whose_lock_was_broken_begins_no_journal(place: Place, is_over: bool) -> None:
    put(place, OLD)
    with leased(place(), "bob") as zombie:
        place().unlock("bob")
        with leased(place()) as heir:
            heir.replace(NEW)
            heir.append([HEAD, record(0)])
            if is_over:
                heir.drop_journal()
                heir.release()
            for _ in range(2):
                with pytest.raises(Precondition):
                    zombie.append([HEAD, record(1)])
            assert recorded(place) == ([] if is_over else [record(0)])


def test_the_release_of_a_broken_lock_leaves_that_of_the_next(place: Place) -> None:
    with leased(place(), "bob") as zombie:
        place().unlock("bob")
        with leased(place()):
            zombie.release()
            held = place().held()
            assert held
            assert (held.owner.id, held.alive) == ("alice", True)
            with pytest.raises(Precondition), leased(place(), "carol"):
                pass


def test_a_second_run_is_refused_in_the_words_of_the_first(place: Place) -> None:
    with leased(place(), "alice"):
        with pytest.raises(Precondition) as refused, leased(place(), "bob"):
            pass
        assert str(owner("alice")).partition(", since")[0] in refused.value.message
        assert "state unlock alice" in (refused.value.hint or "")
    with leased(place(), "bob") as lease:
        lease.replace(OLD)


def test_a_reader_needs_no_lock(place: Place) -> None:
    with leased(place()) as lease:
        lease.replace(OLD)
        assert place().read().document == OLD


def test_who_holds_the_lock_is_told_while_it_is_held(place: Place) -> None:
    assert place().held() is None
    with leased(place()):
        held = place().held()
        assert held
        assert (held.owner.id, held.owner.user, held.alive) == ("alice", "alice", True)
    assert place().held() is None


def test_a_lock_is_broken_by_its_id_and_by_no_other(place: Place) -> None:
    with pytest.raises(NotLocked):
        place().unlock("alice")
    with leased(place()):
        with pytest.raises(Precondition) as refused:
            place().unlock("bob")
        assert "alice" in refused.value.message
        held = place().held()
        assert held
        assert held.alive
        assert place().unlock("alice").id == "alice"
        assert place().held() is None
        with leased(place(), "bob"):
            held = place().held()
            assert held
            assert held.owner.id == "bob"


def test_an_id_that_was_left_is_found_by_its_operation_and_forgotten_with_it(place: Place) -> None:
    mine, others = OPS
    put(place, OLD)
    assert place().leave(mine, "wkfl_1")
    assert place().leave(others, "wkfl_2")
    assert place().left([mine, "89abef01"]) == {mine: "wkfl_1"}
    assert place().left(OPS) == {mine: "wkfl_1", others: "wkfl_2"}
    assert place().strays(OPS) == []
    (stray,) = place().strays([mine])
    assert (stray.op, stray.workflow_id) == (others, "wkfl_2")
    assert others in stray.told

    place().forget_left(mine)
    place().forget_left(mine)
    assert place().left(OPS) == {others: "wkfl_2"}
    place().forget_left(others)
    assert (place().left(OPS), [*place().strays(())]) == ({}, [])
    assert place().read().document == OLD


def test_an_id_is_left_by_a_run_whose_lock_was_broken_too(place: Place) -> None:
    """It is fenced by nothing: it is the last that is known of a workflow that was made."""
    put(place, OLD)
    with broken(place) as (zombie, heir):
        heir.replace(NEW)
        heir.drop_journal()
        with pytest.raises(Precondition):
            zombie.append([record(2)])
        assert place().leave(OPS[0], "wkfl_1")
        assert place().left(OPS) == {OPS[0]: "wkfl_1"}


def test_who_may_read_the_document_stays(place: Place) -> None:
    put(place, OLD)
    for file in place().files[:1]:
        file.chmod(0o640)
    before = place().mode()
    put(place, NEW)
    assert place().mode() == before
    assert place().read().document == NEW


def test_a_place_is_named_with_no_more_than_where_it_is(place: Place) -> None:
    backend = place()
    assert backend.where
    assert backend.journal
    assert backend.where != backend.journal
    put(place, OLD)
    assert all(file.exists() for file in backend.files[:1])
