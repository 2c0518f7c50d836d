"""A command in a process that ends by itself, without a word, before or after one call of a backend.

    python -m tests.state.ending STEP COMMAND…

Counted are the calls that make a difference to somebody else, and the read that comes after them.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import defendctl.state.open as opening
from defendctl.cli.main import run

if TYPE_CHECKING:
    from collections.abc import Callable

KILLED = 9
COUNTED = {"lock", "replace", "drop_journal", "release", "probe", "read", "leave", "forget_left"}


class Counted:
    """A backend or a lease whose calls are counted."""

    def __init__(self, inner: Any, tick: Callable[[], None]) -> None:
        self._inner, self._tick = inner, tick

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return self._counted(name, found) if name in COUNTED else found

    def _counted(self, name: str, called: Any) -> Any:
        def call(*arguments: Any) -> Any:
            self._tick()
            result = None if name == "probe" else called(*arguments)  # it is long, and changes nothing
            self._tick()
            return Counted(result, self._tick) if name == "lock" else result

        return call


def _counting(opened: Any, tick: Callable[[], None]) -> Any:
    return lambda *given: Counted(opened(*given), tick)


def main() -> None:
    step, *arguments = sys.argv[1:]
    count = 0

    def tick() -> None:
        nonlocal count
        count += 1
        if count == int(step):
            os._exit(KILLED)

    for name in ("open_backend", "LocalBackend"):
        setattr(opening, name, _counting(getattr(opening, name), tick))
    run(arguments)


if __name__ == "__main__":
    main()
