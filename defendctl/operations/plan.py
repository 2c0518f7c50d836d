"""plan and drift: what apply would do, and what was done behind our back. Both only read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from defendctl.api.dialects import DIALECTS
from defendctl.diagnostics import DefendctlError, Diagnostic, Usage
from defendctl.manifest.resolve import resolve
from defendctl.model import CANARY
from defendctl.operations.beside import a_run, read_beside
from defendctl.operations.left_ids import of_left_ids
from defendctl.operations.live import read_live, refuse_if_all_missing, unread
from defendctl.operations.policy import judge_plan
from defendctl.operations.revision import check_checkout
from defendctl.operations.selection import Selection, in_scope
from defendctl.operations.unclaimed import holds_something, unclaimed_by
from defendctl.operations.unpinned import unpinned
from defendctl.operations.uploads import with_uploads
from defendctl.plan.build import World, build_plan, probable_moves, to_read, unknown_outcome
from defendctl.plan.renames import settle
from defendctl.review import Replayed, Review
from defendctl.yamltext.source import shown

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from defendctl.api.client import DefendApi
    from defendctl.diagnostics import Span
    from defendctl.manifest.desired import Desired
    from defendctl.model import State, Support
    from defendctl.operations.beside import Beside
    from defendctl.operations.progress import Progress
    from defendctl.operations.workspace import Workspace
    from defendctl.plan.changes import Move, Plan
    from defendctl.plan.renames import Past
    from defendctl.replay.labels import LabelBlock
    from defendctl.state.session import Snapshot
    from defendctl.suite.recorded import Tests


def plan(workspace: Workspace, chosen: Selection, progress: Progress) -> Review:
    """Raises DefendctlError; writes nothing and sends nothing but GET."""
    if chosen.last_events and not chosen.refresh:
        raise Usage("--replay reads events, and --no-refresh reads nothing: leave one of them out")
    if chosen.labels is not None and not chosen.last_events:
        raise Usage("--labels says which flags of a replay were right: add --replay")
    desired = workspace.desired(chosen.files or None, for_changes=True)
    beside = read_beside(workspace)
    snapshot = beside.snapshot
    workspace.check_host(snapshot.state)
    review, _ = make_plan(workspace, desired, snapshot.state, chosen, progress, under_way=beside.under_way)
    tests = _tests(chosen.tests, review.plan) if chosen.tests else None
    found = [*_of_the_state(workspace, beside), *_of_the_checkout(workspace, desired, snapshot)]
    return replace(review, tests=tests, diagnostics=(*found, *review.diagnostics))


def _tests(path: Path, made: Plan) -> Tests:
    from defendctl.operations.tested import read_tests

    return read_tests(path, made)


def _of_the_checkout(workspace: Workspace, desired: Desired, snapshot: Snapshot) -> list[Diagnostic]:
    project = workspace.project
    found = [check_checkout(workspace, desired, snapshot.state)]
    if snapshot.exists and project.file and workspace.settings.own_state:
        found.append(unpinned(project, shown(project.file, workspace.cwd), snapshot.state.lineage))
    return [one for one in found if one]


def _of_the_state(workspace: Workspace, beside: Beside) -> list[Diagnostic]:
    """What is odd about the state, and does not keep anybody from reading it."""
    snapshot = beside.snapshot
    found = of_left_ids(workspace.store, snapshot.state)
    if workspace.settings.own_state and not holds_something(snapshot.state):
        found += (Diagnostic("warning", "unclaimed-state", one.warning) for one in unclaimed_by(workspace))
    if beside.runner:
        message = f"{a_run(beside.runner)}: what it has not finished yet may be planned here too"
        return [*found, Diagnostic("warning", "run-under-way", message)]
    rollback = workspace.store.rollback(snapshot)
    if rollback:
        message = f"{rollback.message}; {rollback.hint}"
        found.append(Diagnostic("warning", "older-state", message))
    if snapshot.leftover:
        message = (
            f"{_journal(workspace)} holds what a run recorded that did not end: "
            "it belongs to the state, so keep both; the next apply merges them"
        )
        found.append(Diagnostic("warning", "journal", message))
    return found


def _journal(workspace: Workspace) -> str:
    name = workspace.store.backend.journal
    return name if workspace.place else Path(name).name


def make_plan(
    workspace: Workspace,
    desired: Desired,
    state: State,
    chosen: Selection,
    progress: Progress,
    api: DefendApi | None = None,
    under_way: Collection[str] = (),
) -> tuple[Review, Support]:
    """Read what is live, build the plan and have the policy judge it.

    Without `api`, one is opened if there is anything to read.
    """
    desired = with_uploads(desired, state)
    others = read_others(workspace, state, chosen.files)
    elsewhere = {*others, *desired.left_out}
    past = settle(desired.renamed, desired.imports, desired.workflows, state, elsewhere)
    state = past.state
    scope = in_scope(desired, state, chosen)
    moves = tuple(move for move in past.moves if move.new in scope)
    check_replaced(chosen, past)
    if chosen.files and moves:
        _check_moves(moves, others or _all_spans(workspace))
    ids = to_read(desired.workflows, state, scope, past)
    if chosen.refresh:
        reading = read_live(workspace, ids, state, chosen.parallelism, progress, api)
        refuse_if_all_missing(reading.live, state, chosen, scope - desired.workflows.keys())
    else:
        reading = unread(workspace, ids, state)
    support = DIALECTS[reading.generation].support
    made = build_plan(
        World(
            desired=desired.workflows,
            live=reading.live,
            state=state,
            support=support,
            host=workspace.host(),
            scope=scope,
            options=chosen.options,
            moves=moves,
            taken=past.taken,
            held=past.held,
            files=desired.files,
            under_way=under_way,
            refreshed=chosen.refresh,
            environment=workspace.project.environment,
        )
    )
    replayed = _replayed(workspace, made, desired, chosen, progress)
    whole = not (chosen.files or chosen.target or chosen.selector)
    findings, unneeded = judge_plan(made, replayed.judged, desired, workspace.settings.today, whole=whole)
    found = [*desired.diagnostics, *reading.diagnostics, *probable_moves(made.changes)]
    found += [*_of_the_canary(state, under_way), *replayed.diagnostics, *unneeded]
    review = Review(made, tuple(found), findings, replayed.shown, replayed.judged, places=desired.places)
    return review, support


def _of_the_canary(state: State, under_way: Collection[str]) -> list[Diagnostic]:
    """No plan has it among its changes, and nobody else would say that there may be one more workflow."""
    intent = state.unresolved.get(CANARY)
    if intent is None or CANARY in under_way:
        return []
    return [Diagnostic("warning", "unknown-canary", f"{CANARY}: {unknown_outcome(CANARY, intent)}")]


def _replayed(
    workspace: Workspace, made: Plan, desired: Desired, chosen: Selection, progress: Progress
) -> Replayed:
    """Because that was asked for or because a rule of the policy bounds the effect. What is asked
    for is shown; a rule is judged on the policy's own sample, whatever else is shown."""
    bounded = desired.policy.rules and _bounded(made, desired)
    if not (chosen.last_events or bounded):
        return Replayed()
    from defendctl.operations.replay import Asks, replay_plan

    of_policy = desired.policy.sample
    shown = replace(of_policy, last=chosen.last_events) if chosen.last_events else of_policy
    judged = of_policy if bounded else shown
    asks = Asks(shown, judged, _labels(workspace, desired, chosen), chosen.labels or 0)
    return replay_plan(workspace, made, desired.places, asks, chosen.parallelism, progress)


def _bounded(made: Plan, desired: Desired) -> list[str]:
    from defendctl.policy.change_rules import to_replay

    return to_replay(desired.policy.rules, made, desired.labels)


def _labels(workspace: Workspace, desired: Desired, chosen: Selection) -> tuple[LabelBlock, ...]:
    if chosen.labels is None:
        return ()
    from defendctl.operations.labels import labels_of

    return labels_of(workspace, None if chosen.files else desired).blocks


def check_replaced(chosen: Selection, past: Past) -> None:
    """Raises Usage for what contradicts itself."""
    for address in chosen.replace:
        if address in past.taken:
            workflow_id = past.taken[address].binding.workflow_id
            raise Usage(
                f"--replace {address}: its manifest imports {workflow_id}, and a new one is asked for too",
                "take `import` out of the manifest, or leave --replace out",
            )


def read_others(workspace: Workspace, state: State, files: Sequence[Path]) -> Mapping[str, Span]:
    """What a run with -f leaves unread may be declared all the same: a rename from it was not taken back."""
    return _all_spans(workspace) if files and state.former else {}


def _all_spans(workspace: Workspace) -> Mapping[str, Span]:
    return resolve(workspace.project, None, workspace.cwd).spans


def _check_moves(moves: tuple[Move, ...], others: Mapping[str, Span]) -> None:
    """With -f an old address may be declared in a file that is not read: its binding must stay there."""
    taken = [f"{move.old} ({others[move.old].file})" for move in moves if move.old in others]
    if taken:
        raise DefendctlError(
            f"`renamed_from` names an address that is still declared: {', '.join(taken)}",
            "remove it there, or remove `renamed_from` here",
        )
