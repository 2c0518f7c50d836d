"""state pull, push, versions and paths: the document itself, out of its place and back into it."""

from __future__ import annotations

import os
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from defendctl import git
from defendctl.command import command, either
from defendctl.diagnostics import DefendctlError, Invalid, Precondition, Unresolved, errors
from defendctl.inspection.transfer import Pushed
from defendctl.state.document import DamagedState, NewerState, from_text, to_text
from defendctl.state.local.backend import read_bytes
from defendctl.state.postgres import schema_sql
from defendctl.state.session import ANCESTORS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from defendctl.model import State
    from defendctl.operations.workspace import Workspace
    from defendctl.state.backend import Lease, Version
    from defendctl.state.session import Snapshot
    from defendctl.state.store import Store


def pull(workspace: Workspace) -> str:
    """The document with its journal folded in. Takes no lock. Raises Precondition where none is."""
    snapshot = workspace.read_state()
    if not snapshot.exists:
        raise Precondition(f"there is no state at {workspace.store.where}")
    if snapshot.leftover is None:
        return to_text(snapshot.state)
    return to_text(replace(snapshot.state, folded=snapshot.leftover.id))


def push(workspace: Workspace, file: Path, *, restore: bool) -> Pushed:
    """Raises Precondition for what must not be there afterwards, and Unresolved for open creates there."""
    workspace.require_sound()
    state = _read(file)
    _check_ours(workspace, file, state)
    store = workspace.store
    lease = store.lock(workspace.settings.warn)
    try:
        there = _there(workspace, lease, file, state, restore=restore)
        if there:
            _check_quiet(store, there)
        if there is None or state.serial <= there.state.serial:
            state = _above(store, state, there.state if there else None)
        document = to_text(state).encode()
        lease.replace(document)
        lease.drop_journal()
        store.copies.keep(state, document, store.backend.mode())
    finally:
        lease.release()
    known = state.known_ids()
    lost = there.state.known_ids().items() if there else ()
    return Pushed(
        store.where, state.serial, tuple(f"{address} → {i}" for i, address in lost if i not in known)
    )


def versions(workspace: Workspace) -> Sequence[Version]:
    """What the place keeps of earlier states, the newest first."""
    workspace.require_sound()
    return workspace.store.backend.versions()


def sql_schema() -> str:
    """For whoever may make tables: apply never does."""
    return schema_sql()


def state_paths(workspace: Workspace) -> list[str]:
    """The files that hold the state of each environment of the workspace, for git: those that are there, and
    those that it tracks and that are gone. None for what is elsewhere."""
    if errors(workspace.problems):
        raise Invalid(workspace.problems)
    return [
        os.path.relpath(file, workspace.cwd)
        for one in workspace.environments
        if one.place is None
        for file in one.store.backend.files
        if file.exists() or _is_tracked(file)
    ]


def _is_tracked(file: Path) -> bool:
    if not git.is_work_tree(file.parent):
        return False
    try:
        return git.is_tracked(file)
    except git.NoAnswer:
        return False


def _read(file: Path) -> State:
    data = read_bytes(file)
    if data is None:
        raise DefendctlError(f"there is no file {file}")
    try:
        return from_text(data.decode())
    except UnicodeDecodeError as error:
        raise DamagedState(f"{file}: the state cannot be read: it is not UTF-8") from error
    except (NewerState, DamagedState) as error:
        error.message = f"{file}: {error.message}"
        raise


def _check_ours(workspace: Workspace, file: Path, state: State) -> None:
    """Of this project, this environment and this API. Raises Precondition."""
    project = workspace.project
    if state.moved_to:
        raise Precondition(
            f"{file} is a state that moved to {state.moved_to}: that one goes on, and not this"
        )
    if project.lineage and state.lineage != project.lineage:
        raise Precondition(
            f"{file} has lineage {state.lineage}, but the project file says {project.lineage}: "
            "it is another project's state"
        )
    if state.environment not in (None, project.environment):
        raise Precondition(f"{file} belongs to the environment {state.environment}, not to this one")
    workspace.check_host(state)


def _there(workspace: Workspace, lease: Lease, file: Path, state: State, *, restore: bool) -> Snapshot | None:
    """What is to be replaced; None where nothing is, or nothing that can be read."""
    store = workspace.store
    pinned = workspace.project.lineage
    try:
        there = store.understand(lease.stored)
    except NewerState:
        raise
    except Precondition as error:
        is_gone = lease.stored.document is None
        if not (restore and (is_gone or isinstance(error, DamagedState))):
            raise
        _refuse_foreign_journal(store, lease, state)
        there = None
    if there is None or not there.exists:
        if restore and pinned:
            return None
        raise Precondition(
            f"there is no state at {store.where} that can be read",
            f"if {file} is what was there: pin `lineage: {state.lineage}` in the project file, "
            f"and `{command('state push {} --restore', str(file))}`",
        )
    if there.state.lineage != state.lineage:
        raise Precondition(
            f"{file} has lineage {state.lineage}, {store.where} has {there.state.lineage}: "
            "it is another project's state"
        )
    if state.serial <= there.state.serial and not restore:
        raise Precondition(
            f"{file} has serial {state.serial}, and {store.where} has {there.state.serial} already",
            f"if the older one is to count: `{command('state push {} --restore', str(file))}`",
        )
    return there


def _refuse_foreign_journal(store: Store, lease: Lease, state: State) -> None:
    """What a run recorded must not go with a state that is damaged."""
    left = lease.stored.journal
    if left and left.id != state.folded:
        raise Precondition(
            f"{store.backend.journal} holds what a run recorded, and it extends serial {left.serial}",
            "what it holds must be part of the state that is pushed, or be moved away first",
        )


def _check_quiet(store: Store, there: Snapshot) -> None:
    """Raises Precondition for a journal, and Unresolved for creates whose outcome is unknown."""
    if there.leftover:
        raise Precondition(
            f"{store.backend.journal} holds what a run recorded that is no part of the state yet",
            "the next command that writes the state makes them one, like an apply",
        )
    for address in sorted(there.state.unresolved):
        raise Unresolved(f"{store.where}: the create of {address} is open", f"first {either(address)}")


def _above(store: Store, state: State, there: State | None) -> State:
    """The same as the newest of all that is known: whoever saw a newer serial takes it for the next one."""
    copy = store.newest_copy()
    candidates: Iterator[State | None] = iter((there, copy.state if copy else None, state))
    base = max(filter(None, candidates), key=lambda one: one.serial)
    kept = store.backend.newest(state.lineage)
    serial = max(base.serial, kept.serial if kept else 0)
    ancestors = (base.writer, *base.ancestors)[:ANCESTORS] if serial == base.serial else ()
    return replace(state, serial=serial + 1, writer=secrets.token_hex(8), ancestors=ancestors)
