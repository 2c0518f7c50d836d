"""test --candidate: what the manifests declare, put on the canary, one workflow after the other, and tested.

The canary is one workflow for each state, bound at an address that no manifest can declare. It is created
by the same protocol as any other, and changed under the lock: two runs at once would judge each other's
settings.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from defendctl.api.dialects import DIALECTS
from defendctl.command import command, either
from defendctl.diagnostics import Blocked, DefendctlError, Unresolved
from defendctl.engine.generation import generation
from defendctl.engine.update import update
from defendctl.exits import Exit
from defendctl.model import CANARY
from defendctl.operations.apply import Making
from defendctl.operations.beginning import require_beginning
from defendctl.operations.events import check_same, speaking
from defendctl.operations.interrupts import interrupts, submitted
from defendctl.operations.progress import Progress
from defendctl.operations.testing import configuration
from defendctl.operations.uploads import with_uploads
from defendctl.plan.changes import Create, Options, Plan, Update
from defendctl.plan.direction import NONE
from defendctl.suite.candidate import RESTING, as_canary, unfit, unlike
from defendctl.suite.models import CaseResult

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from defendctl.api.client import Speaking
    from defendctl.engine.results import Result
    from defendctl.engine.trial import Trial
    from defendctl.model import Binding, Observed, State, Support, Workflow
    from defendctl.operations.apply import Applied
    from defendctl.operations.testing import Testing
    from defendctl.operations.workspace import Workspace
    from defendctl.state.session import Session
    from defendctl.suite.models import Case, Configuration, Suite


def create_canary(workspace: Workspace) -> Applied:
    """By the protocol of any create: at most one, its id durable before it is told."""
    workspace.require_sound()
    environment = workspace.project.environment
    with _session(workspace) as session:
        state = session.state
        require_beginning(workspace, session)
        _refuse_second(state)
        spoken = generation(workspace.project.generation, set(), state.generation)
        support = DIALECTS[spoken].support
        _refuse_without_updates(support)
        wanted = as_canary(RESTING, environment)
        change = Create(CANARY, (), wanted)
        plan = Plan(workspace.host(), state.lineage, state.serial, spoken, Options(), (change,))
        return Making(workspace, plan, support, session, 1, Progress()).make_so()


def run_candidates(testing: Testing) -> Suite:
    """Raises DefendctlError before anything is changed or submitted."""
    workspace = testing.workspace
    with _session(workspace) as session, workspace.api() as api:
        canary = _canary(session.state)
        dialect, _ = speaking(workspace, api, {CANARY: canary})
        _refuse_without_updates(dialect.support)
        testing.refuse_unfit(dialect)
        known, expected = testing.priced(api, _priced_by(testing, session.state, canary))
        trial = testing.trial(api, dialect, {case.address: canary for case in testing.cases}, known)
        desired = with_uploads(testing.desired, session.state)
        bench = _Bench(testing, desired.workflows, api.speaking(dialect), session, dialect.support, trial)
        with (
            testing.timed(dialect, expected) as suite,
            interrupts(submitted, lambda: trial.stop("interrupted"), api.stop),
        ):
            results = bench.run()
        tested = tuple(bench.tested)
        return replace(suite(), configurations=tested, results=results, stopped=trial.stopped, candidate=True)


@contextmanager
def _session(workspace: Workspace) -> Iterator[Session]:
    with workspace.store.session(workspace.settings.warn) as session:
        workspace.check_host(session.state)
        yield session


def _refuse_second(state: State) -> None:
    _refuse_unresolved(state)
    if CANARY in state.bindings:
        raise DefendctlError(f"there is a canary already: {state.bindings[CANARY].workflow_id}")


def _refuse_unresolved(state: State) -> None:
    if CANARY in state.unresolved:
        raise Unresolved(
            "the create of the canary has an unknown outcome",
            f"first {either(CANARY)}",
        )


def _refuse_without_updates(support: Support) -> None:
    if not support.update >= {"type", "metrics", "improvement_action"}:
        raise Blocked(
            f"generation {support.generation} of the API cannot change a workflow's guardrail, "
            "so a candidate cannot be tested on a canary"
        )


def _canary(state: State) -> str:
    """Raises DefendctlError where there is none: it is made only when it is asked for, for it stays."""
    _refuse_unresolved(state)
    if CANARY not in state.bindings:
        raise DefendctlError(
            "there is no canary to test a candidate on",
            f"`{command('test --create-canary')}` makes one; the API has no delete, so it stays",
        )
    return state.bindings[CANARY].workflow_id


def _priced_by(testing: Testing, state: State, canary: str) -> dict[str, str]:
    """Whose events tell what one costs: those of the workflow itself, else those of the canary."""
    bound = {address: binding.workflow_id for address, binding in state.managed.items()}
    return {case.address: bound.get(case.address, canary) for case in testing.cases}


@dataclass(slots=True)
class _Bench:
    """The canary, with one candidate on it at a time."""

    testing: Testing
    declared: Mapping[str, Workflow]
    api: Speaking
    session: Session
    support: Support
    trial: Trial
    tested: list[Configuration] = field(default_factory=list)

    def run(self) -> tuple[CaseResult, ...]:
        """In the order of the suite, whatever the order in which they ran."""
        groups: dict[str, list[Case]] = {}
        for case in self.testing.cases:
            groups.setdefault(case.address, []).append(case)
        found = {
            one.case.name: one for address in sorted(groups) for one in self._group(address, groups[address])
        }
        return tuple(found[case.name] for case in self.testing.cases)

    def _group(self, address: str, cases: list[Case]) -> tuple[CaseResult, ...]:
        candidate = as_canary(self.declared[address], self.testing.workspace.project.environment)
        why = None if self.trial.stopped else unfit(candidate) or self._put(address, candidate)
        if why:
            results = tuple(CaseResult(case, "not_judged", (), why) for case in cases)
            for result in results:
                self.testing.on_result(result)
            return results
        self.trial.unlike = partial(unlike, candidate)
        return self.trial.run(cases, self.testing.chosen.parallelism)

    def _put(self, address: str, candidate: Workflow) -> str | None:
        """An update as any other; why it failed, if it did."""
        binding = self.session.state.bindings[CANARY]
        try:
            seen = self.api.read(binding.workflow_id)
            if seen:
                check_same(CANARY, binding.workflow_id, seen)
            result = self._update(candidate, seen, binding) if seen else None
            now = self.api.read(binding.workflow_id)
            if now:
                check_same(CANARY, binding.workflow_id, now)
        except (DefendctlError, OSError) as error:
            return self._failed(
                getattr(error, "message", str(error)), getattr(error, "exit_code", Exit.FAILED)
            )
        if result is None or now is None:
            return self._failed("the API answers 404 for the canary", Exit.FAILED)
        if result.error:
            return self._failed(result.error, result.exit_code)
        self.tested.append(configuration(address, now))
        return None

    def _update(self, candidate: Workflow, seen: Observed, binding: Binding) -> Result:
        change = Update(CANARY, binding.workflow_id, NONE, (), candidate, seen, binding)
        return update(change, self.api, self.session, self.support)

    def _failed(self, why: str, exit_code: int) -> str:
        if exit_code == Exit.KEY_REFUSED:
            self.trial.stop("key")
        return f"the canary could not be changed: {why}"
