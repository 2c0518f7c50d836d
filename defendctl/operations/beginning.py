"""A state begins knowingly: once for a project or environment, and its lineage is pinned where it begins.

Whoever takes a lost state for a first run makes every workflow a second time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.diagnostics import DefendctlError, Precondition, Usage
from defendctl.editing.pin import with_lineage
from defendctl.editing.rewrite import Rewrite, rewrite
from defendctl.operations.unclaimed import refuse_unclaimed, unclaimed_by
from defendctl.operations.unpinned import pin_line

if TYPE_CHECKING:
    from defendctl.operations.workspace import Workspace
    from defendctl.project.project import Project
    from defendctl.state.session import Session
    from defendctl.state.store import Store


def refuse_second(workspace: Workspace, session: Session) -> None:
    """Raises Usage for --new-state where a state with anything in it is there."""
    state = session.state
    if workspace.settings.new_state and (state.bindings or state.unresolved or state.tombstones):
        raise Usage(
            f"--new-state: there is a state at {workspace.store.where} already, with serial {state.serial}",
            "run it without",
        )


def require_beginning(workspace: Workspace, session: Session) -> None:
    """As `may_begin`, and a person is asked. Raises DefendctlError where nobody agreed."""
    question = may_begin(workspace, session)
    if question and not (workspace.settings.ask and workspace.settings.ask(f"{question} Begin a new one?")):
        raise DefendctlError("no state was begun: it was not confirmed")


def may_begin(workspace: Workspace, session: Session) -> str | None:
    """Whether this run may begin a state, if there is none; nothing is written yet.

    Returns what a person must agree to first, if anything. Raises Precondition where nobody can be asked or
    where a state was lost or lies unclaimed, and Usage for --new-state where one is there.
    """
    refuse_second(workspace, session)
    settings = workspace.settings
    if session.exists or settings.sandbox or settings.new_state:
        return None
    refuse_forgotten(workspace)
    if settings.ask is None:
        raise Precondition(
            f"there is no state at {workspace.store.where}",
            "if this is the first run, add --new-state; if there was a state, restore it, "
            "for without it every workflow would be created a second time",
        )
    return f"There is no state at {workspace.store.where} yet."


def refuse_lost(store: Store) -> None:
    """Raises Precondition where copies or git know a state of this place."""
    if store.remembers():
        raise Precondition(
            f"there is no state at {store.where}, but there was one: it was lost",
            f"{store.advice()}. --new-state begins a new one anyway; "
            "then nothing knows what the old one bound",
        )


def refuse_forgotten(workspace: Workspace) -> None:
    """Raises Precondition where a state was lost, or one lies in the project that its file does not name."""
    refuse_lost(workspace.store)
    refuse_unclaimed(unclaimed_by(workspace))


def refuse_missing(workspace: Workspace) -> None:
    """As `refuse_forgotten`, and raises Precondition where its lineage is pinned, too."""
    refuse_forgotten(workspace)
    workspace.store.read()


def begin_state(workspace: Workspace, session: Session) -> None:
    """Make the empty state durable, and pin its lineage, before anything else is written."""
    if session.exists:
        return
    session.begin()
    if workspace.settings.own_state:
        pin(workspace, str(session.state.lineage))


def pin(workspace: Workspace, lineage: str) -> bool:
    """Put the lineage into the project file; what is not written is told with the line to commit."""
    project, settings = workspace.project, workspace.settings
    if project.file is None or project.lineage:
        return False
    why = _write(project, lineage) if settings.pin else "the lineage of the new state is not pinned"
    if why:
        settings.warn(f"{why}; put this into {project.file.name}: {pin_line(project, lineage)}")
    return why is None


def _write(project: Project, lineage: str) -> str | None:
    """Why it could not be written; None if it is."""
    assert project.file
    try:
        before = project.file.read_bytes()
        bom = b"\xef\xbb\xbf" if before.startswith(b"\xef\xbb\xbf") else b""
        after = with_lineage(before[len(bom) :].decode(), project.environment, lineage)
        if after is None:
            return f"the lineage has no place in {project.file.name} that could be written safely"
        rewrite([Rewrite(project.file, project.file.name, before, bom + after.encode())])
    except (OSError, DefendctlError) as error:
        return f"the lineage could not be written: {error}"
    return None
