"""A lineage that no project file pins: a lost state would look like a first run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.diagnostics import DefendctlError, Diagnostic, Span
from defendctl.durable import FOLDER

if TYPE_CHECKING:
    from pathlib import Path

    from defendctl.operations.workspace import Workspace
    from defendctl.project.project import Project
    from defendctl.state.session import Session

UNPINNED = "unpinned-state"


def unpinned(project: Project, shown: str, lineage: str | None = None) -> Diagnostic | None:
    """A warning where a lost state would not be noticed. Without a project file there is nothing to pin.

    `lineage` is that of the state, where it was read; a file is looked at here.
    """
    if project.file is None or project.lineage:
        return None
    lineage = lineage or (None if project.place else lineage_of(project.state_path))
    which = f" of `{project.environment}`" if project.environment else ""
    then = f"put this here: {pin_line(project, lineage)}" if lineage else "the first apply writes it here"
    message = (
        f"The lineage of the state{which} is not pinned, so a lost state would look like a first run; {then}."
    )
    return Diagnostic("warning", UNPINNED, message, Span(shown, 1, 1))


def warn_unpinned(workspace: Workspace, session: Session) -> None:
    """A state of before lineages were pinned goes on, and is told each time."""
    project = workspace.project
    if session.exists and project.file and workspace.settings.own_state:
        found = unpinned(project, project.file.name, session.state.lineage)
        if found:
            workspace.settings.warn(found.message)


def lineage_of(path: Path) -> str | None:
    """That of a state which is there and can be read."""
    if not path.exists():
        return None
    from defendctl.state.open import open_local

    try:
        return open_local(path, path.parent / FOLDER, None).read().bare.lineage
    except DefendctlError:
        return None


def pin_line(project: Project, lineage: str) -> str:
    """What is to stand in the project file, on one line."""
    from defendctl.editing.pin import place_of_lineage

    *above, last = place_of_lineage(project.environment)
    return "".join(f"{key}: {{" for key in above) + f"{last}: {lineage}" + "}" * len(above)
