"""Where the state of a project or an environment is, and the store of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from defendctl.command import beginning
from defendctl.diagnostics import DefendctlError, Usage
from defendctl.durable import FOLDER
from defendctl.model import SANDBOX
from defendctl.render.plural import count
from defendctl.state.place import BadPlace, parse_place

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from defendctl.project.project import Project
    from defendctl.state.place import Place
    from defendctl.state.session import Snapshot
    from defendctl.state.store import Store


def place_said(url: str) -> Place:
    """Of the command line or its variable. Raises Usage, which repeats nothing: it may be a secret."""
    try:
        return parse_place(url)
    except BadPlace as bad:
        raise Usage(f"--state-url {bad}") from None


def place_of_state(project: Project, said: Place | None) -> Place | None:
    """The one of `--state-url`, or the project's; None for a file.

    What `state.options` says goes for another place of the same scheme too.
    """
    own = project.place
    if said and own and own.scheme == said.scheme and not said.options:
        return replace(said, options=own.options)
    return said or own


def open_state(project: Project, place: Place | None, *, sandbox: bool = False, patience: float = 0) -> Store:
    """Raises DefendctlError where what the place needs is not installed."""
    from defendctl.state.open import open_local, open_place

    home, environment, root = _home(project), project.environment, project.root
    if place:
        return open_place(place, home, project.lineage, environment, root, patience)
    if sandbox:
        path, lineage = state_folder(project) / f"{sandboxed(project)}.state.json", None
    else:
        path, lineage = project.state_path, project.lineage
    return open_local(path, home, lineage, environment, root, patience)


def elsewhere_advice(environment: str | None) -> str:
    """What to do where the state is of another API host than this run."""
    return (
        "set the base URL of that host; or begin a state for this one: say another `path` or `url` under "
        "`state:` of the project file, take its `lineage` out, then "
        f"`{beginning(environment)}`"
    )


def read_copy(project: Project, place: Place, warn: Callable[[str], None]) -> Snapshot:
    """What was read last of a state that is elsewhere. Raises DefendctlError where nothing was."""
    from defendctl.state.open import read_last

    found = read_last(place, _home(project), project.lineage)
    if found is None:
        raise DefendctlError(f"--offline: {place.name} was never read here", "run it without")
    snapshot, age = found
    warn(f"--offline: serial {snapshot.state.serial} of {place.name}, as it was read {_ago(age)} ago")
    return snapshot


def state_folder(project: Project) -> Path:
    """Locks, copies and the sandbox: never committed."""
    return project.root / FOLDER


def sandboxed(project: Project) -> str:
    return f"sandbox.{project.environment}" if project.environment else SANDBOX


def _home(project: Project) -> Path:
    """Locks and copies of each environment stand in a folder of their own."""
    return state_folder(project) / (project.environment or "")


def _ago(seconds: float) -> str:
    """In the largest unit of which there is one."""
    units = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
    name, length = next((unit for unit in units if seconds >= unit[1]), units[-1])
    return count(int(seconds // length), name)
