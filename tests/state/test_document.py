"""The state as text and back, and the steps it can take."""

from __future__ import annotations

import dataclasses
import json
import sys
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defendctl.diagnostics import Precondition
from defendctl.model import FIELDS, GENERATIONS, Binding, Intent, State, usable_id
from defendctl.state.document import (
    DamagedState,
    NewerState,
    _checksum,
    _indented,
    _quick_checksum,
    from_text,
    heading,
    refuse_unsound,
    to_text,
)
from defendctl.state.records import bound, intent, known, moved, retired, take, uploaded

TIME = "2025-12-07T00:00:00+00:00"
texts = st.text(max_size=8)
numbers = st.integers() | st.floats(allow_nan=False)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
fields: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "name": texts,
        "metrics": st.dictionaries(texts, numbers | texts, max_size=2),
        "file_search": st.lists(texts, max_size=2).map(tuple),
        "max_retries": numbers,
        "web_search": st.booleans(),
    },
)
ids = texts.filter(usable_id)
words = st.text("abc-._0", max_size=8).map(lambda text: "a" + text)
times = st.datetimes(timezones=st.just(UTC)).map(lambda at: at.isoformat())
bindings = st.builds(Binding, ids, fields, fields, st.frozensets(st.sampled_from(FIELDS), max_size=2))
intents = st.builds(Intent, texts, times, fields, st.none() | ids, st.none() | texts.filter(bool))
addresses = st.sampled_from(["a", "b", "c.d", "support-bot"])
states = st.builds(
    State,
    st.none() | words,
    st.integers(0, 10**6),
    texts,
    st.none() | words,
    st.none() | st.sampled_from(GENERATIONS),
    st.none() | texts,
    st.dictionaries(addresses, bindings, max_size=3),
    st.dictionaries(addresses, intents, max_size=2),
    st.dictionaries(addresses, st.lists(bindings, min_size=1, max_size=2).map(tuple), max_size=2),
    st.none() | words,
    uploads=st.dictionaries(st.text("0123456789abcdef", min_size=64, max_size=64), ids, max_size=2),
)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(states)
def test_round_trip(state: State) -> None:
    text = to_text(state)
    assert text.isascii()
    assert from_text(text) == state
    assert to_text(from_text(text)) == text


@settings(derandomize=True, max_examples=200, deadline=None)
@given(values)
def test_a_text_is_laid_out_as_python_does_it(value: Any) -> None:
    assert _indented(value) == json.dumps(value, indent=2, sort_keys=True)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(states)
def test_a_copy_is_changed_by_itself(state: State) -> None:
    before = to_text(state)
    copy = state.copy()
    assert copy == state
    shared = [f.name for f in dataclasses.fields(state) if getattr(copy, f.name) is getattr(state, f.name)]
    assert not [name for name in shared if isinstance(getattr(state, name), dict | list | set)]
    for address in ("a", "b"):
        take(copy, intent(address, Intent("op", TIME, {"name": "n"})))
        take(copy, bound(address, "op", f"wkfl_{address}", ["sha256:" + "1" * 64]))
        take(copy, known(address, {"name": "m"}))
    take(copy, moved("c", "a"))
    take(copy, retired("b"))
    take(copy, uploaded("c", "0" * 64, "file_1"))
    assert copy != state
    assert to_text(state) == before


@pytest.mark.parametrize(
    ("record", "where"),
    [
        ({"do": "known", "address": "a", "applied": {"max_retries": "many"}}, "`bindings`, 'a'"),
        ({"do": "known", "address": "a", "applied": {}, "spent": ["x"]}, "`spent`"),
        ({"do": "intent", "address": "B", "intent": {"op": "o", "at": TIME, "sent": {}}}, "not an address"),
        ({"do": "intent", "address": "b", "intent": {"op": "o", "at": "x", "sent": {}}}, "`unresolved`, 'b'"),
        ({"do": "bound", "address": "c", "op": "op1", "workflow_id": ".."}, "`bindings`, 'c'"),
        ({"do": "uploaded", "address": "a", "sha256": "0", "file_id": "f"}, "`uploads`"),
    ],
)
def test_what_a_record_makes_unsound_is_refused(record: Any, where: str) -> None:
    """As if the state had been read anew, though what did not change is not looked at again."""
    binding = Binding("wkfl_1", {"name": "A"})
    unresolved = {"c": Intent("op1", TIME, {"name": "C"})}
    sound = State(bindings={"a": binding}, unresolved=unresolved, tombstones={"r": (binding,)})
    state = sound.copy()
    refuse_unsound(state, sound)
    take(state, record)
    with pytest.raises(DamagedState, match=where):
        refuse_unsound(state, sound)
    with pytest.raises(DamagedState, match=where):
        from_text(to_text(state))


@settings(derandomize=True, max_examples=60, deadline=None)
@given(states, st.data())
def test_a_changed_character_is_noticed(state: State, data: st.DataObject) -> None:
    text = to_text(state)
    place = data.draw(st.integers(0, len(text) - 1))
    char = data.draw(st.characters(codec="ascii"))
    changed = text[:place] + char + text[place + 1 :]
    try:
        assert from_text(changed) == state
    except (DamagedState, NewerState):
        return
    # Only what JSON itself does not tell apart may pass.
    assert json.loads(changed) == json.loads(text)


@settings(derandomize=True, max_examples=40, deadline=None)
@given(states, st.integers(0, 200))
def test_a_truncated_state_is_damaged(state: State, cut: int) -> None:
    text = to_text(state)
    with pytest.raises(Precondition):
        from_text(text[: max(0, len(text) - 2 - cut)])


def test_a_step_of_another_operation_changes_nothing() -> None:
    """Whoever resolved the create meanwhile is right."""
    state = State(unresolved={"a": Intent("op1", "t", {"name": "a"})})
    for record in (
        {"do": "bound", "address": "a", "op": "op2", "workflow_id": "w"},
        {"do": "withdrawn", "address": "a", "op": "op2"},
        {"do": "unknown", "address": "a", "op": "op2", "why": "x"},
        {"do": "bound", "address": "b", "op": "op1", "workflow_id": "w"},
    ):
        take(state, record)
    assert state == State(unresolved={"a": Intent("op1", "t", {"name": "a"})})


def test_nested_at_the_edge_of_what_python_takes() -> None:
    """What can be read can be hashed: reading needs more of Python's stack. No depth is a crash."""
    for depth in range(880, 1010):
        text = '{"format_version": 1, "checksum": "x", "a": ' + "[" * depth + "]" * depth + "}"
        with pytest.raises(DamagedState):
            from_text(text)


@pytest.mark.parametrize(
    "uploads",
    [[], {"a" * 63: "f"}, {"A" * 64: "f"}, {"a" * 64: ""}, {"a" * 64: 1}, {"a" * 64: f"sha256:{'a' * 64}"}],
)
def test_uploads_are_contents_and_ids(uploads: Any) -> None:
    """Without any, a state is what it was before there were uploads."""
    assert '"uploads"' not in to_text(State())
    with pytest.raises(DamagedState, match="look at `uploads`"):
        from_text(to_text(State(uploads=uploads or {"": "f"})))


def test_an_upload_is_known_from_then_on() -> None:
    state = State()
    take(state, uploaded("a", "0" * 64, "file_1"))
    assert from_text(to_text(state)) == State(uploads={"0" * 64: "file_1"})


def test_a_state_of_an_older_version_is_read_and_written_as_it_was() -> None:
    """When a field was recorded may be missing, and then nothing of it is written."""
    state = State(bindings={"a": Binding("wkfl_1", {"name": "A"})})
    assert "recorded" not in to_text(state)
    assert from_text(to_text(state)).bindings["a"].recorded == {}


@pytest.mark.parametrize(
    "recorded",
    [
        {},
        ["x"],
        [{"at": "then", "by": "x", "fields": []}],
        [{"at": "2026-01-01T00:00:00Z", "by": "\x1b", "fields": []}],
        [{"at": "2026-01-01T00:00:00Z", "by": None, "fields": ["name"]}],
        [{"at": "2026-01-01T00:00:00Z", "by": "x", "fields": ["nothing"]}],
    ],
)
def test_strange_times_are_no_state(recorded: object) -> None:
    from defendctl.state.shape import is_binding

    binding = {"workflow_id": "wkfl_1", "applied": {}}
    assert is_binding(binding)
    assert not is_binding({**binding, "recorded": recorded})


@pytest.mark.parametrize("name", ["", "two words", "-x", 5, ["prod"]])
def test_an_environment_is_a_word(name: Any) -> None:
    text = to_text(State(lineage="l", environment="prod"))
    body = json.loads(text)
    body.pop("checksum")
    body["environment"] = name
    with pytest.raises(DamagedState, match="`environment`"):
        from_text(json.dumps({**body, "checksum": _checksum(body)}))


@pytest.mark.parametrize("serial", ["²", "-1", "1.5", "9" * 5_000])
def test_a_heading_whose_serial_is_no_number_has_none(serial: str) -> None:
    assert (
        heading(f'{{\n  "lineage": "l",\n  "serial": {serial},\n  "writer": "w"\n}}\n'.encode()).serial
        is None
    )


NUMBERS = [0, 0.0, -0.0, 1, 1.0, 1e16, 10**16, 1e-7, 10**400, float("nan"), float("inf"), False, True, None]
TEXTS = ["", "NaN", "null", "0", "é", "\u2028", "\ud800", '"', "\\", "/", "\x7f"]
ALIKE = st.sampled_from(NUMBERS) | st.sampled_from(TEXTS)
SOME = ALIKE | st.lists(ALIKE, max_size=2) | st.dictionaries(st.just("c"), ALIKE)
BODIES = st.dictionaries(st.sampled_from(["a", "b", "é", ""]), SOME)


@given(BODIES, BODIES)
def test_a_checksum_is_that_of_one_state_whoever_finds_it(one: dict[str, Any], other: dict[str, Any]) -> None:
    """The quick writer of JSON may differ from the one that counts, but never agrees with another state."""
    import pydantic_core

    assert pydantic_core
    if json.dumps(one, sort_keys=True) != json.dumps(other, sort_keys=True):
        assert _checksum(one) != _quick_checksum(other)


def test_a_usual_state_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python's writer of JSON decides where the quick one differs, or is not there."""
    usual = json.loads(to_text(State(bindings={"a": Binding("wkfl_1", {"metrics": {"safety": 0.1}})})))
    assert _quick_checksum(usual) == _checksum(usual)
    unusual = State(bindings={"a": Binding("wkfl_1", {"name": "Prüfer"})})
    assert from_text(to_text(unusual)) == unusual
    monkeypatch.delitem(sys.modules, "pydantic_core")
    assert _quick_checksum(usual) is None
    assert from_text(to_text(unusual)) == unusual


@pytest.mark.parametrize("loaded", [True, False])
@pytest.mark.parametrize("name", ["A", "\ud800"])
@pytest.mark.parametrize("checksum", ["missing", "", None, 0, False, [], "sha256:"])
def test_without_its_checksum_a_state_is_damaged(
    loaded: bool, name: str, checksum: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the quick writer of JSON has nothing to say: it is not loaded, or refuses half a letter."""
    if not loaded:
        monkeypatch.delitem(sys.modules, "pydantic_core")
    body = json.loads(to_text(State(lineage="l", bindings={"a": Binding("wkfl_1", {"name": name})})))
    assert from_text(json.dumps(body)).bindings["a"].workflow_id == "wkfl_1"
    body["checksum"] = checksum
    if checksum == "missing":
        del body["checksum"]
    with pytest.raises(DamagedState, match="checksum is wrong"):
        from_text(json.dumps(body))
