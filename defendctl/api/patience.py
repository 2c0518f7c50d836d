"""When to try again, and when to give up: shared by all requests of a run.

GET and PUT are tried again on lost answers, 408, 425, 429 and 5xx: full jitter from 0.5 s to 8 s, at most
four tries a call and twenty retries a run. A 429 holds back every request. A server that only fails, twenty
times or for twenty seconds, is given up for all that wait for it.
"""

from __future__ import annotations

import random
import threading
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from defendctl.api.transport import Answer, Lost, NotSent
from defendctl.diagnostics import ApiError, Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable

TRIES: Final = 4
BUDGET: Final = 20.0
REFUND: Final = 0.1
LONGEST_WAIT: Final = 60.0
LONGEST_SILENCE: Final = 20.0
"""Seconds from the first of several failures in a row to the last: then nobody is there."""
_BASE, _CAP = 0.5, 8.0
_RETRIED = {408, 425, 429, *range(500, 600)}


class Patience:
    def __init__(self) -> None:
        self.stopped = threading.Event()
        self._guard = threading.Lock()
        self._tokens = BUDGET
        self._not_before = 0.0
        self._failures = 0
        self._first_failure = self._last_failure = 0.0

    def ask(self, what: str, send: Callable[[], Answer], final: type[Lost] | tuple[()] = ()) -> Answer:
        """Send until there is an answer that is not worth a retry. Raises ApiError, or `final` at once."""
        tried = 0
        while True:
            tried += 1
            self.wait_turn(what)
            answer, why = _attempt(send, final)
            if answer and answer.status not in _RETRIED:
                self.succeeded()
                return answer
            wait = self._next_wait(answer, tried)
            if wait is None:
                raise ApiError(f"{what}: {why}" + (f" (tried {tried} times)" if tried > 1 else ""))
            self.pause(wait)

    def hold_back(self, seconds: float) -> None:
        """After a 429, nobody sends before this."""
        with self._guard:
            self._not_before = max(self._not_before, time.monotonic() + seconds)

    def wait_turn(self, what: str) -> None:
        """Raises ApiError if the server is given up."""
        with self._guard:
            wait, given_up = self._not_before - time.monotonic(), self._given_up()
        if given_up:
            raise ApiError(f"{what}: not tried, for the API does not answer")
        if wait > 0:
            self.pause(wait)

    def pause(self, seconds: float) -> None:
        """Raises Interrupted when the run is told to stop."""
        if self.stopped.wait(seconds):
            raise Interrupted("interrupted")

    def failed(self) -> None:
        """One more request that the server did not answer, or answered with its own failure."""
        with self._guard:
            self._last_failure = time.monotonic()
            if not self._failures:
                self._first_failure = self._last_failure
            self._failures += 1

    def _given_up(self) -> bool:
        silence = self._last_failure - self._first_failure
        return self._failures >= BUDGET or (self._failures > 1 and silence > LONGEST_SILENCE)

    def _next_wait(self, answer: Answer | None, tried: int) -> float | None:
        if answer and answer.status == 429:
            wait = retry_after(answer, tried)
            if wait is not None:
                self.hold_back(wait)
        else:
            wait = backoff(tried)
        if answer is None or answer.status >= 500:
            self.failed()
        with self._guard:
            self._tokens -= 1
            return wait if tried < TRIES and self._tokens >= 0 else None

    def succeeded(self) -> None:
        with self._guard:
            self._failures = 0
            self._tokens = min(BUDGET, self._tokens + REFUND)


def backoff(tried: int) -> float:
    return random.uniform(0, min(_CAP, _BASE * 2 ** (tried - 1)))


def retry_after(answer: Answer, tried: int) -> float | None:
    """How long a 429 asks to wait; None if that is longer than anybody would."""
    text = answer.headers.get("retry-after")
    seconds = _seconds(text) if text else None
    if seconds is None or not seconds >= 0:
        return backoff(tried)
    return seconds if seconds <= LONGEST_WAIT else None


def _seconds(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


def _attempt(send: Callable[[], Answer], final: type[Lost] | tuple[()]) -> tuple[Answer | None, str]:
    try:
        answer = send()
    except final:
        raise
    except (NotSent, Lost) as error:
        return None, str(error)
    return answer, f"the API answered {answer.status}"
