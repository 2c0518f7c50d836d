"""Whether a place that promises to compare and swap does so while several write at once.

Many that pass one write after another let two writers win who come at the same time.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, Final

from defendctl.diagnostics import Precondition
from defendctl.state.register.engine import Lost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Write = Callable[[str, bytes, str | None], str]
    """Name, value, and the version in whose place it is put (None: of nothing) → its own version.
    Raises Lost."""

WRITERS: Final = 4
ROUNDS: Final = 10


def race(write: Write, names: Iterable[str], where: str) -> str | None:
    """A round for each name, under which nothing is: several want to be first, then next; then one is late.

    `write` is called by WRITERS threads at once. Returns the version that is there under the last name.
    Raises Precondition where more than one of them wins.
    """
    version = None
    with ThreadPoolExecutor(WRITERS) as pool:
        for name in names:
            first = _raced(pool, write, name, None, where)
            version = _raced(pool, write, name, first, where)
            for late in (None, first):
                if _won(write, name, b"late", late):
                    raise _broken(where)
    return version


def _raced(pool: ThreadPoolExecutor, write: Write, name: str, expected: str | None, where: str) -> str:
    """The version of the one that won; each writes bytes of its own."""
    start = Barrier(WRITERS)

    def run(writer: int) -> str | None:
        start.wait()
        return _won(write, name, f"{writer} after {expected}".encode(), expected)

    won = [version for version in pool.map(run, range(WRITERS)) if version]
    if len(won) > 1:
        raise _broken(where)
    # Those who got into each other's way may all have been refused; one alone may not.
    alone = won[0] if won else _won(write, name, b"alone", expected)
    if alone is None:
        raise Precondition(f"{where}: this store refuses a write that nobody else competes for", _HINT)
    return alone


def _won(write: Write, name: str, value: bytes, expected: str | None) -> str | None:
    try:
        return write(name, value, expected)
    except Lost:
        return None


_HINT: Final = "keep the state where writes can depend on what is there: S3, R2, GCS, Azure, PostgreSQL, git"


def _broken(where: str) -> Precondition:
    return Precondition(f"{where}: this store lets two writers win, so that it can keep no state", _HINT)
