"""One event, submitted once, and followed to its end. Each costs money, so none is ever sent again whose
outcome is not known."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from defendctl.api.outcome import Refused, Unsent
from defendctl.api.patience import backoff

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from defendctl.api.outcome import Submitted
    from defendctl.engine.protocols import Evaluator
    from defendctl.event import Event

TRIES: Final = 3
_FIRST_WAIT, _LONGEST_WAIT, _FACTOR = 0.2, 10.0, 1.5


def _nothing() -> None:
    pass


def submit(
    judge: Evaluator, workflow_id: str, body: dict[str, Any], before_send: Callable[[], None] = _nothing
) -> Submitted:
    """Tried again only where nothing left this machine, and after a 429, which was refused."""
    tried = 0
    while True:
        tried += 1
        outcome = judge.submit(workflow_id, body, before_send)
        wait = _wait(outcome, tried)
        if wait is None:
            return outcome
        judge.pause(wait)


def follow(
    judge: Evaluator,
    workflow_id: str,
    event_id: str,
    seconds: float,
    content: bool = False,
    on_poll: Callable[[Event], None] = lambda event: None,
) -> Event | None:
    """The event when it has ended, or as it is after so many seconds. None for a 404. Raises ApiError."""
    until, wait = time.monotonic() + seconds, _FIRST_WAIT
    while (event := judge.event(workflow_id, event_id, content)) is not None:
        left = until - time.monotonic()
        if event.ended or left <= 0:
            break
        on_poll(event)
        judge.rest(min(wait, left))
        wait = min(_LONGEST_WAIT, wait * _FACTOR)
    return event


def _wait(outcome: Submitted, tried: int) -> float | None:
    """How long until the next try; None if there must be none, or is no point in one."""
    if tried == TRIES:
        return None
    if isinstance(outcome, Unsent):
        return backoff(tried) if outcome.again else None
    return outcome.wait if isinstance(outcome, Refused) and outcome.status == 429 else None
