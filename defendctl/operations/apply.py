"""apply: plan under the lock, ask, make it so."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from defendctl.diagnostics import DefendctlError, Precondition
from defendctl.engine.generation import generation
from defendctl.operations.interrupts import interrupts
from defendctl.operations.plan import Progress, Selection, make_plan
from defendctl.operations.policy import refuse_denied
from defendctl.operations.uploads import uploads
from defendctl.plan.digest import changes_data, digest

if TYPE_CHECKING:
    from collections.abc import Callable

    from defendctl.api.client import DefendApi
    from defendctl.engine.apply import Applier
    from defendctl.engine.results import ApplyResult, Result
    from defendctl.model import Intent, Support
    from defendctl.operations.workspace import Workspace
    from defendctl.plan.changes import Plan
    from defendctl.state.session import Session


_SHOWN: Final = len("sha256:") + 12
"""Of a digest: enough to find the plan that was applied."""


@dataclass(frozen=True, slots=True)
class Consent:
    """What was reviewed. `ask` is called with a plan that nobody has reviewed yet."""

    ask: Callable[[Plan], bool]
    digest: str | None = None
    environment: str | None = None
    """That of the plan file, if there is one with changes."""
    changes: list[dict[str, Any]] | None = None


@dataclass(slots=True)
class Applied:
    plan: Plan
    result: ApplyResult
    warnings: list[str] = field(default_factory=list)
    unknown: dict[str, Intent] = field(default_factory=dict)
    """Every create of this plan whose outcome is unknown."""


def apply(
    workspace: Workspace,
    chosen: Selection,
    consent: Consent,
    progress: Progress,
    on_plan: Callable[[Plan], None],
) -> Applied:
    """Raises DefendctlError before anything is done; afterwards everything is told in the results."""
    _check_environment(workspace, consent)
    desired = workspace.desired(chosen.files or None, for_changes=True)
    workspace.require_sound()
    with workspace.store.session(workspace.settings.warn) as session:
        workspace.check_host(session.state)
        older = workspace.store.older_than_seen(session.state)
        if older:
            raise Precondition(older)
        plan, support = make_plan(workspace, desired, session.state, chosen, progress)
        on_plan(plan)
        _check_consent(plan, consent)
        refuse_denied(plan)
        _ask(plan, consent)
        return Making(workspace, plan, support, session, chosen.parallelism, progress).make_so()


def _check_environment(workspace: Workspace, consent: Consent) -> None:
    """A plan file says what it was made for; a digest alone says so when it does not match."""
    here = workspace.project.environment
    if consent.changes is not None and consent.environment != here:
        made = f"the environment {consent.environment}" if consent.environment else "no environment"
        raise Precondition(
            f"the plan was made for {made}, and this run is for {here or 'none'}",
            "name the environment that it was made for, or plan again",
        )


def _check_consent(plan: Plan, consent: Consent) -> None:
    if consent.digest is not None:
        now = digest(plan)
        if now != consent.digest:
            raise Precondition(
                f"the plan is stale: it would now be {now}, not {consent.digest}",
                "something moved since it was reviewed (manifests, state or live workflows): plan again",
            )
        if consent.changes is not None and consent.changes != _as_read(plan):
            raise Precondition("the plan file was edited: its changes are not those of its digest")


def _ask(plan: Plan, consent: Consent) -> None:
    if consent.digest is None and (plan.work or plan.moves) and not consent.ask(plan):
        raise DefendctlError("not applied: nobody agreed")


def _as_read(plan: Plan) -> Any:
    """The changes as a plan file gives them back: JSON knows no tuples."""
    return json.loads(json.dumps(changes_data(plan.listed, reasons=False)))


@dataclass(frozen=True, slots=True)
class Making:
    """One plan on its way to being so."""

    workspace: Workspace
    plan: Plan
    support: Support
    session: Session
    parallelism: int
    progress: Progress

    def make_so(self) -> Applied:
        """Where nothing is to be sent, neither key nor network is needed."""
        self.session.adopt_identity(self.plan.host, self.plan.generation)
        self.session.run = f"apply {digest(self.plan)[:_SHOWN]}"
        if any(change.action != "retire" for change in self.plan.work):
            with self.workspace.api() as api:
                return self._through(api)
        return _finish(self.plan, self._applier(None).run(), self.session)

    def _through(self, api: DefendApi) -> Applied:
        from defendctl.api.dialects import DIALECTS

        api.dialect = DIALECTS[self.support.generation]
        self.progress.start("Applying", len(self.plan.work))
        applier = self._applier(api)
        with interrupts(lambda: applier.stop("interrupted"), api.stop) as interrupted:
            result = applier.run()
            self._note_generation(api)
            applied = _finish(self.plan, result, self.session)
        if interrupted:
            applied.result.exits.add(130)
        return applied

    def _applier(self, api: DefendApi | None) -> Applier:
        from defendctl.engine.apply import Applier

        def tell(result: Result) -> None:
            self.progress.step()

        files = uploads(self.workspace, api, self.session) if api else None
        return Applier(self.plan, api, self.session, self.support, self.parallelism, tell, files)

    def _note_generation(self, api: DefendApi) -> None:
        """A plan that read nothing took the newest; what was created has been read back since."""
        if self.workspace.project.generation == "auto" and not any(c.observed for c in self.plan.changes):
            seen = generation("auto", api.evidence, self.plan.generation)
            self.session.adopt_identity(self.plan.host, seen)


def _finish(plan: Plan, result: ApplyResult, session: Session) -> Applied:
    """Fold. If even that fails, the ids that are nowhere but in memory are given to the user."""
    warnings = [f"{r.address}: {r.warning}" for r in result.results if r.warning]
    try:
        session.close()
        result.receipts.clear()
    except (OSError, Precondition) as error:
        result.exits.add(6 if isinstance(error, Precondition) else 1)
        where = "" if result.receipts else "; the journal beside it holds every result"
        warnings.append(f"the state cannot be written: {error}{where}")
        warnings += _left(result, session)
    unknown = _unknown(result, session)
    if unknown:
        result.exits.add(7)
    return Applied(plan, result, warnings, unknown)


def _left(result: ApplyResult, session: Session) -> list[str]:
    """Ids that only this process knows go where the next run looks for them."""
    found = ((receipt, session.leave(receipt.op, receipt.workflow_id)) for receipt in result.receipts)
    return [f"{receipt.address}: its id is kept in {path}" for receipt, path in found if path]


def _unknown(result: ApplyResult, session: Session) -> dict[str, Intent]:
    intents = session.state.unresolved
    return {r.address: intents[r.address] for r in result.results if r.address in intents}
