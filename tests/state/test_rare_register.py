"""A register that is never still, and a git that loses what it had: what a run says then."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING

import pytest

from defendctl.diagnostics import DefendctlError, Precondition
from defendctl.git.asking import NoAnswer
from defendctl.git.remote import Moved
from defendctl.state.backend import Locked, Unreachable
from defendctl.state.open import ENGINES, open_backend
from defendctl.state.owner import this_run
from defendctl.state.place import parse_place
from defendctl.state.register import swaps
from defendctl.state.register.backend import RegisterBackend
from defendctl.state.register.engine import Lost
from defendctl.state.register.git import GitEngine, check_key
from defendctl.state.register.value import Kept, Register, to_bytes
from tests.state.forge import Forge
from tests.state.memory_engine import MemoryEngine, Shelf

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from defendctl.state.owner import Owner


def owner(name: str) -> Owner:
    return replace(this_run(), id=name, user=name)


@dataclass
class Restless(MemoryEngine):
    """Another run writes between any two looks."""

    shelf: Shelf = field(default_factory=Shelf)
    register: Register = field(default_factory=Register)
    numbers: count[int] = field(default_factory=count)

    def read(self) -> tuple[bytes, str] | None:
        number = next(self.numbers)
        return to_bytes(replace(self.register, nonce=f"{number:08x}")), str(number)

    def swap(
        self, value: bytes, expected: str | None, beside: Mapping[str, bytes], named: Collection[str]
    ) -> str:
        raise Lost("another run was faster")


KEPT = Kept("states/1-a", "0" * 64, 1, "writer", "lineage", "2026-01-01T00:00:00+00:00")


def test_a_lock_that_is_always_a_step_behind_is_not_taken() -> None:
    with pytest.raises(Locked, match="changes faster than it can be locked"):
        RegisterBackend(Restless()).lock(owner("alice"), print)


def test_a_lock_that_is_always_a_step_behind_is_not_broken() -> None:
    held = Register(owner=owner("bob"))
    with pytest.raises(Locked, match="changes faster than its lock can be broken"):
        RegisterBackend(Restless(register=held)).unlock("bob")


def test_a_state_that_is_always_replaced_meanwhile_is_not_guessed() -> None:
    with pytest.raises(DefendctlError, match="changes faster than it can be read"):
        RegisterBackend(Restless(register=Register(state=KEPT))).read()


def test_a_lock_that_its_own_run_released_meanwhile_counts_as_broken() -> None:
    """Of our own attempt nobody heard; the run that held it is gone in any case."""

    class Released(Restless):
        def read(self) -> tuple[bytes, str] | None:
            found = super().read()
            self.register = Register()
            return found

    assert RegisterBackend(Released(register=Register(owner=owner("bob")))).unlock("bob").id == "bob"


class Silent(MemoryEngine):
    """Nobody answers."""

    def loose(self) -> Mapping[str, bytes]:
        raise Unreachable("no route")


def test_a_question_that_took_all_its_time_is_asked_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swaps, "SOON", (0.0, 0.0))
    monkeypatch.setattr(swaps, "pause", lambda seconds: pytest.fail("its time was up"))
    with pytest.raises(DefendctlError, match="cannot be reached: no route"):
        RegisterBackend(Silent(Shelf())).left({"op"})


def test_what_is_kept_of_a_state_that_could_not_be_read_is_no_version() -> None:
    unread = replace(KEPT, serial=None)
    assert RegisterBackend(Restless(register=Register(kept=(unread,)))).newest(None) is None


@pytest.mark.parametrize("key", ["a//b", "a..b", "a.", "-a/", "a b"])
def test_a_key_that_git_takes_for_no_ref(key: str) -> None:
    with pytest.raises(DefendctlError, match="does not accept"):
        check_key(key)


def test_a_fault_of_ours_is_not_cured_by_installing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(ENGINES, "git", "defendctl.no_such_module:open_git")
    with pytest.raises(ModuleNotFoundError):
        open_backend(parse_place("git+file:///x?key=k"), tmp_path)


@pytest.fixture
def engine(tmp_path: Path) -> GitEngine:
    found = Forge(tmp_path / "forge").backend().engine
    assert isinstance(found, GitEngine)
    return found


def _no_answer(*_: object) -> bytes:
    raise NoAnswer("git says nothing")


def test_a_swap_from_a_commit_that_was_never_read_is_lost(engine: GitEngine) -> None:
    with pytest.raises(Lost, match="is at another commit"):
        engine.swap(b"value", "0" * 40, {}, ())


def test_a_ref_whose_commit_cannot_be_had_is_no_empty_state(
    engine: GitEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.swap(b"value", None, {}, ())
    monkeypatch.setattr(type(engine.trees), "content", _no_answer)
    with pytest.raises(Unreachable, match="could not be fetched"):
        engine.read()


def test_a_document_that_cannot_be_had_is_asked_for_twice_and_then_gone(
    engine: GitEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.swap(b"value", None, {"states/1": b"document"}, ["states/1"])
    real, asked = type(engine.trees).content, []

    def once_lost(trees: object, name: str) -> bytes:
        asked.append(name)
        return _no_answer() if len(asked) == 1 else real(engine.trees, name)

    monkeypatch.setattr(type(engine.trees), "content", once_lost)
    assert engine.fetch("states/1") == b"document"
    monkeypatch.setattr(type(engine.trees), "content", _no_answer)
    assert engine.fetch("states/1") is None
    assert engine.fetch("states/2") is None


def test_left_ids_that_cannot_be_had_are_not_none(engine: GitEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    engine.put("op", b"{}")
    monkeypatch.setattr(type(engine.trees), "entries", _no_answer)
    with pytest.raises(Unreachable, match="git says nothing"):
        engine.loose()


def test_a_repository_that_lets_all_win_is_found(engine: GitEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_wins", lambda *_: True)
    with pytest.raises(Precondition, match="4 writers won where one may"):
        engine.probe()


def test_a_repository_that_hides_what_it_took_is_found(
    engine: GitEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(engine.remote), "refs", lambda *_: {})
    with pytest.raises(DefendctlError, match="does the server hide it"):
        engine.probe()


def test_a_server_that_refuses_to_remove_a_left_id_is_told(
    engine: GitEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise Moved("deletion prohibited")

    monkeypatch.setattr(type(engine.remote), "delete", refuse)
    with pytest.raises(Unreachable, match="deletion prohibited"):
        engine.drop("op")
