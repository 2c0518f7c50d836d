"""Many calls that mostly wait for an answer, in as many threads as waiting asks for.

Threads that have enough to do only take turns: fifty of them need half as much processor time again as four.
So there are few in the beginning, and more while this process is found to be waiting.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

T = TypeVar("T")
FIRST: Final = 4
"""Threads in the beginning."""
_LOOK: Final = 0.01
"""Seconds between two looks at how busy the process is."""
_BUSY: Final = 0.8
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


def in_parallel(
    read: Callable[[str], T], ids: Mapping[str, str], parallelism: int, load: Load | None = None
) -> dict[str, T]:
    """Address → what `read` makes of its id. What it raises comes out, and nothing more is started."""
    crew = _Crew(read, ids.values())
    most = min(parallelism, len(ids))
    crew.grow(min(FIRST, most))
    load = load or Load()
    try:
        while crew.size < most and not crew.over.wait(_LOOK):
            if load.has_time():
                crew.grow(min(2 * crew.size, most))
        crew.over.wait()
    finally:
        crew.stop()
    return dict(zip(ids, crew.answers(), strict=True))


class _Crew(Generic[T]):
    """Threads that take one id after the other."""

    def __init__(self, read: Callable[[str], T], ids: Iterable[str]) -> None:
        self.size = 0
        self.over = threading.Event()
        self._read = read
        self._todo = list(enumerate(ids))[::-1]
        self._answers: list[Any] = [None] * len(self._todo)
        self._missing = len(self._todo)
        self._failure: BaseException | None = None
        self._guard = threading.Lock()
        if not self._todo:
            self.over.set()

    def grow(self, size: int) -> None:
        for _ in range(self.size, size):
            threading.Thread(target=self._work, name="reading").start()
        self.size = size

    def stop(self) -> None:
        self._todo.clear()

    def answers(self) -> list[T]:
        if self._failure:
            raise self._failure
        return self._answers

    def _work(self) -> None:
        try:
            while True:
                try:
                    place, id_ = self._todo.pop()
                except IndexError:
                    return
                self._answers[place] = self._read(id_)
                self._count()
        except BaseException as error:
            self._failure = self._failure or error
            self.stop()
            self.over.set()

    def _count(self) -> None:
        with self._guard:
            self._missing -= 1
            if not self._missing:
                self.over.set()
