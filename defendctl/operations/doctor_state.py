"""doctor: what is wrong with the state, its journal and its lock, as far as reading them tells."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from defendctl import git
from defendctl.command import command, either
from defendctl.diagnostics import DefendctlError
from defendctl.exits import Exit
from defendctl.inspection.checkup import Check, note, ok, wrong
from defendctl.operations.beginning import refuse_forgotten
from defendctl.operations.left_ids import left_ids
from defendctl.operations.places import elsewhere_advice
from defendctl.operations.revision import OLDER, WHOLE_HISTORY, check_checkout
from defendctl.operations.unclaimed import unclaimed_by
from defendctl.operations.unpinned import unpinned
from defendctl.render.plural import count
from defendctl.state.backend import Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from defendctl.manifest.desired import Desired
    from defendctl.model import State
    from defendctl.operations.workspace import Workspace
    from defendctl.state.session import Snapshot

_NETWORK: Final = "look at the network, and whether that place is up"


def check_state(workspace: Workspace, desired: Desired) -> tuple[Snapshot | None, list[Check]]:
    """The state with its journal, or why there is none to go by."""
    began = time.perf_counter()
    try:
        snapshot = workspace.store.read()
    except DefendctlError as error:
        advice = error.hint or "restore it from version control or from where CI keeps it"
        return None, [wrong("state", error.message, advice, error.exit_code)]
    except Unreachable as error:
        return None, [wrong("state", str(error), _NETWORK)]
    took = time.perf_counter() - began
    place = [*_place(workspace, took)] if workspace.place else []
    try:
        checks = _checked(workspace, desired, snapshot)
    except DefendctlError as error:  # a right that reading the state does not need, or no answer any more
        checks = [wrong("state", error.message, error.hint or _NETWORK, error.exit_code)]
    return snapshot, [*place, *checks]


def _place(workspace: Workspace, took: float) -> Iterator[Check]:
    """Whether it keeps what it must, tried with values of our own; and what it keeps of earlier states."""
    backend = workspace.store.backend
    yield ok("place", f"{backend.where} answers; reading the state took {took * 1_000:.0f} ms")
    try:
        doubt = backend.probe()
        yield ok("place", "of several writers it lets one win, and it keeps what it said was written")
        if doubt:
            yield note("place", doubt, "docs/reliability.md says what that means, under what is not claimed")
    except DefendctlError as error:
        advice = error.hint or "grant what is missing, or keep the state elsewhere"
        yield wrong("place", error.message, advice, error.exit_code)
    except OSError as error:
        yield wrong("place", str(error), _NETWORK)
    try:
        kept = backend.versions()
    except DefendctlError as error:
        yield wrong("versions", error.message, error.hint or _NETWORK, error.exit_code)
        return
    newest = f", the newest with serial {kept[0].serial}" if kept else ""
    yield ok("versions", f"{count(len(kept), 'state')} kept there{newest}")


def _checked(workspace: Workspace, desired: Desired, snapshot: Snapshot) -> list[Check]:
    if not snapshot.exists:
        return [_missing_state(workspace)]
    told = [*_remembered(workspace, snapshot), *_checkout(workspace, desired, snapshot.state)]
    return [*told, *_unresolved(snapshot.state)]


def _missing_state(workspace: Workspace) -> Check:
    try:
        if not workspace.settings.sandbox:
            refuse_forgotten(workspace)
    except DefendctlError as error:
        return wrong("state", error.message, error.hint or "restore it", error.exit_code)
    first = command("apply") if workspace.settings.sandbox else command("apply --new-state")
    return note("state", "there is none yet", f"the first `{first}` begins it")


def _remembered(workspace: Workspace, snapshot: Snapshot) -> Iterator[Check]:
    state = snapshot.state
    name, journal = workspace.store.where, workspace.store.backend.journal
    if workspace.place is None:
        name, journal = Path(name).name, Path(journal).name
    yield ok("state", f"{name}: serial {state.serial}, {len(state.bindings)} bound, lineage {state.lineage}")
    host = None
    with suppress(DefendctlError):  # the base URL is told of by itself
        host = workspace.host()
    if state.api_host not in (None, host) and host:
        yield wrong(
            "host",
            f"the state belongs to {state.api_host}, but this run speaks to {host}",
            elsewhere_advice(workspace.project.environment),
            Exit.PRECONDITION,
        )
    if snapshot.leftover:
        advice = "keep it with the state; the next apply folds it in"
        records = count(len(snapshot.leftover.records), "record")
        yield note("journal", f"a run left {journal} with {records}", advice)
    rollback = workspace.store.rollback(snapshot)
    if rollback:
        yield wrong("backups", rollback.message, rollback.hint, Exit.PRECONDITION)
    newest = workspace.store.newest_copy()
    if newest and not rollback:
        yield ok("backups", f"the newest copy here has serial {newest.state.serial}")
    yield from _pinned(workspace)
    if workspace.settings.own_state:
        for one in unclaimed_by(workspace):
            yield note("unclaimed", one.told, "name it in the environment that it is of, or move it away")
    yield from _left_ids(workspace, state)


def _pinned(workspace: Workspace) -> Iterator[Check]:
    project = workspace.project
    if not workspace.settings.own_state or project.file is None or project.lineage:
        return
    found = unpinned(project, project.file.name)
    if found:
        yield note("lineage", "the project file pins none", found.message)


def _checkout(workspace: Workspace, desired: Desired, state: State) -> Iterator[Check]:
    """What git tells of this checkout, where a state was applied from a commit."""
    root = workspace.project.root
    found = check_checkout(workspace, desired, state)
    if found:
        advice = "check out the newest commit" if found.code == OLDER else "look at both commits"
        yield note("checkout", found.message, advice)
    if not workspace.settings.sandbox and git.is_work_tree(root):
        with suppress(git.NoAnswer):
            if git.is_shallow(root):
                yield note("git", "this clone is shallow: an older checkout may go unnoticed", WHOLE_HISTORY)


def _left_ids(workspace: Workspace, state: State) -> Iterator[Check]:
    """Ids that were left by creates which are settled."""
    for workflow_id in left_ids(workspace.store, state).values():
        advice = (
            f"run `{command('state resolve ADDRESS --id {}', workflow_id)}` "
            f"or `{command('state rm {}', workflow_id)}`"
        )
        yield wrong("left id", f"{workflow_id} is live and bound to nothing", advice, Exit.UNKNOWN)
    if workspace.place:
        return
    for left in workspace.store.backend.strays({intent.op for intent in state.unresolved.values()}):
        advice = f"check whether `{command('state list')}` lists the id in it, then remove it"
        yield note("recovery", f"{left.told} belongs to no unresolved create", advice)


def _unresolved(state: State) -> Iterator[Check]:
    for address, intent in sorted(state.unresolved.items()):
        known = f", and {intent.answered} came back" if intent.answered else ""
        message = f"{address}: a create was sent at {intent.at} and its outcome is unknown{known}"
        advice = f"run {either(address, intent.answered or 'WORKFLOW_ID')}"
        yield wrong("unresolved", message, advice, Exit.UNKNOWN)


def check_lock(workspace: Workspace) -> Iterator[Check]:
    try:
        held = workspace.store.backend.held()
    except (DefendctlError, Unreachable):
        return  # told of the state already
    if held is None:
        yield ok("lock", "nobody holds it")
        return
    owner = held.owner
    if workspace.place:
        advice = f"wait for that run; if it is gone: {command('state unlock {}', owner.id)}"
        yield wrong("lock", f"it is held by {owner}", advice, Exit.PRECONDITION)
    elif held.alive:
        yield wrong("lock", f"it is held by {owner}", "wait for that run to end", Exit.PRECONDITION)
    elif owner.host != socket.gethostname():
        advice = f"if that run is gone: {command('state unlock {}', owner.id)}"
        yield note("lock", f"it was taken on another machine, by {owner}", advice)
    else:
        advice = "nothing to do: the next run goes on by itself"
        yield note("lock", f"a run ended without releasing it ({owner})", advice)
