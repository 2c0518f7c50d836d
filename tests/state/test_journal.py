"""The journal: torn tails are nothing, damage is an error, and what a crash left is read by every command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defendctl.model import FieldPath, Intent, SentValue
from defendctl.state import records
from defendctl.state.document import DamagedState, from_text
from defendctl.state.lines import decode, encode, stamp
from tests.conftest import custom
from tests.state.given import begun, local

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Project

SENT = {"name": "c", "type": "custom", "metrics": {"completeness": 0.8}, "improvement_action": "fixit"}
RECORDS = [
    records.intent("c", Intent("op1", "2025-12-07T00:00:00+00:00", SENT)),
    records.bound("c", "op1", "wkfl_c"),
    records.intent("d", Intent("op2", "2025-12-07T00:00:01+00:00", {**SENT, "name": "d"})),
    records.withdrawn("d", "op2"),
    records.sending("a", ["max_retries"], [SentValue(FieldPath("max_retries"), 3, "1" * 32)]),
    records.known("a", {"max_retries": 3}, ["sha256:" + "2" * 64]),
    records.retired("b", ["3" * 32]),
    records.intent("e", Intent("op3", "2025-12-07T00:00:02+00:00", {**SENT, "name": "e"})),
    records.unknown("e", "op3", "the API answered 500"),
]


@pytest.fixture
def bound(project: Project) -> Project:
    project.declare({"a": custom(), "b": custom()})
    project.apply()
    return project


def _crash(project: Project, *steps: records.Record) -> None:
    """What a run that was killed leaves behind."""
    journal = begun(project.journal, "j1", stamp(from_text(project.state_file.read_text())))
    for step in steps:
        journal.append([step])
    journal.close()


def test_every_command_reads_what_a_crash_left(bound: Project) -> None:
    made = bound.server.add(name="c", metrics={"completeness": 0.8}, improvement_action="fixit")
    _crash(bound, RECORDS[0], records.bound("c", "op1", made), *RECORDS[6:])
    before = bound.state_bytes()
    listed = bound.json("state", "list").json
    assert [each["address"] for each in listed["bindings"]] == ["a", "c"]
    assert [each["address"] for each in listed["unresolved"]] == ["e"]
    assert [each["address"] for each in listed["retired"]] == ["b"]
    assert set(bound.json("outputs").json["outputs"]) == {"a", "c"}
    assert bound.plan(code=7).actions() == {"b": "adopt", "c": "retire", "e": "blocked"}
    assert bound.json("show", "c").json["workflow_id"] == made
    assert bound.json("drift").json["drifted"] is False
    assert bound.state_bytes() == before  # looking writes nothing

    bound.declare({"a": custom(), "b": custom(), "c": custom()})
    bound.apply(code=7)
    assert not bound.journal.exists()
    assert sorted(bound.state["bindings"]) == ["a", "b", "c"]
    assert bound.server.count("POST") == 2


def test_a_repair_folds_it_too(bound: Project) -> None:
    _crash(bound, *RECORDS[7:])
    bound.ok("state", "resolve", "e", "--not-created", "--now")
    assert not bound.journal.exists()
    bound.assert_settled()


def test_a_move_is_whole_or_not_there(bound: Project) -> None:
    """Killed after its record; a move of what is not there any more changes nothing."""
    before = bound.bound("a")
    _crash(bound, records.moved("z", "a"), records.moved("y", "nobody"))
    bound.declare({"z": custom(name="a", renamed_from="a"), "b": custom()})
    assert bound.json("outputs").json["outputs"]["z"] == before
    assert "moves" not in bound.plan().json
    bound.apply()
    bound.assert_settled()
    assert sorted(bound.state["bindings"]) == ["b", "z"]


def test_a_journal_that_was_folded_already(bound: Project) -> None:
    """Killed between the rename of the state and the removal of the journal."""
    _crash(bound, RECORDS[0], RECORDS[1])
    kept = bound.journal.read_bytes()
    bound.ok("state", "mv", "c", "z")
    bound.journal.write_bytes(kept)
    before = bound.state_file.read_bytes()
    assert [each["address"] for each in bound.json("state", "list").json["bindings"]] == ["a", "b", "z"]
    bound.ok("state", "rm", "z")
    assert not bound.journal.exists()
    assert bound.state_file.read_bytes() != before


@pytest.mark.parametrize("content", [b"", b"0", b"12345678 {", b"12345678 {}"])
def test_a_journal_that_never_began(bound: Project, content: bytes) -> None:
    bound.journal.write_bytes(content)
    bound.assert_settled()
    bound.declare({"a": custom(description="d"), "b": custom()})
    told = "holds nothing readable" in bound.apply().err
    assert told == bool(content), "what is dropped is said; an empty file holds nothing"
    assert not bound.journal.exists()


def test_a_journal_that_never_began_beside_no_state(project: Project) -> None:
    project.journal.write_bytes(b"1234")
    project.declare({"a": custom()})
    project.apply()
    project.assert_settled()


def test_a_journal_without_its_state(bound: Project) -> None:
    _crash(bound, RECORDS[0])
    bound.state_file.unlink()
    before = bound.files()
    for command in (["plan"], ["apply", "--yes"], ["state", "list"]):
        bound.ok(*command, code=6)
    assert bound.files() == before


def test_a_journal_that_does_not_fit(bound: Project) -> None:
    _crash(bound, records.known("nobody", {"name": "x"}))
    before = bound.files()
    for command in (["plan"], ["apply", "--yes"], ["outputs"]):
        bound.ok(*command, code=6)
    assert bound.files() == before


def test_the_cost_of_a_record_does_not_grow(bound: Project) -> None:
    journal = begun(bound.journal, "j1", stamp(from_text(bound.state_file.read_text())))
    sizes = []
    for n in range(300):
        before = bound.journal.stat().st_size
        journal.append([records.bound("c", f"{n:08}", f"wkfl_{n:08}")])
        sizes.append(bound.journal.stat().st_size - before)
    assert len(set(sizes)) == 1


def test_append_refuses_when_somebody_else_touched_it(bound: Project) -> None:
    from defendctl.diagnostics import Precondition

    journal = begun(bound.journal, "j1", stamp(from_text(bound.state_file.read_text())))
    journal.append([RECORDS[0]])
    with bound.journal.open("ab") as other:
        other.write(b"x")
    with pytest.raises(Precondition):
        journal.append([RECORDS[1]])
    bound.journal.unlink()
    with pytest.raises(Precondition):
        journal.append([RECORDS[1]])


def _file(count: int) -> bytes:
    head = {"journal": "j1", "lineage": "l", "serial": 3, "writer": "w"}
    return b"".join(encode(record) for record in [head, *RECORDS[:count]])


def test_any_prefix_opens() -> None:
    """Torn at any byte: what was whole is there, the rest was never durable."""
    data = _file(len(RECORDS))
    for end in range(len(data) + 1):
        found = decode(data[:end], "j")
        whole = data[:end].count(b"\n") - 1
        if found is None:
            assert whole < 0
        else:
            assert list(found.records[:whole]) == RECORDS[: max(whole, 0)]
            assert len(found.records) <= whole + 1


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.integers(0, len(RECORDS)), st.data())
def test_a_flipped_byte_is_refused_or_the_tail(count: int, data: st.DataObject) -> None:
    whole = _file(count)
    place = data.draw(st.integers(0, len(whole) - 1))
    value = data.draw(st.integers(0, 255))
    spoiled = whole[:place] + bytes([value]) + whole[place + 1 :]
    try:
        found = decode(spoiled, "j")
    except DamagedState:
        return
    left = list(found.records) if found else []
    assert left == RECORDS[: len(left)]
    hit = whole[:place].count(b"\n")  # the line that was hit, and the one its newline joined to it
    assert len(left) >= min(count, hit - 1)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_refused_or_nothing(content: bytes) -> None:
    try:
        found = decode(content, "j")
    except DamagedState:
        return
    assert found is None


def test_damage_in_the_middle_names_the_line(bound: Project, tmp_path: Path) -> None:
    _crash(bound, *RECORDS[:3])
    lines = bound.journal.read_bytes().split(b"\n")
    lines[1] = lines[1][:-1]
    bound.journal.write_bytes(b"\n".join(lines))
    before = bound.files()
    assert "line 2" in bound.ok("plan", code=6).err
    assert bound.ok("apply", "--yes", code=6).err
    assert bound.files() == before


def test_a_run_whose_lock_was_broken_leaves_the_next_journal(bound: Project) -> None:
    """Both ended in disorder: what the second one recorded must not go with the first."""
    from defendctl.diagnostics import Precondition
    from defendctl.state.local.lock import read_owner, unlock
    from defendctl.state.open import open_local

    store = open_local(bound.state_file, bound.root / ".defendctl", None)
    with store.session(print) as first:
        first._begin_journal()
        first._lease.append([RECORDS[0]])
        owner = read_owner(local(store).lock_paths[0])
        assert owner
        unlock(local(store).lock_paths, owner.id)
        with store.session(print) as second:
            second.record(RECORDS[0])
            kept = bound.journal.read_bytes()
            with pytest.raises(Precondition):
                first.record(RECORDS[2])
            first.close()
            assert bound.journal.read_bytes() == kept
            second.record(RECORDS[1])
    assert bound.bound("c") == "wkfl_c"
