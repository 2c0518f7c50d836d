"""Waiting for a lock: who may break it, after what it has seen itself, and who may never."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from defendctl.diagnostics import Precondition
from defendctl.state import waiting
from defendctl.state.backend import Held, Locked, NotLocked
from defendctl.state.owner import this_run
from defendctl.state.waiting import take_lock

if TYPE_CHECKING:
    from collections.abc import Callable

    from defendctl.state.owner import Owner

ME = this_run()
HOLDER = replace(ME, id="holder", run="https://ci.example.com/job/7")
LEASE = object()


class Clock:
    """Time that passes while somebody sleeps, and at no other time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000.0
        monkeypatch.setattr(waiting, "time", SimpleNamespace(monotonic=lambda: self.now, sleep=self.sleep))

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


class Store:
    """A place whose lock is held: `beat` says how its holder moves as the time goes on."""

    def __init__(self, clock: Clock, beat: Callable[[float], str], silence: float = 120.0) -> None:
        self.clock, self.beat, self.silence = clock, beat, silence
        self.holder: Owner | None = HOLDER
        self.broken: list[str] = []

    def lock(self, owner: Owner, warn: Callable[[str], None]) -> object:
        if self.holder and self.holder != owner:
            raise Locked(f"the state is locked by {self.holder}")
        self.holder = owner
        return LEASE

    def held(self) -> Held | None:
        return Held(self.holder, alive=True, beat=self.beat(self.clock.now)) if self.holder else None

    def unlock(self, lock_id: str) -> Owner:
        assert self.holder
        if self.holder.id != lock_id:
            raise Precondition("it is another's")
        self.broken.append(lock_id)
        found, self.holder = self.holder, None
        return found


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def take(place: Store, timeout: float, said: list[str] | None = None) -> object:
    return take_lock(place, ME, (said if said is not None else []).append, timeout)  # type: ignore[arg-type]


def dead(now: float) -> str:
    return "1"


def test_without_a_timeout_it_is_told_at_once(clock: Clock) -> None:
    place = Store(clock, dead)
    said: list[str] = []
    with pytest.raises(Locked):
        take(place, 0, said)
    assert (clock.now, said, place.broken) == (1_000.0, [], [])


def test_a_holder_seen_silent_for_long_enough_is_taken_over_and_that_is_said(clock: Clock) -> None:
    place = Store(clock, dead)
    said: list[str] = []
    assert take(place, 600, said) is LEASE
    assert place.broken == ["holder"]
    assert 120 <= clock.now - 1_000 < 120 + waiting.LONGEST_PAUSE + 1
    assert "waiting for it" in said[0]
    assert "https://ci.example.com/job/7" in said[1]
    assert "taken over" in said[1]


def test_a_holder_that_beats_is_never_taken_over(clock: Clock) -> None:
    place = Store(clock, lambda now: str(now // 30))
    with pytest.raises(Locked):
        take(place, 3_600)
    assert place.broken == []
    assert clock.now >= 4_600


def test_a_holder_that_beats_once_more_is_given_all_the_time_again(clock: Clock) -> None:
    place = Store(clock, lambda now: "late" if now > 1_110 else "early")
    take(place, 600)
    assert clock.now >= 1_110 + 120


def test_who_waits_less_than_the_silence_breaks_nothing(clock: Clock) -> None:
    place = Store(clock, dead)
    with pytest.raises(Locked):
        take(place, 119)
    assert place.broken == []


def test_where_the_kernel_knows_nothing_is_ever_broken(clock: Clock) -> None:
    place = Store(clock, dead, silence=math.inf)
    with pytest.raises(Locked):
        take(place, 100_000)
    assert place.broken == []


def test_another_holder_is_another_silence(clock: Clock) -> None:
    """Runs that come and go, each with the same beat: none of them is silent for long."""
    place = Store(clock, dead)
    names = itertools.count()

    def beat(now: float) -> str:
        place.holder = replace(HOLDER, id=f"run-{next(names)}")
        return "1"

    place.beat = beat
    with pytest.raises(Locked):
        take(place, 1_000)
    assert place.broken == []


def test_a_lock_that_is_free_meanwhile_is_taken_at_once(clock: Clock) -> None:
    place = Store(clock, dead)

    def beat(now: float) -> str:
        if now > 1_010:
            place.holder = None
        return "1"

    place.beat = beat
    assert take(place, 600) is LEASE
    assert clock.now < 1_020
    assert place.broken == []


def test_whoever_took_it_before_the_break_keeps_it(clock: Clock) -> None:
    place = Store(clock, dead)

    def unlock(lock_id: str) -> Owner:
        place.holder = replace(HOLDER, id="quicker")
        raise Precondition("it is another's")

    place.unlock = unlock  # type: ignore[method-assign]
    with pytest.raises(Locked):
        take(place, 200)
    assert place.broken == []


def test_who_finds_it_broken_by_another_waiter_goes_on(clock: Clock) -> None:
    """Two that wait see the same silence, and one of them is the first: the other tries for the lock."""
    place = Store(clock, dead)
    said: list[str] = []

    def unlock(lock_id: str) -> Owner:
        place.holder = None
        raise NotLocked

    place.unlock = unlock  # type: ignore[method-assign]
    assert take(place, 600, said) is LEASE
    assert not any("taken over" in line for line in said)
