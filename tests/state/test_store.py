"""The store by itself: what it reads while others write, and what it leaves when it cannot write."""

from __future__ import annotations

import resource
import stat
from typing import TYPE_CHECKING

import pytest

from defendctl.diagnostics import DefendctlError, Precondition
from defendctl.model import Binding, Intent, State
from defendctl.state import copies, records
from defendctl.state.document import from_text
from defendctl.state.open import open_local
from tests.state.given import local

if TYPE_CHECKING:
    from pathlib import Path

    from defendctl.state.store import Store

INTENT = Intent("0123abcd", "2025-12-07T00:00:00+00:00", {"name": "a"})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = open_local(tmp_path / "s.json", tmp_path / ".defendctl", None)
    with store.session(print) as session:
        session.record(records.intent("a", INTENT))
    return store


@pytest.mark.parametrize("times", [1, 3, 9])
def test_read_again_while_somebody_replaces_it(
    store: Store, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """It gives up looking for a quiet moment after five: what it read was whole each time."""
    looks = iter(range(100))

    def look(path: Path) -> tuple[int, int, int] | None:
        return next(looks) if next(looks) < 2 * times else None, 0, 0  # type: ignore[return-value]

    monkeypatch.setattr("defendctl.state.local.backend._identity", look)
    assert set(store.read().state.unresolved) == {"a"}


def test_a_path_that_no_system_takes(tmp_path: Path) -> None:
    store = open_local(tmp_path / ("s" * 300), tmp_path / ".defendctl", None)
    with pytest.raises(DefendctlError, match=r"cannot read .*: File name too long"):
        store.read()


def test_a_full_disk_leaves_the_old_state_and_nothing_else(store: Store) -> None:
    before, limits = local(store).path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    with store.session(print) as session:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
        try:
            with pytest.raises(OSError, match="File too large"):
                session.edit(lambda state: state.unresolved.clear())
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert local(store).path.read_bytes() == before
    assert not list(local(store).path.parent.glob("*.tmp"))


def test_what_a_write_left_that_was_cut_short_goes(store: Store) -> None:
    name = ".defendctl-0123456789abcdef.tmp"
    kept = local(store).path.parent / ".defendctl" / "backups"
    left = [
        local(store).path.with_name("s.json.0123.tmp"),
        local(store).path.with_name(name),
        kept / name,
    ]
    for each in left:
        each.write_text("half a st")
    with store.session(print):
        assert not any(each.exists() for each in left)


def test_copies_have_the_mode_of_the_state(store: Store) -> None:
    local(store).path.chmod(0o600)
    with store.session(print) as session:
        session.edit(lambda state: state.unresolved.clear())
    kept = sorted((local(store).path.parent / ".defendctl" / "backups").rglob("*.json"))
    assert stat.S_IMODE(local(store).path.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept[-1].stat().st_mode) == 0o600


def test_an_id_that_was_left_is_known_by_the_next_run(store: Store) -> None:
    with store.session(print) as session:
        assert session.leave(INTENT.op, "wkfl_1")
    assert store.read().state.unresolved["a"].answered == "wkfl_1"
    with store.session(print) as session:
        session.edit(lambda state: state.bindings.update(b=Binding("wkfl_1")))
    assert store.read().state.unresolved["a"].answered is None  # bound meanwhile: it speaks of that
    with store.session(print) as session:
        session.settled(INTENT.op)
    assert not list(local(store).path.parent.glob("*.recovery"))


def test_a_state_that_was_changed_meanwhile_is_not_replaced(store: Store) -> None:
    before = local(store).path.read_bytes()
    with store.session(print) as session:
        local(store).path.write_bytes(before + b"\n")
        with pytest.raises(Precondition, match="changed by another run"):
            session.edit(lambda state: state.unresolved.clear())
    assert local(store).path.read_bytes() == before + b"\n"
    assert not list(local(store).path.parent.glob("*.tmp"))


def test_a_copy_that_goes_while_it_is_looked_at_is_none(tmp_path: Path) -> None:
    named = copies._NAME.fullmatch("l.00000001.w.json")
    assert named
    assert copies._named(tmp_path / "gone", named) is None


def test_a_document_is_parsed_once_however_large(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither its copy, which its name tells, nor the journal that extends it needs a second reading."""
    parsed = []

    def counted(text: str) -> State:
        parsed.append(len(text))
        return from_text(text)

    for module in ("store", "copies"):
        monkeypatch.setattr(f"defendctl.state.{module}.from_text", counted)
    with store.session(print) as session:
        session.record(records.withdrawn("a", INTENT.op))
        session._closed = True  # killed: the journal stays
    assert len(parsed) == 1
    with store.session(print) as session:
        assert session.state.unresolved == {}
    assert len(parsed) == 2
