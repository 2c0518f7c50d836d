"""state migrate: the state goes on in another place; the old one says where, so that nobody goes on there.

The order is what keeps it one state: the copy is durable and read back before the old place is closed, and
until then every run goes on in the old place. Whoever is killed in between runs the command again: a copy
that nobody has written since bears the name of the state that it was made from, and is replaced.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from defendctl import git
from defendctl.command import shell_word
from defendctl.diagnostics import DefendctlError, Precondition, Usage
from defendctl.inspection.transfer import Migrated
from defendctl.operations.left_ids import refuse_left
from defendctl.operations.places import open_state
from defendctl.state.backend import Locked
from defendctl.state.document import DamagedState, from_text, to_text
from defendctl.state.owner import this_run
from defendctl.state.place import BadPlace, Place, key_of, option_problem, parse_place
from defendctl.state.session import ANCESTORS
from defendctl.state.store import WentElsewhere
from defendctl.state.waiting import take_lock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from defendctl.model import State
    from defendctl.operations.workspace import Workspace
    from defendctl.project.project import Project
    from defendctl.state.backend import Lease, Stored
    from defendctl.state.session import Session
    from defendctl.state.store import Store

_PLAIN = re.compile(r"[A-Za-z0-9./][A-Za-z0-9_.:/?&=+@-]*")
"""What YAML takes for a text without quotes."""


def migrate(workspace: Workspace, to: str, options: dict[str, str]) -> Migrated:
    """Raises Usage for what is no place, Precondition where another state is there."""
    if workspace.settings.sandbox:
        raise Usage("--sandbox: the state of the sandbox stays where it is")
    workspace.require_sound()
    source = workspace.store
    project = _placed(workspace.project, to, options)
    target = open_state(project, project.place, patience=workspace.settings.lock_timeout)
    here, there = _said(workspace.project, workspace.place), _said(project, project.place)
    if _is_same(here, there):
        raise Usage(f"--to: the state is at {source.where} already")
    try:
        with source.session(workspace.settings.warn) as session:
            _move(workspace, session, target, here, there)
            lineage = str(session.state.lineage)
    except WentElsewhere as moved:
        if not _is_same(moved.moved_to, there):
            raise
        lineage = str(target.read().bare.lineage)  # by a run that could not tell it any more
    lines = _lines(project, there, lineage)
    return Migrated(source.where, target.where, lineage, lines, tuple(_branches(workspace)))


def _placed(project: Project, to: str, options: dict[str, str]) -> Project:
    """The project with its state there."""
    if key_of(to) == "path" and to.endswith(".json") and to.isprintable():
        return replace(project, place=None, state_path=Path(os.path.normpath(project.root / to)))
    try:
        place = parse_place(to, options)
    except BadPlace as bad:
        raise Usage(f"--to {bad}") from None
    for name, value in options.items():
        problem = option_problem(place.scheme, name, value)
        if problem:
            raise Usage(f"--option {name}: it {problem}")
    return replace(project, place=place)


def _said(project: Project, place: Place | None) -> str:
    """As the project file says it."""
    return place.url if place else Path(os.path.relpath(project.state_path, project.root)).as_posix()


def _is_same(one: str, other: str) -> bool:
    return one == other or (
        key_of(one) == key_of(other) == "url" and parse_place(one).name == parse_place(other).name
    )


def _move(workspace: Workspace, session: Session, target: Store, here: str, there: str) -> None:
    """Under the locks of both places."""
    source, state = workspace.store, session.state
    if not session.exists:
        raise Precondition(f"there is no state at {source.where} that could move")
    refuse_left(source, state)
    target.backend.probe()
    lease = _locked(workspace, target, there)
    try:
        _refuse_other_state(source, target, lease.stored, state, here)
        _copy(lease, target, _successor(state))
        answered = {one.op: one.answered for one in state.unresolved.values() if one.answered}
        for op, workflow_id in answered.items():
            if target.backend.leave(op, workflow_id) is None:
                raise DefendctlError(
                    f"{target.where} does not keep the id {workflow_id}, which a create left"
                )
        session.edit(lambda state: setattr(state, "moved_to", there))
        for op in answered:
            session.settled(op)
    finally:
        lease.release()


def _locked(workspace: Workspace, target: Store, there: str) -> Lease:
    try:
        return take_lock(target.backend, this_run(), workspace.settings.warn, target.patience)
    except Locked as locked:
        held = target.backend.held()
        if held and key_of(there) == "url":
            unlock = f"defendctl --state-url {shell_word(there)} state unlock {shell_word(held.owner.id)}"
            locked.hint = f"if that run is gone: `{unlock}`"
        locked.message = f"{target.where}: {locked.message}"
        raise


def _successor(state: State) -> State:
    ancestors = (state.writer, *state.ancestors)[:ANCESTORS]
    return replace(state, serial=state.serial + 1, writer=_writer_after(state.writer), ancestors=ancestors)


def _writer_after(writer: str) -> str:
    """Tells a copy of this very state from all that anybody wrote."""
    return f"migrate{hashlib.sha256(writer.encode()).hexdigest()[:16]}"


def _copy(lease: Lease, target: Store, state: State) -> None:
    """Raises Precondition where what is read back is something else."""
    document = to_text(state).encode()
    lease.replace(document)
    lease.drop_journal()
    back = target.backend.read()
    if back.document != document or back.journal:
        raise Precondition(f"{target.where} gave back something else than was written to it: nothing moved")
    target.copies.keep(state, document, target.backend.mode())


def _refuse_other_state(source: Store, target: Store, found: Stored, state: State, here: str) -> None:
    """Raises Precondition for all but nothing, an earlier copy that nobody wrote since, and a state that went
    on here."""
    if found.document is None and found.journal is None:
        return
    try:
        there = from_text((found.document or b"").decode())
    except (DamagedState, UnicodeDecodeError):
        there = None
    if there and not found.journal and there.lineage == state.lineage:
        copies = map(_writer_after, (state.writer, *state.ancestors))
        went_on_here = there.moved_to and _is_same(there.moved_to, here) and state.serial >= there.serial
        if went_on_here or (there.moved_to is None and there.writer in copies):
            return
    what = f"serial {there.serial} of lineage {there.lineage}" if there else "something that is no state"
    raise Precondition(
        f"{target.where} holds {what}, and {source.where} holds serial {state.serial} of lineage "
        f"{state.lineage}: only one of them can be the state",
        "name a key at which nothing is, or look which of the two is to go",
    )


def _lines(project: Project, there: str, lineage: str) -> str:
    options = project.place.options if project.place else {}
    said = [f"{key_of(there)}: {_scalar(there)}", f"lineage: {lineage}"]
    if options:
        said.append(f"options: {{{', '.join(f'{name}: {_scalar(options[name])}' for name in options)}}}")
    above = ["environments:", f"{project.environment}:", "state:"] if project.environment else ["state:"]
    lines = [f"{'  ' * depth}{key}" for depth, key in enumerate(above)]
    return "".join(f"{line}\n" for line in (*lines, *(f"{'  ' * len(above)}{one}" for one in said)))


def _scalar(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else json.dumps(text)


def _branches(workspace: Workspace) -> Iterator[str]:
    """Where the file does not say that it moved: whoever works there is to merge first."""
    path = workspace.project.state_path
    if workspace.place or not git.is_work_tree(path.parent):
        return
    try:
        for branch, content in git.on_branches(path):
            if b'"moved_to"' not in content:
                yield branch
    except git.NoAnswer:
        return
