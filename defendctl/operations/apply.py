"""apply: plan under the lock, ask, make it so."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from defendctl.api.dialects import DIALECTS
from defendctl.command import command
from defendctl.diagnostics import DefendctlError, Precondition, Unresolved
from defendctl.engine.generation import generation
from defendctl.exits import Exit
from defendctl.operations.beginning import begin_state, may_begin, refuse_second
from defendctl.operations.interrupts import interrupts, recorded
from defendctl.operations.left_ids import of_left_ids
from defendctl.operations.plan import make_plan
from defendctl.operations.planfile import unreasoned
from defendctl.operations.policy import refuse_denied
from defendctl.operations.reviewed import refuse_unreviewed
from defendctl.operations.revision import refuse_older, revision
from defendctl.operations.unpinned import warn_unpinned
from defendctl.operations.uploads import uploads
from defendctl.plan.digest import digest, digested
from defendctl.plan.fingerprints import fingerprints
from defendctl.plan.moved import moved
from defendctl.state import records
from defendctl.state.spent import is_ahead, is_forgotten, spent_since

if TYPE_CHECKING:
    from collections.abc import Callable

    from defendctl.api.client import DefendApi, Speaking
    from defendctl.engine.apply import Applier
    from defendctl.engine.results import ApplyResult, Result
    from defendctl.model import Intent, State, Support
    from defendctl.operations.progress import Progress
    from defendctl.operations.reviewed import SeenPlan
    from defendctl.operations.selection import Selection
    from defendctl.operations.workspace import Workspace
    from defendctl.plan.changes import Plan
    from defendctl.review import Review
    from defendctl.state.session import Session


_NAMED: Final = 5
_SHOWN: Final = len("sha256:") + 12
"""Of a digest: enough to find the plan that was applied."""


@dataclass(frozen=True, slots=True)
class Consent:
    """What was reviewed, or who is asked."""

    ask: Callable[[str], bool] | None = None
    """Asks a person; None where consent was given beforehand."""
    digest: str | None = None
    serial: int | None = None
    """Of the state that it was made from; None where nobody said it."""
    saved: dict[str, Any] | None = None
    """The plan file, if there is one."""
    reviews: tuple[SeenPlan, ...] | None = None
    """What was seen, change by change."""
    tightening: bool = False
    """Whether what only tightens may be unseen."""


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
    on_plan: Callable[[Review], None],
) -> Applied:
    """Raises DefendctlError before anything is done; afterwards everything is told in the results."""
    _check_environment(workspace, consent)
    desired = workspace.desired(chosen.files or None, for_changes=True)
    workspace.require_sound()
    with workspace.store.session(workspace.settings.warn) as session:
        workspace.check_host(session.state)
        refuse_second(workspace, session)
        warn_unpinned(workspace, session)
        refuse_older(workspace, desired, session.state)
        review, support = make_plan(workspace, desired, session.state, chosen, progress)
        plan = review.plan
        left = of_left_ids(workspace.store, session.state)
        on_plan(replace(review, diagnostics=(*left, *review.diagnostics)))
        if left and any(change.action in ("create", "replace") for change in plan.work):
            raise Unresolved(left[0].message, "until then nothing is created, for it may be what is to be")
        _check_consent(plan, consent, session.state)
        if consent.reviews is not None:
            refuse_unreviewed(review, consent.reviews, session.state, tightening=consent.tightening)
        does_something = bool(plan.work or plan.moves)
        first = may_begin(workspace, session) if does_something else None
        refuse_denied(review)
        if does_something:
            _ask(workspace, consent, first)
            session.revision = revision(workspace, desired)
        making = Making(workspace, plan, support, session, chosen.parallelism, progress, chosen.is_partial)
        applied = making.make_so()
        applied.result.exits |= {Exit.UNKNOWN} if left else set()
        return applied


def _check_environment(workspace: Workspace, consent: Consent) -> None:
    """A plan file says what it was made for; a digest alone says so when it does not match."""
    here = workspace.project.environment
    there = consent.saved.get("environment") if consent.saved else here
    if there != here:
        made = f"the environment {there}" if there else "no environment"
        raise Precondition(
            f"the plan was made for {made}, and this run is for {here or 'none'}",
            "name the environment that it was made for, or plan again",
        )


def _check_consent(plan: Plan, consent: Consent, state: State) -> None:
    """Raises Precondition where what was reviewed is not what would be done, or was done already."""
    if consent.digest is None:
        return
    now = digest(plan)
    if now != consent.digest:
        raise _stale(plan, now, consent, state)
    if consent.saved and unreasoned(consent.saved) != _as_read(plan):
        raise Precondition("the plan file was edited: its changes do not match its digest")
    if not plan.empty:
        _refuse_spent(plan, now, consent.serial, state)


def _stale(plan: Plan, now: str, consent: Consent, state: State) -> Precondition:
    at = state.spent.get(consent.digest or "")
    if at:
        return Precondition(f"the plan is stale: it was applied already, which left serial {at}: plan again")
    then = "\n".join(f"  {line}" for line in moved(consent.saved, plan)) if consent.saved else ""
    return Precondition(
        f"the plan is stale: it would now be {now}, not {consent.digest}" + (f"\n{then}" if then else ""),
        "something moved since it was reviewed (manifests, state or live workflows): plan again",
    )


def _refuse_spent(plan: Plan, now: str, serial: int | None, state: State) -> None:
    """What is reviewed once is applied once; the same change is planned, and reviewed, anew."""
    if serial is None:
        if now in state.spent:
            raise Precondition(
                f"a plan with this digest was applied already, which left serial {state.spent[now]}",
                f"name the plan as DIGEST@SERIAL, as the last line of `{command('plan')}` shows it",
            )
        return
    _check_serial(serial, state)
    done = {one.value: one for one in fingerprints(plan)}
    since = spent_since(state, [now, *done], serial)
    if since:
        what = sorted({done[one].address for one in since if one in done})
        about = f" ({', '.join(what[:_NAMED])})" if what else ""
        raise Precondition(
            f"the changes of this plan were applied after it was made, and reverted since{about}",
            "to apply them once more, plan again and have the new plan reviewed",
        )


def _check_serial(serial: int, state: State) -> None:
    """Raises Precondition where the state cannot tell what was applied since a plan read it."""
    if is_ahead(state, serial):
        raise Precondition(
            f"no plan of serial {serial} can exist: the state is at {state.serial}",
            f"copy DIGEST@SERIAL from the plan, the last line of `{command('plan')}`; where the state was "
            "restored since, plan again",
        )
    if is_forgotten(state, serial):
        raise Precondition(
            f"the plan was made at serial {serial}, but the state remembers only what was "
            f"applied from serial {state.spent_floor} on: plan again"
        )


def _ask(workspace: Workspace, consent: Consent, first: str | None) -> None:
    """One question, also where a state begins: that needs a person, or --new-state, in any case."""
    if consent.ask:
        agreed = consent.ask(f"{first} Begin one, and apply this plan?" if first else "Apply this plan?")
    else:
        ask = workspace.settings.ask
        agreed = first is None or (ask is not None and ask(f"{first} Begin a new one?"))
    if not agreed:
        raise DefendctlError("not applied: it was not confirmed")


def _as_read(plan: Plan) -> Any:
    """The changes as a plan file gives them back: JSON knows no tuples."""
    return json.loads(json.dumps(digested(plan.listed)))


@dataclass(frozen=True, slots=True)
class Making:
    """One plan on its way to being so."""

    workspace: Workspace
    plan: Plan
    support: Support
    session: Session
    parallelism: int
    progress: Progress
    partial: bool = True
    """Whether other workflows were left out of it."""

    def make_so(self) -> Applied:
        """Where nothing is to be sent, neither key nor network is needed."""
        self.session.adopt_identity(self.plan.host, self.plan.generation)
        self.session.run = f"apply {digest(self.plan)[:_SHOWN]}"
        if any(change.action != "retire" for change in self.plan.work):
            with self.workspace.api() as api:
                begin_state(self.workspace, self.session)
                return self._through(api)
        return self._finished(self._applier(None).run())

    def _through(self, api: DefendApi) -> Applied:
        self.progress.start("Applying", len(self.plan.work))
        applier = self._applier(api.speaking(DIALECTS[self.support.generation]))
        with interrupts(recorded, lambda: applier.stop("interrupted"), api.stop) as interrupted:
            result = applier.run()
            self._note_generation(api)
            applied = self._finished(result)
        if interrupted:
            applied.result.exits.add(Exit.INTERRUPTED)
        return applied

    def _applier(self, api: Speaking | None) -> Applier:
        from defendctl.engine.apply import Applier

        def tell(result: Result) -> None:
            self.progress.step()

        files = uploads(self.workspace, api, self.session) if api else None
        return Applier(self.plan, api, self.session, self.support, self.parallelism, tell, files)

    def _finished(self, result: ApplyResult) -> Applied:
        """An apply of everything that left nothing undone is what its commit says."""
        whole = not (self.partial or result.exit_codes()) and self.session.has_recorded
        if whole and self.session.revision:
            self.session.note(records.completed(self.session.revision))
        return _finish(self.plan, result, self.session)

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
        result.exits.add(Exit.PRECONDITION if isinstance(error, Precondition) else Exit.FAILED)
        where = "" if result.receipts else "; the journal beside it holds every result"
        warnings.append(f"the state cannot be written: {error}{where}")
        warnings += _left(result, session)
    unknown = _unknown(result, session)
    if unknown:
        result.exits.add(Exit.UNKNOWN)
    return Applied(plan, result, warnings, unknown)


def _left(result: ApplyResult, session: Session) -> list[str]:
    """Ids that only this process knows go where the next run looks for them."""
    found = ((receipt, session.leave(receipt.op, receipt.workflow_id)) for receipt in result.receipts)
    return [f"{receipt.address}: its id is kept in {path}" for receipt, path in found if path]


def _unknown(result: ApplyResult, session: Session) -> dict[str, Intent]:
    intents = session.state.unresolved
    return {r.address: intents[r.address] for r in result.results if r.address in intents}
