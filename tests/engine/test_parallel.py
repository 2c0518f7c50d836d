"""Reads at once: as many as are asked for where answers take their time, and few where they do not."""

from __future__ import annotations

import threading

import pytest

from defendctl.diagnostics import ApiError
from defendctl.engine.parallel import FIRST, Load, in_parallel

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


def test_nothing_is_read_where_nothing_is_asked() -> None:
    assert in_parallel(str, {}, 4) == {}


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
    assert len(seen) <= min(parallelism, FIRST if isinstance(load, Busy) else parallelism)


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
