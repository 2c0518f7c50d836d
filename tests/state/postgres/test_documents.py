"""What is kept: whole or refused, within bounds, of use with PostgreSQL's own tools."""

from __future__ import annotations

import gzip
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from defendctl.model import Binding, Intent, State
from defendctl.state import records
from defendctl.state.copies import Copies
from defendctl.state.document import LARGEST, DamagedState, to_text
from defendctl.state.lines import head, stamp
from defendctl.state.store import Store
from tests.state.postgres.given import leased, through_proxy
from tests.state.test_backend_contract import HEAD, OLD, record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.state.postgres.door import Door

pytestmark = pytest.mark.slow
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "nothing of it": lambda data: b"",
    "not compressed": lambda data: OLD,
    "cut": lambda data: data[:-1],
    "a byte more": lambda data: data + b"\x00",
    "a byte changed": lambda data: data[:-5] + bytes([data[-5] ^ 1]) + data[-4:],
    "a bomb": lambda data: gzip.compress(bytes(LARGEST + 1)),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_document_that_is_damaged_is_never_an_empty_one(door: Door, damage: str) -> None:
    with leased(door.open()) as lease:
        lease.replace(to_text(State(lineage="l", serial=4, writer="w4")).encode())
        lease.replace(to_text(State(lineage="l", serial=5, writer="w5")).encode())
    last = "where key = %s and serial = 5"
    ((data,),) = door.cluster.sql(f"select document from defendctl.versions {last}", door.key)
    door.cluster.sql(f"update defendctl.versions set document = %s {last}", DAMAGES[damage](data), door.key)
    with pytest.raises(DamagedState) as refused:
        door.open().read()
    assert "serial 4" in (refused.value.hint or "")
    with pytest.raises(DamagedState), leased(door.open()):
        pass
    assert door.open().held() is None


@pytest.mark.parametrize("table", ["versions", "journal"])
def test_of_what_is_too_large_the_size_alone_is_fetched(door: Door, table: str) -> None:
    with leased(door.open()) as lease:
        lease.replace(OLD)
        lease.append([HEAD, record(0)])
    many = LARGEST // 1000 + 1
    door.sql(
        f"update defendctl.versions set document = decode(repeat('00', {LARGEST + 1}), 'hex') where key = $1"
        if table == "versions"
        else "insert into defendctl.journal (key, epoch, seq, line) "
        f"select $1, 1, 10 + n, repeat('x', 1000) from generate_series(1, {many}) n"
    )
    with through_proxy(door) as (backend, proxy):
        before = proxy.answered
        with pytest.raises(DamagedState, match="larger than 32 MiB"):
            backend.read()
        assert proxy.answered - before < 10_000


def test_a_long_journal_is_read_whole(door: Door) -> None:
    with leased(door.open()) as lease:
        lease.append([HEAD])
        for start in range(0, 20_000, 1_000):
            lease.append([record(n) for n in range(start, start + 1_000)])
    journal = door.open().read().journal
    assert journal
    assert [*journal.records] == [record(n) for n in range(20_000)]


def test_of_old_documents_ten_are_kept_and_all_of_a_day(door: Door) -> None:
    with leased(door.open()) as lease:
        for serial in range(1, 16):
            lease.replace(to_text(State(lineage="l", serial=serial, writer=f"w{serial}")).encode())
        assert [each.serial for each in door.open().versions()] == [*range(15, 0, -1)]
        door.sql("update defendctl.versions set written_at = now() - interval '2 days' where key = $1")
        lease.replace(to_text(State(lineage="l", serial=16, writer="w16")).encode())
    assert [each.serial for each in door.open().versions()] == [*range(16, 5, -1)]


def test_the_newest_of_a_lineage_is_remembered_when_the_state_is_gone(door: Door) -> None:
    with leased(door.open()) as lease:
        for lineage, serial in (("a", 7), ("b", 3), ("a", 8)):
            lease.replace(to_text(State(lineage=lineage, serial=serial, writer="w")).encode())
    door.sql("delete from defendctl.state where key = $1")
    backend = door.open()
    assert backend.read().document is None
    found = [backend.newest(lineage) for lineage in ("a", "b", "c", None)]
    assert [each.serial if each else None for each in found] == [8, 3, None, 8]


def test_the_advice_for_an_old_document_writes_it(door: Door, tmp_path: Path) -> None:
    document = to_text(State(lineage="l", serial=4, writer="o'writer")).encode()
    with leased(door.open()) as lease:
        lease.replace(document)
        lease.replace(OLD)
    (version,) = door.open().versions()
    shell = version.restore.split("`")[1].replace("DATABASE", f"'{door.cluster.url('plan')}'")
    subprocess.run(shell.replace("FILE", "found"), shell=True, check=True, cwd=tmp_path, env=_plain())
    assert (tmp_path / "found").read_bytes() == document


def test_psql_shows_rows_that_a_person_can_read(door: Door) -> None:
    with leased(door.open()) as lease:
        lease.append([HEAD, record(0)])
        door.open().leave("0123abcd", "wkfl_1")
        shown = _psql(door, "select owner->>'user', epoch, version from defendctl.state where key = :'key'")
        assert shown == "alice|1|"
        line = _psql(door, "select line from defendctl.journal where key = :'key' and seq = 1")
        assert line[9:] == '{"address":"to0","do":"moved","from":"from0"}'
        left = _psql(door, "select op, workflow_id from defendctl.left_ids where key = :'key'")
        assert left == "0123abcd|wkfl_1"


def test_the_next_holder_folds_what_a_run_left(door: Door) -> None:
    """Its records, and the id that it could not record any more."""
    sent, base = {"name": "a"}, State(lineage="l", serial=1, writer="w")
    intents = {name: Intent(f"{n}" * 32, "2026-01-01T00:00:00+00:00", sent) for n, name in enumerate("abc")}
    with leased(door.open(), "bob") as zombie:
        zombie.replace(to_text(base).encode())
        zombie.append([head("j1", stamp(base)), *(records.intent(n, each) for n, each in intents.items())])
        zombie.append([records.bound("a", intents["a"].op, "wkfl_a")])
        door.open().unlock("bob")
        door.open().leave(intents["b"].op, "wkfl_b")
        store = Store(door.open(), Copies(door.root / "copies", lambda: "here"), "l")
        snapshot = store.read()
        assert snapshot.state.bindings["a"].workflow_id == "wkfl_a"
        assert snapshot.state.unresolved["b"].answered == "wkfl_b"
        with store.session(pytest.fail) as session:
            session.edit(lambda state: state.bindings.update(d=Binding("wkfl_d", sent)))
    stored = door.open().read()
    assert stored.journal is None
    state = Store(door.open(), Copies(door.root / "copies", lambda: "here"), "l").read().state
    assert {name: each.workflow_id for name, each in state.bindings.items()} == {"a": "wkfl_a", "d": "wkfl_d"}
    assert {*state.unresolved} == {"b", "c"}
    assert door.open().newest("l")


def _psql(door: Door, query: str) -> str:
    command = ["psql", "-AtX", "-v", f"key={door.key}", door.cluster.url("plan")]
    ran = subprocess.run(command, input=query, capture_output=True, text=True, check=True, env=_plain())
    return ran.stdout.strip()


def _plain() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}
