"""test: the cases of a project, submitted, followed and judged."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from defendctl.command import command
from defendctl.diagnostics import Blocked, DefendctlError, Diagnostic, Invalid, Usage, errors, suggest
from defendctl.manifest.words import quoted
from defendctl.operations.interrupts import interrupts
from defendctl.operations.selection import chosen_by_labels
from defendctl.suite.budget import Budget, estimate, prices, whole
from defendctl.suite.digest import configuration_digest
from defendctl.suite.judge import one_sided
from defendctl.suite.models import Configuration, Suite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from defendctl.api.client import DefendApi
    from defendctl.api.dialects.dialect import Dialect
    from defendctl.diagnostics import Span
    from defendctl.engine.trial import Trial
    from defendctl.event import Event
    from defendctl.manifest.resolve import Desired
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


def run_suite(
    workspace: Workspace,
    chosen: Chosen,
    on_result: Callable[[CaseResult], None],
    on_start: Callable[[int], None],
) -> Suite:
    """Raises DefendctlError before anything is submitted; afterwards everything is told in the result."""
    testing = _prepared(workspace, chosen, on_result)
    on_start(len(testing.cases))
    if not chosen.candidate:
        return testing.run()
    from defendctl.operations.candidate import run_candidates

    return run_candidates(testing)


def _prepared(workspace: Workspace, chosen: Chosen, on_result: Callable[[CaseResult], None]) -> Testing:
    from defendctl.manifest.suites import read_suites

    read = read_suites(workspace.project, workspace.cwd)
    desired = _sound(workspace, read)
    if not chosen.one_sided:
        _refuse_one_sided(read.cases)
    here = _in_this_environment(workspace, read.cases, desired)
    cases = _selected(here, desired, chosen)
    return Testing(workspace, chosen, read, desired, cases, on_result)


def _sound(workspace: Workspace, read: Cases) -> Desired:
    """What is declared. Raises Invalid with the problems of manifests and test files together."""
    found = list(read.diagnostics)
    desired = None
    try:
        desired = workspace.desired(None)
    except Invalid as invalid:
        found += invalid.diagnostics
    if desired is None or errors(found):
        raise Invalid(found)
    if not read.cases:
        raise DefendctlError(
            "there are no tests", "name their files under `tests:` of defendctl.yaml, as under `manifests:`"
        )
    found = [one for case in read.cases.values() for one in _unfounded(case, desired, read.places[case.name])]
    if found:
        raise Invalid(found)
    return desired


def _in_this_environment(
    workspace: Workspace, cases: Mapping[str, Case], desired: Desired
) -> dict[str, Case]:
    """Without those of workflows that this environment leaves out; says which."""
    left = sorted(case.name for case in cases.values() if case.address in desired.left_out)
    if left:
        workspace.settings.warn(
            f"not run, for this environment leaves their workflows out: {', '.join(left)}"
        )
    return {name: case for name, case in cases.items() if name not in set(left)}


def _unfounded(case: Case, desired: Desired, places: Mapping[str, Span]) -> Iterator[Diagnostic]:
    """What no workflow that is declared can ever answer."""
    workflow = desired.workflows.get(case.address)
    if case.address in desired.left_out:
        return
    if workflow is None:
        near = suggest(case.address, desired.workflows)
        message = f"No workflow has the address {quoted(case.address)}.{near}"
        yield Diagnostic("error", "unknown-address", message, places["workflow"])
        return
    for part in ("metrics", "scores"):
        for metric in getattr(case.expect, part):
            if metric not in workflow.metrics:
                message = f"{case.address} does not evaluate `{metric}`, so nothing can be expected of it."
                yield Diagnostic("error", "metric-not-evaluated", message, places[f"{part}.{metric}"])


def _refuse_one_sided(cases: Mapping[str, Case]) -> None:
    side = one_sided(cases)
    if side:
        other = "that pass" if side == "flagged" else "that must be flagged"
        why = "flags everything" if side == "flagged" else "flags nothing"
        raise Blocked(
            f"every case expects `{side}`: a guardrail that {why} would pass this suite",
            f"add cases {other}, or say --one-sided",
        )


def _selected(cases: Mapping[str, Case], desired: Desired, chosen: Chosen) -> list[Case]:
    for address in chosen.target:
        if address not in desired.workflows:
            raise Usage(
                f"--target {address!r}: no workflow has that address." + suggest(address, desired.workflows)
            )
    labelled = chosen_by_labels(desired, chosen.selector)
    found = [case for case in cases.values() if case.address in labelled and _is_chosen(case, chosen)]
    if not found:
        raise Usage("no case is about what --target, -l and --tag choose")
    return found


def _is_chosen(case: Case, chosen: Chosen) -> bool:
    named = not chosen.target or case.address in chosen.target
    return named and (not chosen.tag or bool({*chosen.tag} & {*case.tags}))


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
                interrupts(lambda: trial.stop("interrupted"), api.stop),
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
                f"not bound to a workflow, so nothing can judge: {', '.join(missing)}",
                f"`{command('apply')}` creates what is declared",
            )
        return {address: state.bindings[address].workflow_id for address in wanted}

    def refuse_unfit(self, dialect: Dialect) -> None:
        from defendctl.api.submission import unfit

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
                f"nobody knows what these cost, so no budget can hold: {', '.join(sorted(unknown))}",
                "no recent event in that run mode tells its cost; declare `cost:` in the test file",
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
        from defendctl.api.submission import body
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
