"""Work that mostly waits for answers, in as many threads as waiting asks for.

Threads that have enough to do only take turns, and each turn costs: two of them need a fifth more processor
time than one, fifty need half as much again. So one begins, and there are more while this process is found to
be waiting.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

from defendctl.threads import NoThread, begin

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")
_LOOK: Final = 0.01
"""Seconds between two looks at how busy the process is."""
_BUSY: Final = 0.6
"""Of one processor; more threads would wait for each other."""


class Load:
    """How busy this process is."""

    def __init__(self) -> None:
        self._seen = (time.monotonic(), time.process_time())

    def has_time(self) -> bool:
        """Whether it mostly waited since it was last asked."""
        before, self._seen = self._seen, (time.monotonic(), time.process_time())
        passed, used = (now - then for now, then in zip(self._seen, before, strict=True))
        return used < _BUSY * passed


def in_threads(
    work: Callable[[], None],
    most: int,
    stop: Callable[[], None],
    load: Load | None = None,
    *,
    at_once: bool = False,
) -> None:
    """`work` takes what is next until nothing is left, in one thread and in up to `most`, or as many as the
    system has; without any, in this one. Over when it has returned in each; then the first error comes out.

    At the first error, which may be an interruption of who waits here, `stop` is called: it sees to it that
    nothing more is begun. `at_once`: the error comes out then, whatever others still do.
    """
    if not most:
        return
    crew = _Crew(work, stop, at_once)
    try:
        crew.grow(1)
        if not crew.size:
            work()
        load = load or Load()
        while 0 < crew.size < most and not crew.over.wait(_LOOK):
            if load.has_time():
                crew.grow(min(2 * crew.size, most))
        crew.over.wait()
    except BaseException as error:
        crew.fail(error)
    crew.over.wait()
    if crew.failure:
        raise crew.failure


def in_parallel(
    read: Callable[[str], T], ids: Mapping[str, str], parallelism: int, load: Load | None = None
) -> dict[str, T]:
    """Address → what `read` makes of its id. What it raises comes out, and nothing more is started."""
    todo = list(enumerate(ids.values()))[::-1]
    answers: list[Any] = [None] * len(todo)

    def work() -> None:
        while (next_ := _last(todo)) is not None:
            place, id_ = next_
            answers[place] = read(id_)

    in_threads(work, min(parallelism, len(todo)), todo.clear, load, at_once=True)
    return dict(zip(ids, answers, strict=True))


def _last(todo: list[T]) -> T | None:
    with suppress(IndexError):  # another thread may have taken it since anybody looked
        return todo.pop()
    return None


class _Crew:
    """Threads that all do the same."""

    def __init__(self, work: Callable[[], None], stop: Callable[[], None], at_once: bool) -> None:
        self.size = 0
        self.over = threading.Event()
        self.failure: BaseException | None = None
        self._do, self._stop, self._at_once = work, stop, at_once
        self._working = 0
        self._guard = threading.Lock()

    def grow(self, size: int) -> None:
        """As far as the system lets it: those that work already do it all."""
        with suppress(NoThread):
            while self.size < size and self.failure is None:
                self._begin()

    def fail(self, error: BaseException) -> None:
        self.failure = self.failure or error
        self._stop()
        if self._at_once:
            self.over.set()

    def _begin(self) -> None:
        with self._guard:
            self._working += 1
            self.over.clear()
        try:
            begin("worker", self._work)
        except BaseException:
            self._leave()
            raise
        self.size += 1

    def _work(self) -> None:
        try:
            self._do()
        except BaseException as error:
            self.fail(error)
        finally:
            self._leave()

    def _leave(self) -> None:
        with self._guard:
            self._working -= 1
            if not self._working:
                self.over.set()
