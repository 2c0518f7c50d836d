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
    from collections.abc import Callable, Sequence

    Write = Callable[[str, bytes, str | None], str]
    """Name, value, and the version in whose place it is put (None: of nothing) → its own version.
    Raises Lost."""

WRITERS: Final = 4
ROUNDS: Final = 10


def race(write: Write, names: Sequence[str], where: str) -> str:
    """A round for each name, under which nothing is; all at once, for a store may let those wait who lose.

    `write` is called by WRITERS threads a name. Returns the version that is there under the last name. Raises
    Precondition where more than one of them wins.
    """
    with ThreadPoolExecutor(len(names)) as pool:
        return [*pool.map(lambda name: _round(write, name, where), names)][-1]


def _round(write: Write, name: str, where: str) -> str:
    """Several want to be the first, then the next; then one is late."""
    with ThreadPoolExecutor(WRITERS) as pool:
        first = _raced(pool, write, name, None, where)
        second = _raced(pool, write, name, first, where)
    if any(_won(write, name, b"late", late) for late in (None, first)):
        raise _broken(where)
    return second


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
        raise Precondition(f"{where}: this store refused a conditional write though nobody else wrote", _HINT)
    return alone


def _won(write: Write, name: str, value: bytes, expected: str | None) -> str | None:
    try:
        return write(name, value, expected)
    except Lost:
        return None


_HINT: Final = "keep the state where a write can be conditional: S3, R2, GCS, Azure, PostgreSQL, git"


def _broken(where: str) -> Precondition:
    return Precondition(f"{where}: two writers won where one may: the state is not safe in this store", _HINT)
