"""How a thread of ours begins, where a system may have none left."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from defendctl.diagnostics import DefendctlError

if TYPE_CHECKING:
    from collections.abc import Callable


class NoThread(DefendctlError):
    """What runs on may go on alone."""


def begin(name: str, work: Callable[..., None], *given: Any, daemon: bool = False) -> threading.Thread:
    """Raises NoThread."""
    thread = threading.Thread(target=work, args=given, name=name, daemon=daemon)
    try:
        thread.start()
    except RuntimeError:
        raise NoThread(
            "this system lets no further thread begin",
            "raise its limit of processes or memory (`ulimit -a`), or end other programs",
        ) from None
    return thread
