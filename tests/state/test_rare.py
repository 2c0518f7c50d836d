"""What happens once in a long while: a file that goes between two looks, a state that grew old."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from defendctl import git
from defendctl.api import client, detail
from defendctl.api.asked import _moment
from defendctl.diagnostics import Precondition
from defendctl.model import Intent, State
from defendctl.plan.changes import Move, Options, Plan
from defendctl.plan.moved import moved
from defendctl.state import records
from defendctl.state.document import to_text
from defendctl.state.local import backend, git_versions
from defendctl.state.local.backend import LocalLease
from defendctl.state.local.journal import Journal
from defendctl.state.local.lock import unlock
from defendctl.state.open import open_local
from defendctl.state.owner import this_run
from defendctl.state.shape import problem
from defendctl.state.spent import APPLIES, LEAST, drop_oldest
from tests.state.given import local, locked

if TYPE_CHECKING:
    from pathlib import Path

    from defendctl.state.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = open_local(tmp_path / "s.json", tmp_path / ".defendctl", None)
    with store.session(print) as session:
        session.begin()
    return store


def test_what_was_spent_long_ago_is_forgotten() -> None:
    """Of so many applies, and of so many things, whichever is more."""
    each, applies = LEAST // APPLIES + 1, APPLIES + 5
    state = State(spent={f"{at}-{n}": at for at in range(1, applies + 1) for n in range(each)})
    drop_oldest(state)
    assert state.spent_floor == applies - APPLIES
    assert set(state.spent.values()) == set(range(applies - APPLIES + 1, applies + 1))


def test_a_record_that_came_late_becomes_part_of_the_state(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run whose lock was broken wrote it while its journal was taken away."""
    intent = Intent("0123abcd", "2026-01-02T03:04:05+00:00", {"name": "late"})
    late = iter([[records.intent("late", intent)]])
    monkeypatch.setattr(LocalLease, "drop_journal", lambda self: next(late, ()))
    with store.session(print):
        assert '"late"' in local(store).path.read_text()


def test_a_journal_that_went_while_it_was_to_be_taken(store: Store) -> None:
    local(store).journal_path.write_bytes(b"torn")
    lease = store.backend.lock(this_run(), print)
    local(store).journal_path.unlink()
    assert lease.drop_journal() == ()
    lease.release()


def test_a_file_that_goes_between_two_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "_is_there", lambda path: True)
    assert backend.read_bytes(tmp_path / "gone") is None


def test_a_journal_of_another_run_is_none_of_ours(tmp_path: Path) -> None:
    (tmp_path / "j").touch()
    with pytest.raises(Precondition, match="the lock was broken"):
        Journal(tmp_path / "j")


def test_one_place_of_a_lock_may_be_without_a_record(tmp_path: Path) -> None:
    with locked([tmp_path / "a.lock"], print) as owner:
        assert unlock([tmp_path / "a.lock", tmp_path / "b.lock"], owner.id) == owner


def test_git_that_gives_no_answer_knows_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*given: object) -> None:
        raise git.NoAnswer("")

    monkeypatch.setattr(git, "is_work_tree", lambda folder: True)
    monkeypatch.setattr(git, "earlier", silent)
    assert git_versions.newest(local(store).path, None) is None
    other = to_text(State(lineage="other", serial=3, writer="w")).encode()
    monkeypatch.setattr(git, "earlier", lambda *given: [("c0ffee", "2031-01-01T00:00:00+00:00", other)])
    assert git_versions.newest(local(store).path, "ours") is None


def test_what_a_state_holds_that_nobody_knows() -> None:
    body = json.loads(to_text(State(lineage="l", serial=1, writer="w")))
    del body["checksum"]
    assert problem(body) is None
    assert "`more`" in str(problem({**body, "more": 1}))
    assert "one of its keys" in str(problem({**body, "a b": 1}))
    assert problem({**body, "spent": 1}) == "look at `spent`"


def test_a_stale_plan_that_renames_says_so() -> None:
    plan = Plan("h", "l", 1, "g", Options(), (), moves=(Move("a", "b", "w"),))
    saved = {"lineage": "l", "generation": "g", "options": plan.options.data(), "changes": []}
    assert moved(saved, plan) == ["the renames"]


def test_a_date_that_no_clock_can_show() -> None:
    assert _moment("Mon, 01 Jan 999999999999 00:00:00 GMT") is None


def test_events_that_hold_too_much_are_asked_for_in_less(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: object) -> None:
        raise ValueError("an evaluation in it has too many metrics")

    monkeypatch.setattr(detail, "recent", refuse)
    assert client._listed(b"{}", 4, False) == client._Fewer("an evaluation in it has too many metrics", 2)
