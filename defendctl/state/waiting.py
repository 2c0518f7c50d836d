"""Waiting for the lock, and breaking that of a run which this one has seen silent for long enough.

No lock ends by a clock: a run that pauses may come back. Where late writes are fenced it is safe to take over
all the same, and who may do so is a waiter that saw the holder show no sign of life on its own clock, which
never goes back and knows nothing of anybody else's.
"""

from __future__ import annotations

import math
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from defendctl.diagnostics import Precondition
from defendctl.state.backend import Locked, NotLocked

if TYPE_CHECKING:
    from collections.abc import Callable

    from defendctl.state.backend import Backend, Held, Lease
    from defendctl.state.owner import Owner

PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 5.0
"""Seconds between two looks at the lock."""


def take_lock(backend: Backend, owner: Owner, warn: Callable[[str], None], timeout: float) -> Lease:
    """Try for `timeout` seconds. Raises Locked where the lock was held all that time."""
    end = time.monotonic() + timeout
    silence = _Silence(backend)
    pause = PAUSE
    while True:
        try:
            return backend.lock(owner, warn)
        except Locked as locked:
            left = end - time.monotonic()
            if left <= 0:
                raise
            if silence.watched is None:
                warn(f"{locked.message}; waiting for it")
            if not silence.is_over(warn):
                time.sleep(min(pause, left, backend.silence / 4))
                pause = min(pause * 1.5, LONGEST_PAUSE)


class _Silence:
    """How long the holder has been seen without a sign of life."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._since = math.inf
        self.watched: tuple[Owner, str] | None = None

    def is_over(self, warn: Callable[[str], None]) -> bool:
        """Whether the lock may be tried for at once, because nobody has it or because it was broken now."""
        held = self._backend.held()
        if held is None or self._has_moved(held):
            return held is None
        if time.monotonic() - self._since < self._backend.silence:
            return False
        with suppress(Precondition, NotLocked):  # another has it meanwhile, or has broken it
            self._backend.unlock(held.owner.id)
            warn(
                f"the lock is taken over: {held.owner} gave no sign of life for "
                f"{self._backend.silence:g} seconds; what it still sends to the API will show as drift"
            )
        self._since = math.inf
        return True

    def _has_moved(self, held: Held) -> bool:
        """Since it was looked at last; the time runs anew then."""
        now = (held.owner, held.beat)
        if now == self.watched and self._since < math.inf:
            return False
        self.watched, self._since = now, time.monotonic()
        return True
