"""A system that has few threads left."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def starve(patch: pytest.MonkeyPatch, left: int) -> itertools.count[int]:
    """So many threads may begin from now on, and then none. The next number: how often one was asked for."""
    start, asked = threading.Thread.start, itertools.count()

    def may_start(thread: threading.Thread) -> None:
        if next(asked) >= left:
            raise RuntimeError("can't start new thread")
        start(thread)

    patch.setattr(threading.Thread, "start", may_start)
    return asked
