"""import and state resolve --id: taking a workflow that exists under an address."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from defendctl.command import command
from defendctl.diagnostics import ApiError, DefendctlError, Precondition, Unresolved, Usage
from defendctl.engine.generation import generation
from defendctl.model import ADDRESS, ADDRESS_RULE, DEFAULTS, FIELDS, Binding, Workflow, usable_id
from defendctl.operations.beginning import begin_state, require_beginning
from defendctl.operations.declared_names import ALL_THE_SAME, DeclaredNames
from defendctl.operations.left_ids import op_of
from defendctl.operations.uploads import with_uploads
from defendctl.plan.identity import another_id, import_command
from defendctl.plan.uploads import has_id
from defendctl.state.records import bind, bury, forget

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from defendctl.api.client import DefendApi
    from defendctl.model import Fields, Intent, Observed, State
    from defendctl.operations.workspace import Workspace
    from defendctl.state.session import Session

MINIMUM_AGE: Final = timedelta(minutes=15)
"""Until then a create that was sent may still be committed (docs/reliability.md)."""
SKEW: Final = timedelta(minutes=5)


class Undeclared(Exception):
    """The workflow exists, but no manifest declares the address: `fields` is what could be read of it."""

    def __init__(self, address: str, fields: Fields) -> None:
        super().__init__(address)
        self.address, self.fields = address, fields

    @property
    def lacking(self) -> list[str]:
        """What no manifest can leave out, and what nobody but a person can say."""
        return [name for name in FIELDS if name not in (*self.fields, *DEFAULTS)]

    @property
    def metrics(self) -> Mapping[str, float | str]:
        return self.fields.get("metrics") or {}

    @property
    def workflow(self) -> Workflow:
        """Of one that lacks nothing."""
        return Workflow(**{**DEFAULTS, **self.fields})


def import_workflow(workspace: Workspace, address: str, workflow_id: str, *, now: bool = False) -> Binding:
    """Bind an existing workflow to a declared address. Raises Undeclared for one that is not, and, but with
    `now`, Precondition for a workflow with the name of another address."""
    if not ADDRESS.fullmatch(address):
        raise Usage(f"{address!r} is not an address: {ADDRESS_RULE}")
    desired = workspace.desired(None, filling=True)
    with workspace.store.session(workspace.settings.warn) as session:
        workspace.check_host(session.state)
        require_beginning(workspace, session)
        _may_import(session.state, address, workflow_id)
        with workspace.api() as api:
            observed = _read(api, workflow_id, partial(import_command, address))
            evidence = api.evidence
        workflows = with_uploads(desired, session.state).workflows
        declared, names = workflows.get(address), DeclaredNames(workflows)
        if declared is None:
            raise undeclared(address, observed)
        mistaken = None if now else names.of_another(address, observed)
        if mistaken:
            raise Precondition(mistaken, ALL_THE_SAME)
        binding = taken_over(workflow_id, declared, observed)
        remember_api(workspace, session, evidence)
        begin_state(workspace, session)
        session.edit(lambda state: bind_all(state, {address: session.signed(binding, "import")}))
    warning = names.warning(address, observed)
    if warning:
        workspace.settings.warn(warning)
    return binding


def resolve_id(workspace: Workspace, address: str, workflow_id: str, *, now: bool) -> bool:
    """Settle an unknown create: this is the workflow that it made.

    Returns whether it is bound now: an id that was left by a create that is settled is remembered only.
    """
    workspace.require_sound()
    with workspace.store.session(workspace.settings.warn) as session:
        workspace.check_host(session.state)
        settled = session.state.bindings.get(address)
        if settled and settled.workflow_id == workflow_id and address not in session.state.unresolved:
            return True  # told by a run that could not know whether its last write got through
        left = op_of(workspace.store, session.state, workflow_id)
        if left and address not in session.state.unresolved:
            _remember(session, address, workflow_id, left)
            return False
        intent = unresolved(session.state, address)
        _check_free(session.state, workflow_id)
        is_another = intent.answered not in (None, workflow_id)
        if is_another and not now:
            raise _answered_otherwise(address, str(intent.answered), workflow_id)
        with workspace.api() as api:
            observed = _read(api, workflow_id, partial(_resolve_command, address))
        if not now:
            _check_evidence(intent, observed)
        rest = {n: v for n, v in observed.fields.items() if n not in intent.sent}
        binding = Binding(workflow_id, {**intent.sent, **rest})
        session.adopt_identity(workspace.host(), session.state.generation)
        session.edit(lambda state: _settle(state, address, session.signed(binding, "state resolve")))
        if not is_another:
            session.settled(intent.op)
    return True


def _remember(session: Session, address: str, workflow_id: str, op: str) -> None:
    """Take what a run left to the tombstones of its address: the next plan adopts it, or names it retired."""
    if not ADDRESS.fullmatch(address):
        raise Usage(f"{address!r} is not an address: {ADDRESS_RULE}")
    binding = session.signed(Binding(workflow_id), "state resolve")
    session.edit(lambda state: bury(state, address, binding))
    session.settled(op)


def resolve_not_created(workspace: Workspace, address: str, *, now: bool) -> Intent:
    """Settle an unknown create: it made nothing. Raises Precondition while it still may."""
    workspace.require_sound()
    with workspace.store.session(workspace.settings.warn) as session:
        intent = unresolved(session.state, address)
        if not now:
            _may_be_given_up(address, intent, workspace.store.first_seen(session.state).get(intent.op))
        session.edit(lambda state: state.unresolved.pop(address))
        if intent.answered:  # what was left since it was read nobody has seen yet
            session.settled(intent.op)
    return intent


def _may_be_given_up(address: str, intent: Intent, seen: datetime | None) -> None:
    """Raises Precondition for a create that was answered, or that may still take effect.

    `intent.at` is by the clock of whoever sent it, which may be slow; `seen` is when this machine, by its
    own, first knew of it.
    """
    if intent.answered:
        raise Precondition(
            f"the create of {address} was answered with the id {intent.answered}",
            f"`{command('state resolve {} --id {}', address, intent.answered)}` records it",
        )
    sent = datetime.fromisoformat(intent.at)
    age = datetime.now(UTC) - max(sent, seen or sent)
    if age < MINIMUM_AGE:
        left = (MINIMUM_AGE - age).total_seconds()
        since = "this machine has known of it for less" if seen and seen > sent else "it is younger"
        raise Precondition(
            f"the create of {address} may still take effect: {since} than 15 minutes",
            f"wait {left / 60:.0f} more minutes, or look in the console and add --now",
        )


def unresolved(state: State, address: str) -> Intent:
    """Raises DefendctlError if there is nothing to settle."""
    intent = state.unresolved.get(address)
    if intent is None:
        waiting = ", ".join(sorted(state.unresolved)) or "none"
        raise DefendctlError(f"{address} has no unresolved create (unresolved: {waiting})")
    return intent


def bind_all(state: State, bindings: Mapping[str, Binding]) -> None:
    """Bind each, and take its id out of the tombstones, at whatever address it is remembered."""
    remembered = {b.workflow_id: other for other, old in state.tombstones.items() for b in old}
    for address, binding in bindings.items():
        forget(state, remembered.get(binding.workflow_id, address), binding.workflow_id)
        bind(state, address, binding)


def _settle(state: State, address: str, binding: Binding) -> None:
    del state.unresolved[address]
    bind(state, address, binding)


def _may_import(state: State, address: str, workflow_id: str) -> None:
    if address in state.unresolved:
        raise Unresolved(
            f"{address} has a create with an unknown outcome",
            f"`{command('state resolve {} --id {}', address, workflow_id)}` settles it, "
            "if this is what it made",
        )
    if address in state.bindings:
        raise DefendctlError(
            f"{address} is bound to {state.bindings[address].workflow_id} already",
            f"`{command('state rm {}', address)}` forgets that binding",
        )
    bound = {b.workflow_id: other for other, b in state.bindings.items()}
    if workflow_id in bound:
        raise DefendctlError(f"{workflow_id} is bound to {bound[workflow_id]} already")


def _check_free(state: State, workflow_id: str) -> None:
    known = state.known_ids()
    if workflow_id in known:
        raise Precondition(f"{workflow_id} is bound to, or remembered by, {known[workflow_id]} already")


def _answered_otherwise(address: str, answered: str, workflow_id: str) -> Precondition:
    return Precondition(
        f"the create of {address} was answered with the id {answered}, and not {workflow_id}",
        f"`{command('state resolve {} --id {}', address, answered)}` records it; "
        "if you looked in the console and the other is the right one, add --now",
    )


def _resolve_command(address: str, answered: str) -> str | None:
    if not usable_id(answered):
        return None
    return f"if that is the one: `{command('state resolve {} --id {}', address, answered)}`"


def _read(api: DefendApi, workflow_id: str, way_out: Callable[[str], str | None]) -> Observed:
    """`way_out` is the command that takes a workflow that answers to another id. Raises Usage or ApiError."""
    if not usable_id(workflow_id):
        raise Usage(f"{workflow_id!r} cannot be a workflow id")
    observed = api.read(workflow_id)
    if observed is None:
        raise ApiError(
            f"the API answers 404 for {workflow_id}",
            "copy the id from the console once more, of the account that the key is for",
        )
    if observed.workflow_id != workflow_id:
        raise ApiError(another_id(workflow_id, observed.workflow_id), way_out(observed.workflow_id))
    return observed


def _check_evidence(intent: Intent, observed: Observed) -> None:
    """A create that ended unknown left its name, and a time of creation near the attempt."""
    name = observed.fields.get("name")
    if name is not None and name != intent.sent.get("name"):
        raise Precondition(
            f"that workflow is named {name!r}, but {intent.sent.get('name')!r} was sent",
            "if you looked in the console and it is the right one, add --now",
        )
    if observed.created_at and not _plausible(intent.at, observed.created_at):
        raise Precondition(
            f"that workflow was created at {observed.created_at}, the attempt was at {intent.at}",
            "if you looked in the console and it is the right one, add --now",
        )


def _plausible(attempt: str, created: str) -> bool:
    with suppress(ValueError):
        when = datetime.fromisoformat(created)
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        sent = datetime.fromisoformat(attempt)
        return sent - SKEW <= when <= sent + MINIMUM_AGE
    return True


def taken_over(workflow_id: str, declared: Workflow, observed: Observed) -> Binding:
    """A file that is not uploaded yet cannot be there, so it is not assumed to be."""
    wanted = {n: v for n, v in declared.fields().items() if n not in observed.fields}
    assumed = {n: v for n, v in wanted.items() if has_id(v)}
    return Binding(workflow_id, dict(observed.fields), assumed)


def remember_api(workspace: Workspace, session: Session, evidence: set[str]) -> None:
    session.adopt_identity(
        workspace.host(), generation(workspace.project.generation, evidence, session.state.generation)
    )


def undeclared(address: str, observed: Observed) -> Undeclared:
    return Undeclared(address, {n: v for n, v in observed.fields.items() if n != "metrics" or v})
