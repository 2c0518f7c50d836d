"""One swap of the register, whatever becomes of the answers.

A refusal and silence are both looked after: our value is there, so it was done; what we expected is there,
so it is asked again, with the same bytes, which land once however often they arrive; or else another's is.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from defendctl.state.backend import Unreachable
from defendctl.state.register.engine import Lost
from defendctl.state.register.value import to_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from defendctl.state.register.engine import Engine
    from defendctl.state.register.value import Register

SOON: Final = (0.1, 0.2, 0.4, 0.8, 1.1)
PATIENT: Final = (0.1, 0.3, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0)
"""Seconds between attempts: a minute for what is known here alone."""


def pause(seconds: float) -> None:
    time.sleep(seconds)


def drawn(register: Register, **changes: Any) -> Register:
    """The next value after `register`: a nonce of its own, whatever else it says."""
    return replace(register, **changes, nonce=secrets.token_hex(8))


def swap(
    engine: Engine,
    register: Register,
    expected: str | None,
    beside: Mapping[str, bytes],
    pauses: Sequence[float],
) -> str:
    """The version of `register`, which is there then. Raises Lost where another value is there than was
    expected, Unreachable where nobody can say, and what else the engine raises."""
    value, named = to_bytes(register), register.named()
    until = time.monotonic() + sum(pauses)  # an attempt may itself wait long for an answer
    waits = iter(pauses)
    while True:
        try:
            return engine.swap(value, expected, beside, named)
        except (Lost, Unreachable) as error:
            failed = error
        try:
            found = engine.read()
        except Unreachable as error:
            failed = error
        else:
            if found and found[0] == value:
                return found[1]
            if (found[1] if found else None) != expected:
                raise Lost from failed
        wait = next(waits, None)
        if wait is None or time.monotonic() > until:
            raise Unreachable(f"{engine.where} cannot be written: {failed}") from failed
        pause(wait)
