"""Running the cases of a suite: each event submitted once, followed, judged; within a budget."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from defendctl.api.outcome import Accepted, Refused, Unknown
from defendctl.diagnostics import ApiError, Interrupted, KeyRefused
from defendctl.engine.submit import follow, submit
from defendctl.exits import Exit
from defendctl.suite.judge import judge, settle
from defendctl.suite.models import CaseResult, Repeat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any, Literal

    from defendctl.engine.protocols import Evaluator
    from defendctl.event import Event, Submission
    from defendctl.suite.budget import Budget
    from defendctl.suite.models import Case

    Stop = Literal["budget", "interrupted", "key"]

_WHY: dict[Stop, str] = {
    "budget": "the budget is spent",
    "interrupted": "interrupted",
    "key": "the API refused the key",
}


class Trial:
    """One run. `stop` may be called from any thread, or from a signal; the first reason counts."""

    def __init__(
        self,
        api: Evaluator,
        ids: Mapping[str, str],
        encode: Callable[[Submission], dict[str, Any]],
        seconds: float,
        budget: Budget | None = None,
        estimates: Mapping[str, float] | None = None,
        on_result: Callable[[CaseResult], None] = lambda result: None,
    ) -> None:
        """`ids`: address → workflow id. `seconds`: how long one evaluation may take."""
        self._api, self._ids, self._encode, self._seconds = api, ids, encode, seconds
        self._budget, self._estimates, self._on_result = budget, estimates or {}, on_result
        self._guard = threading.Lock()
        self._results: dict[str, CaseResult] = {}
        self.stopped: Stop | None = None
        self.unlike: Callable[[Event], str | None] = lambda event: None
        """Why an event that has ended tells nothing of what is to be tested."""

    def stop(self, why: Stop) -> None:
        """Submit nothing more."""
        self.stopped = self.stopped or why

    def run(self, cases: Sequence[Case], parallelism: int) -> tuple[CaseResult, ...]:
        """Raises nothing for what can be told in a result."""
        workers, waiting = min(parallelism, len(cases)), iter(cases)
        with ThreadPoolExecutor(workers) as pool:
            running = [pool.submit(self._work, waiting) for _ in range(workers)]
        for worker in running:
            worker.result()
        return tuple(self._results[case.name] for case in cases)

    def _work(self, waiting: Iterator[Case]) -> None:
        while (case := self._next(waiting)) is not None:
            result = self._case(case)
            with self._guard:
                self._results[case.name] = result
            self._on_result(result)

    def _next(self, waiting: Iterable[Case]) -> Case | None:
        with self._guard:
            return next(iter(waiting), None)

    def _case(self, case: Case) -> CaseResult:
        """Repeats one after the other, so that none is paid for that decides nothing."""
        runs: list[Repeat] = []
        while (verdict := settle(case, runs)) is None:
            if self.stopped or not self._affordable(case):
                why = _WHY[self.stopped or "budget"]
                return CaseResult(case, "not_judged", tuple(runs), why)
            runs.append(self._paid(case, len(runs) + 1))
            if runs[-1].exit_code:
                self.stop("key")
        return CaseResult(case, verdict, tuple(runs))

    def _affordable(self, case: Case) -> bool:
        with self._guard:
            if self._budget is None or self._budget.take(self._estimates[case.name]):
                return True
        self.stop("budget")
        return False

    def _paid(self, case: Case, number: int) -> Repeat:
        began = time.monotonic()
        run = replace(self._run(case, number), seconds=time.monotonic() - began)
        if self._budget is not None:
            with self._guard:
                if run.submitted == "no":
                    self._budget.give_back(self._estimates[case.name])
                else:
                    self._budget.settle(self._estimates[case.name], run.cost)
        return run

    def _run(self, case: Case, number: int) -> Repeat:
        named = replace(case.submission, nametag=f"defendctl-test:{case.name}:{number}")
        try:
            outcome = submit(self._api, self._ids[case.address], self._encode(named))
        except Interrupted as error:
            return Repeat("not_judged", (error.message,), "no")
        match outcome:
            case Accepted(event_id):
                return self._follow(case, event_id)
            case Unknown(why):
                said = f"{why}; whether it was submitted is unknown, so it is not sent again"
                return Repeat("not_judged", (said,), "unknown", ended=False)
            case Refused(status, why):
                return Repeat("not_judged", (f"refused: {why}",), "no", exit_code=_refused_key(status))
        return Repeat("not_judged", (f"not sent: {outcome.why}",), "no")

    def _follow(self, case: Case, event_id: str) -> Repeat:
        """Whatever goes wrong here: the event is there, and is paid for."""
        try:
            event = follow(self._api, self._ids[case.address], event_id, self._seconds)
        except (ApiError, Interrupted) as error:
            code = Exit.KEY_REFUSED if isinstance(error, KeyRefused) else Exit.OK
            return Repeat("not_judged", (error.message,), event_id=event_id, ended=False, exit_code=code)
        if event is None:
            said = "the API answers 404 for the event that it accepted"
            return Repeat("not_judged", (said,), event_id=event_id, ended=False)
        run = _told(case, event, self._seconds)
        why = self.unlike(event) if event.ended else None
        return replace(run, held="not_judged", why=(why,)) if why else run


def _told(case: Case, event: Event, seconds: float) -> Repeat:
    held, why = judge(event, case.expect)
    if not event.ended:
        why = (f"its evaluation has not ended within {seconds:g} s",)
    return Repeat(
        held,
        why,
        event_id=event.event_id,
        ended=event.ended,
        flagged=event.flagged if event.ended else None,
        scores=event.evaluations[0].scores if event.ended and event.evaluations else {},
        improvement=event.improvement,
        cost=event.cost,
    )


def _refused_key(status: int) -> int:
    return Exit.KEY_REFUSED if status in (401, 403) else Exit.OK
