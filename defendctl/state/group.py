"""Group commit: whoever records while a write is under way is in the next one. Knows nothing of states.

Whoever waits for a record writes all that wait, so that there is no second writer and no thread of its own.
Only where a place wants to hear of its holder, a thread tells that the run goes on, and it takes its turn.
"""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING

from defendctl.diagnostics import Precondition
from defendctl.threads import begin

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from defendctl.state.records import Record


def boottime() -> float:
    """Goes on while the machine sleeps, where the system has such a clock."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)


class Pending:
    """A record on its way to where it is durable."""

    def __init__(self, group: GroupCommit, record: Record) -> None:
        self.record = record
        self._group = group
        self._settled = threading.Event()
        self._began = 0.0
        self._error: BaseException | None = None

    def wait(self, linger: float = 0.0) -> float:
        """Durable when it returns: when the write began that made it so, by `boottime`. Nobody had it durable
        before, and a run that was stopped until its answer came cannot tell how long that was.

        Raises OSError or Precondition; then it did not happen. `linger`: seconds for which another may write
        it along with its own.
        """
        if not self._settled.wait(linger):
            self._group.write(self)
        if self._error:
            raise self._error
        return self._began

    @property
    def is_settled(self) -> bool:
        return self._settled.is_set()

    def settle(self, began: float, error: BaseException | None) -> None:
        self._began, self._error = began, error
        self._settled.set()


class GroupCommit:
    """The records that wait, in their order. Safe to use from several threads.

    Once a write has failed, nobody can say what is there: all that wait for it fail, and so does all that
    comes after it.
    """

    def __init__(
        self,
        append: Callable[[Sequence[Record]], None],
        beat: Callable[[], None] = lambda: None,
        pulse: float = math.inf,
    ) -> None:
        """One thread at a time calls `append` or `beat`; the latter after `pulse` seconds without either."""
        self.pen = threading.RLock()
        """Whoever holds it is the only one who writes."""
        self._append, self._beat, self._pulse = append, beat, pulse
        self._guard = threading.Lock()
        self._waiting: list[Pending] = []
        self._failed: BaseException | None = None
        self._wrote = time.monotonic()
        self._over = threading.Event()
        if pulse < math.inf:
            begin("beat", self._live, daemon=True)

    def soon(self, record: Record) -> Pending:
        """It goes out with what is written next; somebody must wait for it."""
        pending = Pending(self, record)
        with self._guard:
            self._waiting.append(pending)
        return pending

    def write(self, pending: Pending | None = None) -> None:
        """All that wait, if `pending` is still among them."""
        with self.pen:
            if pending and pending.is_settled:
                return
            with self._guard:
                group, self._waiting = self._waiting, []
            began = boottime()
            error = self._tried(lambda: self._append([each.record for each in group])) if group else None
            for each in group:
                each.settle(began, error)

    def end(self) -> None:
        """Stops the beats: once the caller has held the pen, none follows."""
        self._over.set()

    def _tried(self, write: Callable[[], None]) -> BaseException | None:
        """Why nothing is written any more. Whatever went wrong: whoever waits must hear of it, in a way that
        is told with what exists and could not be recorded."""
        if self._failed is None:
            try:
                write()
                self._wrote = time.monotonic()
            except (OSError, Precondition) as error:
                self._failed = error
            except Exception as error:
                self._failed = OSError(f"{type(error).__name__}: {error}".removesuffix(": "))
                self._failed.__cause__ = error
            except BaseException as error:
                self._failed = error
        return self._failed

    def _live(self) -> None:
        while not self._over.wait(self._wrote + self._pulse - time.monotonic()):
            with self.pen:
                is_quiet = time.monotonic() - self._wrote >= self._pulse
                if is_quiet and not self._over.is_set() and self._tried(self._beat):
                    return
