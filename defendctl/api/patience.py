"""When to try again, and when to give up: shared by all requests of a run.

GET and PUT are tried again on lost answers, 408, 425, 429 and 5xx: full jitter from 0.5 s to 8 s, at most
four tries a call and twenty retries a run. What a server asks to wait, by a refusal or by saying that nothing
is left of a limit, holds back every request. Given up, for all that wait, is a server that only fails, twenty
times or for twenty seconds; one that asks for a longer wait than a minute, or for two minutes in all with few
answers between; and what no second try would mend, like a proxy that wants a password.
"""

from __future__ import annotations

import math
import random
import threading
import time
from typing import TYPE_CHECKING, Final

from defendctl.api.answer import Answer, NotSent, Unanswered
from defendctl.api.asked import asked_wait
from defendctl.diagnostics import ApiError, Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable

TRIES: Final = 4
BUDGET: Final = 20.0
REFUND: Final = 0.1
LONGEST_WAIT: Final = 60.0
WAITED_IN_ALL: Final = 120.0
"""Seconds of waiting, at a server's wish, that a run has. Each answer gives some back."""
WAIT_REFUND: Final = 5.0
LONGEST_SILENCE: Final = 20.0
"""Seconds from the first of several failures in a row to the last: then nobody is there."""
_BASE, _CAP = 0.5, 8.0
RETRIED: Final = frozenset({408, 425, 429, *range(500, 600)})


class NotTried(ApiError):
    """Nothing was sent, for the run has given the server up."""


class Patience:
    """`clock` gives seconds; `wait` takes an event and seconds, and ends early where that is set.

    `waits` is told each time for how many seconds everybody is held back at the server's wish.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[threading.Event, float], object] = threading.Event.wait,
        waits: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        self._clock, self._wait, self._waits = clock, wait, waits
        self._wake = threading.Event()
        self._stopped = False
        self._given_up: str | None = None
        self._guard = threading.Lock()
        self._tokens, self._waiting_left = BUDGET, WAITED_IN_ALL
        self._not_before = -math.inf
        self._failures = 0
        self._first_failure = self._last_failure = 0.0

    def ask(
        self,
        what: str,
        send: Callable[[], Answer],
        explain: Callable[[Answer], str],
        final: type[Unanswered] | tuple[()] = (),
    ) -> Answer:
        """Send until there is an answer that is not worth a retry. Raises ApiError, or `final` at once."""
        tried = 0
        while True:
            tried += 1
            self.wait_turn(what)
            answer = _attempt(send, final)
            if isinstance(answer, Answer) and answer.status not in RETRIED:
                self.succeeded(answer)
                return answer
            wait = self._next_wait(answer, tried)
            if wait is None:
                why = explain(answer) if isinstance(answer, Answer) else str(answer)
                raise ApiError(f"{what}: {why}" + (f" (tried {tried} times)" if tried > 1 else ""))
            self.pause(wait)

    def hold_back(self, seconds: float) -> None:
        """Nobody sends before this."""
        with self._guard:
            self._not_before = max(self._not_before, self._clock() + seconds)

    def wait_turn(self, what: str) -> None:
        """Raises NotTried if the server is given up."""
        while (wait := self._until_turn(what)) > 0:
            self.pause(wait)

    def pause(self, seconds: float) -> None:
        """Ends early if the server is given up. Raises Interrupted when the run is told to stop."""
        if seconds > 0:
            self._wait(self._wake, seconds)
        if self._stopped:
            raise Interrupted("interrupted")

    def stop(self) -> None:
        """Whatever waits ends in Interrupted, now and from now on."""
        self._stopped = True
        self._wake.set()

    def give_up(self, why: str) -> None:
        """Nobody sends any more; whatever waits ends now."""
        self._given_up = self._given_up or why
        self._wake.set()

    def heed(self, answer: Answer, tried: int) -> float | None:
        """How long after a refusal to wait for the next try; None if there is to be none.

        Whatever the server asks for is waited by all, or by nobody: then it is given up.
        """
        asked = asked_wait(answer.status, answer.headers)
        if asked is None and answer.status != 429:
            return backoff(tried)
        wait = max(asked or 0.0, backoff(tried))
        if wait > LONGEST_WAIT:
            self.give_up(
                f"the API asks to wait {math.ceil(wait)} s, and defendctl waits {LONGEST_WAIT:g} s at most"
            )
            return None
        if not self._grant(wait):
            spent = f"defendctl waits {WAITED_IN_ALL:g} s in all while few requests are answered"
            self.give_up(f"the API asks again to wait {math.ceil(wait)} s, and {spent}")
            return None
        return wait

    def failed(self) -> None:
        """One more request that the server did not answer, or answered with its own failure."""
        with self._guard:
            self._last_failure = self._clock()
            if not self._failures:
                self._first_failure = self._last_failure
            self._failures += 1

    def succeeded(self, answer: Answer) -> None:
        """Where it says that nothing is left of a limit, the next request waits, not to be refused."""
        with self._guard:
            self._failures = 0
            self._tokens = min(BUDGET, self._tokens + REFUND)
            self._waiting_left = min(WAITED_IN_ALL, self._waiting_left + WAIT_REFUND)
        asked = asked_wait(answer.status, answer.headers)
        if asked and asked <= LONGEST_WAIT:
            self._grant(asked)

    def _until_turn(self, what: str) -> float:
        with self._guard:
            given_up = self._given_up or ("the API does not answer" if self._only_fails() else None)
            wait = self._not_before - self._clock()
        if given_up:
            raise NotTried(f"{what}: not tried, because {given_up}")
        return wait

    def _only_fails(self) -> bool:
        silence = self._last_failure - self._first_failure
        return self._failures >= BUDGET or (self._failures > 1 and silence > LONGEST_SILENCE)

    def _grant(self, seconds: float) -> bool:
        """Hold everybody back, if the run has as much left. What is waited at once is counted once."""
        with self._guard:
            now = self._clock()
            until = now + seconds
            more = max(0.0, until - max(now, self._not_before))
            if more > self._waiting_left:
                return False
            self._waiting_left -= more
            self._not_before = max(self._not_before, until)
        if more:
            self._waits(seconds)
        return True

    def _next_wait(self, answer: Answer | NotSent | Unanswered, tried: int) -> float | None:
        if not isinstance(answer, Answer) or answer.status >= 500:
            self.failed()
        if isinstance(answer, NotSent) and not answer.again:
            self.give_up(str(answer))
            return None
        wait = self.heed(answer, tried) if isinstance(answer, Answer) else backoff(tried)
        with self._guard:
            self._tokens -= 1
            return wait if tried < TRIES and self._tokens >= 0 else None


def backoff(tried: int) -> float:
    return random.uniform(0, min(_CAP, _BASE * 2 ** (tried - 1)))


def _attempt(
    send: Callable[[], Answer], final: type[Unanswered] | tuple[()]
) -> Answer | NotSent | Unanswered:
    try:
        return send()
    except final:
        raise
    except (NotSent, Unanswered) as error:
        return error
