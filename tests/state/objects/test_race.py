"""The race finds each way in which a store can be no place for a state, and finds nothing in one that is."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING

import pytest

from defendctl.diagnostics import Precondition
from defendctl.state.register.engine import Lost
from defendctl.state.register.race import ROUNDS, WRITERS, race

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = [f"round-{number}" for number in range(ROUNDS)]


@dataclass
class Shop:
    """A store; each flag is a defect."""

    creates_over: bool = False
    replaces_any: bool = False
    is_racy: bool = False
    refuses_all: bool = False
    kept: dict[str, str] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def write(self, name: str, value: bytes, expected: str | None) -> str:
        with self.guard:
            if self.refuses_all or not self._may(name, expected):
                raise Lost
            if not self.is_racy:
                return self._put(name)
        time.sleep(0.02)
        return self._put(name)

    def _may(self, name: str, expected: str | None) -> bool:
        there = self.kept.get(name)
        if expected is None:
            return there is None or self.creates_over
        return there == expected or self.replaces_any

    def _put(self, name: str) -> str:
        self.kept[name] = f"v{next(self.numbers)}"
        return self.kept[name]


def test_a_store_that_lets_one_win_passes() -> None:
    shop = Shop()
    assert race(shop.write, NAMES, "here") == shop.kept[NAMES[-1]]
    assert shop.kept.keys() == {*NAMES}


@pytest.mark.parametrize(
    "unsound",
    [Shop(creates_over=True), Shop(replaces_any=True), Shop(is_racy=True)],
    ids=["creates over", "replaces any", "racy"],
)
def test_a_store_that_lets_two_win_is_found(unsound: Shop) -> None:
    for _ in range(3):
        with pytest.raises(Precondition, match="here: two writers won where one may"):
            race(replace(unsound, kept={}).write, NAMES, "here")


@pytest.mark.parametrize("stale", [True, False], ids=["on an old version", "as the first"])
def test_a_store_that_is_sound_in_a_race_alone_is_found(stale: bool) -> None:
    """Some keep rivals apart while they meet, and let whoever comes later write over all of it."""
    shop = Shop()

    def write(name: str, value: bytes, expected: str | None) -> str:
        if value == b"late" and stale == (expected is not None):
            return shop._put(name)
        return shop.write(name, value, expected)

    with pytest.raises(Precondition, match="two writers won"):
        race(write, NAMES, "here")


def test_a_sequence_of_writes_does_not_find_what_the_race_does() -> None:
    """Why it is a race: one after another, the racy store refuses as it should."""
    shop = Shop(is_racy=True)
    version = shop.write("a", b"", None)
    with pytest.raises(Lost):
        shop.write("a", b"", None)
    shop.write("a", b"", version)
    with pytest.raises(Lost):
        shop.write("a", b"", version)


def test_a_store_that_refuses_one_alone_is_found() -> None:
    with pytest.raises(Precondition, match="refused a conditional write though nobody else wrote"):
        race(Shop(refuses_all=True).write, NAMES, "here")


def test_where_all_rivals_are_refused_one_alone_may_write() -> None:
    """As S3 may, whose 409 says no more than that there was another."""
    calls = threading.Barrier(WRITERS)
    kept: dict[str, str] = {}

    def write(name: str, value: bytes, expected: str | None) -> str:
        if b"after" in value:
            calls.wait()
            raise Lost
        if kept.get(name) != expected:
            raise Lost
        kept[name] = value.decode() + str(expected)
        return kept[name]

    assert race(write, NAMES[:1], "here") == kept[NAMES[0]]
