"""What takes too long is cut short, by one thread that watches over all that is under way."""

from __future__ import annotations

import math
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from defendctl.threads import begin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Cut = Callable[[float], None]
    """Ends it; told after how many seconds that is. Must not wait for anything."""


class Deadlines:
    """Safe to use from many threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._ends: dict[Cut, tuple[float, float]] = {}
        """When each ends, and how many seconds that is after its beginning."""
        self._until = math.inf
        self._awake_at = math.inf
        self._watched = self._closed = False

    @contextmanager
    def within(self, seconds: float, cut: Cut) -> Iterator[None]:
        """`cut` is called if what stands below is not over then, and never after it. Raises NoThread where
        nobody can watch over it."""
        self._add(seconds, cut)
        try:
            yield
        finally:
            with self._changed:
                self._ends.pop(cut, None)
                if self._closed:
                    self._changed.notify()

    def hurry(self, seconds: float) -> None:
        """Let what is under way, and all that follows, take so many seconds more and no longer."""
        with self._changed:
            self._until = time.monotonic() + seconds
            soon = (self._until, seconds)
            self._ends = {cut: min(end, soon) for cut, end in self._ends.items()}
            self._changed.notify()

    def close(self) -> None:
        """What is still under way is watched to its end."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _add(self, seconds: float, cut: Cut) -> None:
        with self._changed:
            now = time.monotonic()
            seconds = max(0.0, min(seconds, self._until - now))
            if not self._watched:
                begin("deadlines", self._watch, daemon=True)
                self._watched = True
            self._ends[cut] = (now + seconds, seconds)
            if now + seconds < self._awake_at:
                self._changed.notify()

    def _watch(self) -> None:
        """Wakes when the first is due. Cuts under the lock: what is over cannot be cut by mistake."""
        with self._changed:
            while self._cut_what_is_due() or not self._closed:
                self._awake_at = min((at for at, _ in self._ends.values()), default=math.inf)
                wait = self._awake_at - time.monotonic()
                self._changed.wait(None if wait == math.inf else max(0.0, wait))
            self._watched = False

    def _cut_what_is_due(self) -> bool:
        """Whether anything is still under way."""
        now = time.monotonic()
        for cut in [cut for cut, (at, _) in self._ends.items() if at <= now]:
            cut(self._ends.pop(cut)[1])
        return bool(self._ends)
