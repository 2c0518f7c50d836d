"""The local state's parts, for tests that stand in for another run."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from defendctl.state.lines import head
from defendctl.state.local.backend import LocalBackend
from defendctl.state.local.journal import Journal
from defendctl.state.local.lock import lock
from defendctl.state.owner import this_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from defendctl.state.lines import Stamp
    from defendctl.state.owner import Owner
    from defendctl.state.store import Store


@contextmanager
def locked(paths: Sequence[Path], warn: Callable[[str], None]) -> Iterator[Owner]:
    """The lock, as this process holds it."""
    owner = this_run()
    with lock(paths, owner, warn):
        yield owner


def begun(path: Path, journal: str, extended: Stamp) -> Journal:
    """A journal that another run has begun."""
    made = Journal(path)
    made.append([head(journal, extended)])
    return made


def local(store: Store) -> LocalBackend:
    assert isinstance(store.backend, LocalBackend)
    return store.backend
