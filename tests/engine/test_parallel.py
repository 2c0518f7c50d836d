"""Threads at once: as many as are asked for where answers take their time, and one where they do not."""

from __future__ import annotations

import threading

import pytest

from defendctl.diagnostics import ApiError
from defendctl.engine.parallel import Load, in_parallel, in_threads
from tests.starving import starve

IDS = {f"w{n}": f"id-{n}" for n in range(200)}


class Busy(Load):
    def has_time(self) -> bool:
        return False


class Waiting(Load):
    def has_time(self) -> bool:
        return True


def test_answers_stand_in_the_order_of_their_addresses() -> None:
    assert list(in_parallel(str.upper, IDS, 10).items()) == [(a, i.upper()) for a, i in IDS.items()]
    assert in_parallel(str.upper, {}, 10) == {}


def test_where_answers_wait_all_threads_come() -> None:
    """Fifty reads that each wait for the others would never end with fewer."""
    together = threading.Barrier(50)
    in_parallel(lambda id_: together.wait(timeout=60), IDS, 50)


@pytest.mark.parametrize("load", [Busy(), Waiting()])
@pytest.mark.parametrize("parallelism", [1, 3, 50])
def test_no_more_threads_than_asked_for(load: Load, parallelism: int) -> None:
    seen: set[int] = set()
    pause = threading.Event()

    def read(id_: str) -> None:
        seen.add(threading.get_ident())
        pause.wait(0.001)

    in_parallel(read, IDS, parallelism, load)
    assert len(seen) <= (1 if isinstance(load, Busy) else parallelism)


def test_a_process_that_waits_has_time() -> None:
    load = Load()
    threading.Event().wait(0.1)
    assert load.has_time()


def test_an_error_comes_out_and_nothing_more_is_started() -> None:
    seen: list[str] = []

    def read(id_: str) -> None:
        seen.append(id_)
        raise ApiError("no")

    with pytest.raises(ApiError, match="no"):
        in_parallel(read, IDS, 3)
    assert len(seen) <= 3


def test_who_waits_for_threads_hears_an_error_when_the_last_has_ended() -> None:
    """What another thread still does, a create perhaps, is not left alone."""
    both, failed, ended = threading.Barrier(2), threading.Event(), threading.Event()
    stopped = threading.Event()

    def work() -> None:
        if both.wait(60) == 0:
            failed.set()
            raise ApiError("no")
        assert failed.wait(60)
        assert stopped.wait(60)
        threading.Event().wait(0.05)
        ended.set()

    with pytest.raises(ApiError, match="no"):
        in_threads(work, 2, stopped.set, Waiting())
    assert ended.is_set()


def test_an_error_of_a_read_comes_out_while_others_still_read() -> None:
    """A refused key is told at once; a read that goes on harms nobody."""
    begun, over = threading.Barrier(2), threading.Event()

    def read(id_: str) -> None:
        begun.wait(60)
        if id_ == "id-1":
            raise ApiError("no")
        assert over.wait(60)

    with pytest.raises(ApiError, match="no"):
        in_parallel(read, {"w0": "id-0", "w1": "id-1"}, 2, Waiting())
    over.set()


def test_who_waits_for_threads_is_interrupted() -> None:
    """Nothing more is begun, and what is under way is waited for."""
    stop, begun, ended = threading.Event(), threading.Event(), threading.Event()

    class Interrupted(Load):
        def has_time(self) -> bool:
            assert begun.wait(60)
            raise KeyboardInterrupt

    def work() -> None:
        begun.set()
        assert stop.wait(60)
        ended.set()

    with pytest.raises(KeyboardInterrupt):
        in_threads(work, 2, stop.set, Interrupted())
    assert ended.is_set()


@pytest.mark.parametrize("left", [0, 1, 2, 5])
def test_a_system_without_threads_takes_longer(monkeypatch: pytest.MonkeyPatch, left: int) -> None:
    """What the system has does it all, and this thread where it has none."""
    seen: set[int] = set()

    def read(id_: str) -> str:
        seen.add(threading.get_ident())
        threading.Event().wait(0.0005)
        return id_.upper()

    starve(monkeypatch, left)
    assert list(in_parallel(read, IDS, 10, Waiting()).values()) == [id_.upper() for id_ in IDS.values()]
    assert len(seen) <= max(left, 1)
    assert (threading.get_ident() in seen) == (left == 0)


def test_threads_that_come_when_all_is_done_are_waited_for() -> None:
    """The first is over before the second begins."""

    class Late(Load):
        def has_time(self) -> bool:
            assert over.wait(60)
            threading.Event().wait(0.02)
            return True

    over, done = threading.Event(), threading.Semaphore(0)

    def work() -> None:
        if not over.is_set():
            threading.Event().wait(0.03)
            over.set()
        else:
            threading.Event().wait(0.05)
        done.release()

    in_threads(work, 2, lambda: None, Late())
    assert done.acquire(blocking=False)
    assert done.acquire(blocking=False)
