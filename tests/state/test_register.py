"""The register over an engine that fails as it is told: what was acknowledged is there, whatever got lost."""

from __future__ import annotations

import gzip
import json
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defendctl.diagnostics import DefendctlError, Precondition
from defendctl.exits import Exit
from defendctl.state.backend import Unreachable
from defendctl.state.bounded import gzipped
from defendctl.state.document import LARGEST, DamagedState, NewerState
from defendctl.state.lines import head
from defendctl.state.owner import this_run
from defendctl.state.register import swaps
from defendctl.state.register.backend import RegisterBackend
from defendctl.state.register.lease import KEEP, SEAL
from defendctl.state.register.packing import kept_as
from defendctl.state.register.value import FORMAT, Register, from_bytes, to_bytes
from tests.state.memory_engine import MemoryEngine, Shelf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from defendctl.state.owner import Owner
    from defendctl.state.records import Record
    from defendctl.state.register.lease import RegisterLease
    from tests.state.memory_engine import Fault

HEAD = head("j1", ("lineage", 1, "writer", None))


def owner(name: str) -> Owner:
    return replace(this_run(), id=name, user=name)


def record(number: int) -> Record:
    return {"do": "moved", "address": f"to{number}", "from": f"from{number}"}


def numbers(backend: RegisterBackend) -> list[int]:
    journal = backend.read().journal
    return [int(each["address"].removeprefix("to")) for each in journal.records] if journal else []


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each wait for the place is meant to be; none is waited."""
    found: list[float] = []
    monkeypatch.setattr(swaps, "pause", found.append)
    return found


def scripted(*faults: Fault | None, call: str = "swap") -> Callable[[str], Fault | None]:
    """These, at the first calls of this name; then none."""
    left = [*faults]
    return lambda name: left.pop(0) if name == call and left else None


def opened(
    shelf: Shelf, faults: Callable[[str], Fault | None] | None = None
) -> tuple[RegisterBackend, MemoryEngine]:
    engine = MemoryEngine(shelf)
    if faults:
        engine.faults = faults
    return RegisterBackend(engine), engine


def locked(shelf: Shelf, name: str = "alice") -> tuple[RegisterLease, MemoryEngine]:
    backend, engine = opened(shelf)
    return backend.lock(owner(name), print), engine


@pytest.mark.parametrize("fault", ["before", "after", "refused", "late"])
@pytest.mark.parametrize("times", [1, 3])
def test_a_lost_answer_is_settled_by_looking(
    shelf: Shelf, naps: list[float], fault: Fault, times: int
) -> None:
    """Written once, and the run goes on: no answer, and a refusal of what landed, are both looked after."""
    lease, engine = locked(shelf)
    lease.append([HEAD, record(0)])
    before = shelf.swaps
    engine.faults = scripted(*[fault] * times)
    lease.append([record(1)])
    assert shelf.swaps == before + 1
    assert len(naps) == (times if fault in ("before", "late") else 0)
    lease.append([record(2)])
    assert numbers(opened(shelf)[0]) == [0, 1, 2]


@pytest.mark.parametrize("fault", ["before", "after", "refused", "late"])
def test_a_lock_whose_answer_was_lost_is_ours(shelf: Shelf, naps: list[float], fault: Fault) -> None:
    backend, _ = opened(shelf, scripted(fault))
    lease = backend.lock(owner("alice"), print)
    lease.append([HEAD, record(0)])
    with pytest.raises(Precondition):
        opened(shelf)[0].lock(owner("bob"), print)
    assert numbers(backend) == [0]


@pytest.mark.parametrize("fault", ["before", "after", "refused", "late"])
def test_a_lock_is_broken_though_the_answer_was_lost(shelf: Shelf, naps: list[float], fault: Fault) -> None:
    lease, _ = locked(shelf)
    assert opened(shelf, scripted(fault))[0].unlock("alice").id == "alice"
    assert opened(shelf)[0].held() is None
    with pytest.raises(Precondition):
        lease.append([HEAD, record(0)])


@pytest.mark.parametrize("fault", ["before", "after", "refused", "late"])
def test_a_release_whose_answer_was_lost_is_one(shelf: Shelf, naps: list[float], fault: Fault) -> None:
    lease, engine = locked(shelf)
    engine.faults = scripted(fault)
    lease.release()
    assert opened(shelf)[0].held() is None


def test_a_place_that_stays_silent_is_given_up_and_then_nothing_is_written(
    shelf: Shelf, naps: list[float]
) -> None:
    """For a minute, since what is to be written may be known here alone. What arrives later is fenced."""
    lease, engine = locked(shelf)
    lease.append([HEAD, record(0)])
    engine.faults = lambda call: "before"
    with pytest.raises(Unreachable) as failed:
        lease.append([record(1)])
    assert failed.value.strerror
    assert "memory:test" in failed.value.strerror
    assert sum(naps) == sum(swaps.PATIENT) > 60
    engine.faults = lambda call: None
    before = shelf.register
    with pytest.raises(OSError, match="lost"):
        lease.append([record(2)])
    assert shelf.register == before
    lease.release()
    assert opened(shelf)[0].held() is None, "the lock is released once the place answers again"
    assert numbers(opened(shelf)[0]) == [0]


def test_a_run_in_doubt_releases_no_lock_but_its_own(shelf: Shelf, naps: list[float]) -> None:
    lease, engine = locked(shelf)
    engine.faults = lambda call: "before"
    with pytest.raises(Unreachable):
        lease.append([HEAD, record(0)])
    opened(shelf)[0].unlock("alice")
    heir, _ = locked(shelf, "bob")
    engine.faults = lambda call: None
    lease.release()
    heir.append([HEAD, record(1)])
    assert numbers(opened(shelf)[0]) == [1]


def test_a_store_that_loses_three_answers_of_ten_is_hardly_ever_given_up(
    shelf: Shelf, naps: list[float]
) -> None:
    """Less than once in a thousand questions, in less than three seconds."""
    backend, _ = opened(shelf, lambda call: "before")
    with pytest.raises(DefendctlError, match="cannot be reached"):
        backend.read()
    assert 0.3 ** (1 + len(naps)) < 0.001
    assert sum(naps) < 3


def test_every_lock_that_is_taken_or_broken_is_a_new_epoch(shelf: Shelf) -> None:
    epochs = []
    for step in (lambda: locked(shelf), lambda: opened(shelf)[0].unlock("alice"), lambda: locked(shelf)):
        step()
        assert shelf.register
        epochs.append(from_bytes(shelf.register[0], "").epoch)
    assert epochs == [1, 2, 3]


def test_a_lock_that_cannot_be_released_is_told_with_the_command_that_does(
    shelf: Shelf, naps: list[float]
) -> None:
    backend, engine = opened(shelf)
    warnings: list[str] = []
    lease = backend.lock(owner("alice"), warnings.append)
    engine.faults = lambda call: "before"
    lease.release()
    lease.release()
    assert len(warnings) == 1
    assert "state unlock alice" in warnings[0]


def test_what_was_under_way_when_the_lock_was_broken_does_not_arrive(shelf: Shelf, naps: list[float]) -> None:
    lease, engine = locked(shelf)
    lease.append([HEAD, record(0)])
    engine.faults = lambda call: "late" if call == "swap" else "before"
    with pytest.raises(Unreachable):
        lease.append([record(1)])
    late, shelf.pending = shelf.pending, []
    opened(shelf)[0].unlock("alice")
    shelf.pending = late
    shelf.settle()
    assert late
    assert numbers(opened(shelf)[0]) == [0]


def test_an_unreachable_place_is_never_an_empty_one(shelf: Shelf, naps: list[float]) -> None:
    backend, _ = opened(shelf, lambda call: "before")
    for ask in (
        backend.read,
        backend.held,
        backend.versions,
        lambda: backend.lock(owner("alice"), print),
        lambda: backend.unlock("alice"),
        lambda: backend.left(["0123"]),
        lambda: backend.strays([]),
        lambda: backend.forget_left("0123"),
    ):
        with pytest.raises(DefendctlError, match="memory:test cannot be reached") as failed:
            ask()
        assert failed.value.exit_code == Exit.FAILED
    assert backend.leave("0123", "wkfl_1") is None


@pytest.mark.parametrize("landed", [True, False])
def test_who_is_interrupted_while_it_locks_leaves_no_lock_behind(shelf: Shelf, landed: bool) -> None:
    class Interrupted(MemoryEngine):
        times = iter([True])

        def swap(self, *given: Any) -> str:
            is_first = next(self.times, False)
            if is_first and not landed:
                raise KeyboardInterrupt
            version = super().swap(*given)
            if is_first:
                raise KeyboardInterrupt
            return version

    with pytest.raises(KeyboardInterrupt):
        RegisterBackend(Interrupted(shelf)).lock(owner("alice"), print)
    assert opened(shelf)[0].held() is None
    locked(shelf, "bob")


@pytest.mark.parametrize("fault", ["before", "after"])
def test_an_id_is_left_though_an_answer_was_lost(shelf: Shelf, naps: list[float], fault: Fault) -> None:
    assert opened(shelf, scripted(fault, call="put"))[0].leave("0123", "wkfl_1")
    assert opened(shelf)[0].left(["0123"]) == {"0123": "wkfl_1"}


def test_an_operation_of_any_name_keeps_its_id(shelf: Shelf) -> None:
    backend, _ = opened(shelf)
    ops = ["../up", "a b", "ü", "x" * 500, ""]
    for number, op in enumerate(ops):
        backend.leave(op, f"wkfl_{number}")
    assert backend.left(ops) == {op: f"wkfl_{number}" for number, op in enumerate(ops)}
    assert all(name.isalnum() and len(name) <= 64 for name in shelf.loose)
    assert backend.strays(ops) == []


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"[]", b"{", b'{"workflow_id": 3}', b'{"workflow_id": "a\\nb"}']
)
def test_what_is_left_by_somebody_else_is_no_id(shelf: Shelf, data: bytes) -> None:
    shelf.loose["0123"] = data
    backend, _ = opened(shelf)
    assert backend.left(["0123"]) == {}
    assert [each.told for each in backend.strays([])] == ["0123 (it holds no usable id)"]


def test_a_thousand_creates_cost_what_the_first_ones_do(shelf: Shelf) -> None:
    """Bytes a create: bounded, and of no matter how many came before; 130 KB is what is promised."""
    lease, _ = locked(shelf)
    lease.append([HEAD])
    costs = []
    for number in range(1_000):
        before = shelf.sent
        lease.append([{**record(2 * number), "why": "x" * 600}])
        lease.append([{**record(2 * number + 1), "why": "x" * 1_500}])
        costs.append(shelf.sent - before)
    assert max(costs) < 4 * SEAL
    assert sum(costs) / len(costs) < 130_000 / 2
    assert sum(costs[-100:]) < 1.3 * sum(costs[100:200])
    assert numbers(opened(shelf)[0]) == [*range(2_000)]
    lease.replace(b"{}\n")
    assert [*shelf.beside] == [kept_as(b"{}\n", "").name], "sealed records go with the journal"


def test_ten_documents_are_kept(shelf: Shelf) -> None:
    lease, _ = locked(shelf)
    for serial in range(1, 15):
        lease.replace(written(serial))
    lease.release()
    backend, _ = opened(shelf)
    assert [one.serial for one in backend.versions()] == [*range(14, 14 - KEEP, -1)]
    assert len(shelf.beside) == KEEP
    lease, _ = locked(shelf)
    lease.replace(written(13))
    assert len({*shelf.beside}) == KEEP, "one that comes again stands once"
    assert opened(shelf)[0].read().document == written(13)


def written(serial: int) -> bytes:
    body = {"lineage": "lineage", "serial": serial, "writer": f"writer{serial}"}
    return (json.dumps(body, indent=2, sort_keys=True) + "\n").encode()


def test_a_reader_whose_document_was_replaced_meanwhile_looks_again(shelf: Shelf) -> None:
    lease, _ = locked(shelf)
    lease.replace(written(1))
    backend, engine = opened(shelf)

    def go_on(call: str) -> None:
        if call == "fetch" and written(2) not in map(gzip.decompress, shelf.beside.values()):
            lease.replace(written(2))
            del shelf.beside[kept_as(written(1), "").name]

    engine.faults = go_on
    assert backend.read().document == written(2)


# Damage


@contextmanager
def damaged(shelf: Shelf, *words: str) -> Iterator[RegisterBackend]:
    backend, _ = opened(shelf)
    with pytest.raises(DamagedState) as found:
        yield backend
    assert found.value.exit_code == Exit.PRECONDITION
    for word in ("memory:test", *words):
        assert word in found.value.message


def given_register(shelf: Shelf, **body: Any) -> None:
    whole = {**json.loads(to_bytes(Register(epoch=1, nonce="n"))), **body}
    shelf.register = (json.dumps(whole).encode(), "1")


@pytest.mark.parametrize(
    "body",
    [
        {"epoch": "1"},
        {"epoch": True},
        {"nonce": None},
        {"owner": []},
        {"owner": {"id": "x"}},
        {"owner": {"id": 1, "host": "", "pid": 1, "user": "", "started": "", "run": None}},
        {"state": {}},
        {"state": {**asdict(kept_as(b"x", "")), "name": "states/../x"}},
        {"state": {**asdict(kept_as(b"x", "")), "serial": "3"}},
        {"state": {**asdict(kept_as(b"x", "")), "writer": None}},
        {"kept": {}},
        {"sealed": ["journal/../../x"]},
        {"sealed": ["elsewhere/1-0"]},
        {"sealed": [f"journal/1-{n}" for n in range(1_001)]},
        {"records": 3},
        {"format": 0},
        {"format": True},
        {"more": 1},
    ],
)
def test_a_value_of_another_form_is_refused(shelf: Shelf, body: dict[str, Any]) -> None:
    given_register(shelf, **body)
    with damaged(shelf) as backend:
        backend.read()
    with damaged(shelf) as backend:
        backend.lock(owner("alice"), print)


@pytest.mark.parametrize("data", [b"", b"\xff", b"[]", b"3", b"null", b"[" * 100_000, b"{" * 3_000_000])
def test_a_value_that_is_none_is_refused(shelf: Shelf, data: bytes) -> None:
    shelf.register = (data, "1")
    with damaged(shelf) as backend:
        backend.held()


def test_a_newer_register_is_told_as_one(shelf: Shelf) -> None:
    given_register(shelf, format=FORMAT + 1, more=1)
    with pytest.raises(NewerState, match="newer defendctl"):
        opened(shelf)[0].read()


def with_documents(shelf: Shelf) -> str:
    """Two of them; the name of the one that counts."""
    lease, _ = locked(shelf)
    lease.replace(written(1))
    lease.replace(written(2))
    lease.release()
    assert shelf.register
    state = from_bytes(shelf.register[0], "").state
    assert state
    return state.name


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (None, "which does not exist"),
        (b"", "not one whole gzip"),
        (b"no gzip", "not gzip"),
        (gzipped(written(3)), "SHA-256"),
        (gzipped(written(2))[:-12], "not one whole gzip"),
        (gzip.compress(bytes(LARGEST + 1)), "32 MiB"),
    ],
    ids=["gone", "empty", "other bytes", "another document", "torn", "bomb"],
)
def test_a_document_that_is_not_what_was_written_is_told_with_the_one_before(
    shelf: Shelf, data: bytes | None, words: str
) -> None:
    """It can be replaced under the lock, which `state push --restore` does."""
    name = with_documents(shelf)
    shelf.beside.pop(name)
    if data is not None:
        shelf.beside[name] = data
    with damaged(shelf, name, words) as backend:
        backend.read()
    with pytest.raises(DamagedState) as found:
        backend.read()
    assert "serial 1" in (found.value.hint or "")
    assert "show states/00000001" in (found.value.hint or "")
    with locked_whatever(shelf) as lease:
        assert lease.stored.document == b""
        lease.replace(written(4))
    assert opened(shelf)[0].read().document == written(4)


@contextmanager
def locked_whatever(shelf: Shelf) -> Iterator[RegisterLease]:
    lease, _ = locked(shelf)
    yield lease
    lease.release()


def test_records_that_are_gone_are_damage_and_not_locked(shelf: Shelf) -> None:
    lease, _ = locked(shelf)
    lease.append([HEAD, {**record(0), "why": "x" * SEAL}])
    lease.release()
    (sealed,) = [name for name in shelf.beside if name.startswith("journal/")]
    data = shelf.beside.pop(sealed)
    for use in (RegisterBackend.read, lambda backend: backend.lock(owner("bob"), print)):
        with damaged(shelf, sealed) as backend:
            use(backend)
    assert opened(shelf)[0].held() is None
    shelf.beside[sealed] = data * (LARGEST // len(data) + 1)
    with pytest.raises(DamagedState, match="32 MiB"):
        opened(shelf)[0].read()


def test_a_register_is_read_as_it_was_written() -> None:
    kept = kept_as(written(3), "2026-01-01T00:00:00+00:00")
    whole = Register(7, "n", owner("alice"), kept, (kept, kept), ("journal/7-0",), b"lines\n")
    assert from_bytes(to_bytes(whole), "") == whole
    assert whole.named() == {kept.name, "journal/7-0"}


# All of it at once

FAULTS = st.sampled_from(["before", "after", "refused", "late"])
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["lock", "append", "append", "fold", "beat", "break", "release"]), st.booleans()
    ),
    max_size=25,
)


class Run:
    """One that does as it is told, and believes what it is answered; two of them share a place."""

    def __init__(self, shelf: Shelf, name: str, faults: Callable[[str], Fault | None]) -> None:
        self.backend, _ = opened(shelf, faults)
        self.backend.pauses = (0.0,) * 3
        self.name = name
        self.lease: RegisterLease | None = None
        self.known: list[int] = []
        self.has_head = False

    def lock(self, acknowledged: list[int]) -> None:
        if self.lease is None:
            self.lease = self.backend.lock(owner(self.name), lambda _: None)
            stored = self.lease.stored
            self.known = json.loads(stored.document or b"[]")
            self.known += [int(r["address"][2:]) for r in stored.journal.records] if stored.journal else []
            self.has_head = stored.journal is not None
            assert {*acknowledged} <= {*self.known}, "whoever takes the lock knows all that was acknowledged"

    def append(self, number: int, acknowledged: list[int]) -> None:
        if self.lease:
            head_ = [] if self.has_head else [HEAD]
            self.lease.append([*head_, {**record(number), "why": "x" * (number % 3) * 20_000}])
            self.has_head = True
            self.known.append(number)
            acknowledged.append(number)

    def fold(self) -> None:
        if self.lease:
            self.lease.replace(json.dumps(self.known).encode())
            self.has_head = False

    def release(self) -> None:
        if self.lease:
            self.lease.release()
            self.lease = None


@settings(max_examples=400)
@given(
    steps=st.lists(st.tuples(STEPS, st.booleans()), max_size=25),
    faults=st.lists(st.none() | FAULTS, max_size=60),
)
def test_what_was_acknowledged_is_read_whatever_got_lost(
    steps: list[tuple[str, bool]], faults: list[Fault | None]
) -> None:
    """Two runs, locks that are broken, answers that are lost, writes that arrive late. In the end each record
    that was acknowledged is there, in order and once, and of a run whose lock was broken nothing that it
    tried afterwards."""
    shelf, left = Shelf(), [*faults]

    def next_fault(call: str) -> Fault | None:
        del call
        return left.pop() if left else None

    runs = [Run(shelf, name, next_fault) for name in ("alice", "bob")]
    acknowledged: list[int] = []
    forbidden: list[int] = []
    broken: set[str] = set()
    with mock.patch.object(swaps, "pause"):
        for number, (step, second) in enumerate(steps):
            run = runs[second]
            with suppress(DefendctlError, OSError):
                if step == "lock":
                    run.lock(acknowledged)
                    broken -= {run.name}
                elif step == "append":
                    if run.name in broken:
                        forbidden.append(number)
                    run.append(number, acknowledged)
                elif step == "fold":
                    run.fold()
                elif step == "beat" and run.lease:
                    run.lease.beat()
                elif step == "break":
                    broken |= {run.backend.unlock(runs[not second].name).id}
                elif step == "release":
                    run.release()
        shelf.settle()
        backend, _ = opened(shelf)
        stored = backend.read()
    there = json.loads(stored.document or b"[]") + numbers(backend)
    assert [each for each in there if each in acknowledged] == acknowledged
    assert len({*there}) == len(there)
    assert not {*forbidden} & {*there}
