"""The contract of backends, kept by PostgreSQL: directly, and through a pooler that lends connections."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from defendctl.diagnostics import Precondition
from tests.servers.pgbouncer import shared_pgbouncer
from tests.servers.postgres import shared_postgres
from tests.state import test_backend_contract as contract
from tests.state.postgres.given import Door
from tests.state.test_backend_contract import HEAD, NEW, OLD, broken, put, record, recorded

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from defendctl.state.backend import Backend

    Place = Callable[[], Backend]

LOCAL = {"test_what_a_run_records_after_its_lock_was_broken_is_late_and_not_lost"}
"""What is otherwise where appends are fenced: refused."""
globals().update(
    (name, test) for name, test in vars(contract).items() if name.startswith("test_") and name not in LOCAL
)
pytestmark = pytest.mark.slow


@pytest.fixture(params=["postgres", "pgbouncer"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    door = Door(shared_postgres(), tmp_path)
    return partial(door.open, port=shared_pgbouncer() if request.param == "pgbouncer" else None)


def test_what_a_run_records_after_its_lock_was_broken_is_refused(place: Place) -> None:
    put(place, OLD)
    with broken(place) as (zombie, heir):
        for _ in range(2):
            with pytest.raises(Precondition):
                zombie.append([record(2)])
        assert heir.stored.journal
        assert [*heir.stored.journal.records] == [record(0), record(1)]
        assert [*heir.drop_journal()] == []
        assert place().read().journal is None


def test_a_journal_goes_with_the_document_that_holds_it(place: Place) -> None:
    put(place, OLD)
    with broken(place) as (_, heir):
        heir.replace(NEW)
        assert place().read().journal is None
        heir.append([HEAD, record(5)])
        assert recorded(place) == [record(5)]
