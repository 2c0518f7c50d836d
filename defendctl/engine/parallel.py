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


def in_threads(work: Callable[[], None], most: int, load: Load | None = None) -> None:
    """`work` takes what is next until nothing is left, in one thread and in up to `most`. Over when it has
    returned in each; then the first error comes out."""
    if not most:
        return
    crew = _Crew(work)
    crew.grow(1)
    load = load or Load()
    while crew.size < most and not crew.over.wait(_LOOK):
        if load.has_time():
            crew.grow(min(2 * crew.size, most))
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
        try:
            while (next_ := _last(todo)) is not None:
                place, id_ = next_
                answers[place] = read(id_)
        except BaseException:
            todo.clear()
            raise

    try:
        in_threads(work, min(parallelism, len(todo)), load)
    finally:
        todo.clear()  # for whoever still reads when this is interrupted
    return dict(zip(ids, answers, strict=True))


def _last(todo: list[T]) -> T | None:
    with suppress(IndexError):  # another thread may have taken it since anybody looked
        return todo.pop()
    return None


class _Crew:
    """Threads that all do the same."""

    def __init__(self, work: Callable[[], None]) -> None:
        self.size = 0
        self.over = threading.Event()
        self.failure: BaseException | None = None
        self._do = work
        self._working = 0
        self._guard = threading.Lock()

    def grow(self, size: int) -> None:
        more, self.size = size - self.size, size
        with self._guard:
            self._working += more
            self.over.clear()
        for _ in range(more):
            threading.Thread(target=self._work, name="worker").start()

    def _work(self) -> None:
        try:
            self._do()
        except BaseException as error:
            self.failure = self.failure or error
        finally:
            self._leave()

    def _leave(self) -> None:
        with self._guard:
            self._working -= 1
            if not self._working:
                self.over.set()
