"""The chosen cases of a suite, on their way to verdicts."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from defendctl.api.submission import body, unfit
from defendctl.command import command
from defendctl.diagnostics import Blocked, DefendctlError, Diagnostic, Invalid
from defendctl.operations.interrupts import interrupts, submitted
from defendctl.suite.budget import Budget, estimate, prices, whole
from defendctl.suite.configuration import configuration_digest
from defendctl.suite.models import Configuration, Suite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from defendctl.api.client import DefendApi
    from defendctl.api.dialects.dialect import Dialect
    from defendctl.engine.trial import Trial
    from defendctl.event import Event
    from defendctl.manifest.desired import Desired
    from defendctl.manifest.suites import Cases
    from defendctl.model import Observed
    from defendctl.operations.workspace import Workspace
    from defendctl.suite.models import Case, CaseResult


PRICED: Final = 20
"""Recent events of a workflow that are looked at for what one costs."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the command line chose."""

    target: tuple[str, ...] = ()
    selector: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    max_cost: float | None = None
    wait: float = 300.0
    parallelism: int = 4
    one_sided: bool = False
    candidate: bool = False


@dataclass(frozen=True, slots=True)
class Testing:
    """The cases that were chosen, on their way to verdicts."""

    workspace: Workspace
    chosen: Chosen
    read: Cases
    desired: Desired
    cases: Sequence[Case]
    on_result: Callable[[CaseResult], None]

    def run(self) -> Suite:
        from defendctl.operations.events import speaking

        ids = self._ids()
        with self.workspace.api() as api:
            dialect, live = speaking(self.workspace, api, ids)
            self.refuse_unfit(dialect)
            known, expected = self.priced(api, ids)
            trial = self.trial(api, dialect, ids, known)
            with (
                self.timed(dialect, expected) as suite,
                interrupts(submitted, lambda: trial.stop("interrupted"), api.stop),
            ):
                results = trial.run(self.cases, self.chosen.parallelism)
            tested = tuple(configuration(address, seen) for address, seen in live.items())
            return replace(suite(), configurations=tested, results=results, stopped=trial.stopped)

    def _ids(self) -> dict[str, str]:
        """Address → workflow id. Raises DefendctlError where one is not bound."""
        state = self.workspace.read_state().state
        self.workspace.check_host(state)
        wanted = sorted({case.address for case in self.cases})
        missing = [address for address in wanted if address not in state.bindings]
        if missing:
            raise DefendctlError(
                f"not bound to a workflow, so their cases cannot be judged: {', '.join(missing)}",
                f"`{command('apply')}` creates what is declared",
            )
        return {address: state.bindings[address].workflow_id for address in wanted}

    def refuse_unfit(self, dialect: Dialect) -> None:
        found = []
        for case in self.cases:
            places = self.read.places[case.name]
            for key, said in unfit(case.submission, dialect):
                message = f"{said[0].upper()}{said[1:]}."
                span = places.get(key) or places["input"]
                found.append(Diagnostic("error", "not-in-generation", message, span))
        if found:
            raise Invalid(found)

    def priced(self, api: DefendApi, ids: dict[str, str]) -> tuple[dict[str, float], float | None]:
        """Case → what one event costs, and all of it together; only for a budget. Raises Blocked."""
        most = self.chosen.max_cost
        if most is None:
            return {}, None
        told, unknown = estimate(self.cases, prices(_recent(api, ids)))
        if unknown:
            raise Blocked(
                f"the cost of these is unknown, so --max-cost cannot be kept: {', '.join(sorted(unknown))}",
                "no recent event in that run mode has a cost; declare `cost:` in the test file",
            )
        expected = whole(self.cases, told)
        if expected > most + 1e-9:
            raise Blocked(
                f"{len(self.cases)} cases are expected to cost {expected:.4g}, more than --max-cost {most:g}",
                "nothing was submitted; choose fewer cases, fewer repeats, or a cheaper run mode",
            )
        return told, expected

    def trial(
        self, api: DefendApi, dialect: Dialect, ids: Mapping[str, str], known: Mapping[str, float]
    ) -> Trial:
        from defendctl.engine.trial import Trial

        most = self.chosen.max_cost
        budget = None if most is None else Budget(most)
        return Trial(
            api, ids, lambda given: body(given, dialect), self.chosen.wait, budget, known, self.on_result
        )

    @contextmanager
    def timed(self, dialect: Dialect, expected: float | None) -> Iterator[Callable[[], Suite]]:
        """Gives what makes the Suite, of what is known before its results."""
        at, began = datetime.now(UTC).isoformat(timespec="seconds"), time.monotonic()
        yield lambda: Suite(
            host=self.workspace.host(),
            generation=dialect.support.generation,
            environment=self.workspace.project.environment,
            configurations=(),
            results=(),
            seconds=time.monotonic() - began,
            estimate=expected,
            max_cost=self.chosen.max_cost,
            at=at,
        )


def configuration(address: str, seen: Observed) -> Configuration:
    return Configuration(address, seen.workflow_id, configuration_digest(seen.fields))


def _recent(api: DefendApi, ids: dict[str, str]) -> dict[str, tuple[Event, ...]]:
    """Address → its recent events; none where they cannot be read or are not listed."""
    from defendctl.engine.refresh import read_events

    read = read_events(api, ids, PRICED, 10)
    return {address: getattr(found, "events", None) or () for address, found in read.items()}
