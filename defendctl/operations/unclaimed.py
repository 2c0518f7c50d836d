"""State files that lie in a project and that nothing in its project file claims.

Who begins a state beside one makes each workflow that it binds a second time.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from defendctl.command import command
from defendctl.diagnostics import DefendctlError, Precondition
from defendctl.durable import FOLDER
from defendctl.operations.unpinned import lineage_of
from defendctl.render.plural import count
from defendctl.state.document import LARGEST
from defendctl.state.open import open_local

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from defendctl.model import State
    from defendctl.operations.workspace import Workspace
    from defendctl.project.project import Project


@dataclass(frozen=True, slots=True)
class Unclaimed:
    """A state that holds something, and that `project`, of which it may be the state, does not name."""

    name: str
    """Its path below the root of the project."""
    state: State
    project: Project

    @property
    def told(self) -> str:
        host = f" of {self.state.api_host}" if self.state.api_host else ""
        held = count(len(_held(self.state)), "workflow")
        return f"{self.name} holds the state of {held}{host}, and the project file does not name it"

    @property
    def warning(self) -> str:
        begins = command("init --env {}", name) if (name := self.project.environment) else command("init")
        return f"{self.told}; `{begins}` prints the lines that do"

    @property
    def advice(self) -> str:
        """The lines by which the project file takes it."""
        state = f"state: {{path: {self.name}, lineage: {self.state.lineage}}}"
        name = self.project.environment
        if name is None:
            return f"put this into defendctl.yaml: {state}"
        return f"if it is the state of {name}, put this below `environments:`\n{name}:\n  {state}"


def refuse_unclaimed(found: Iterable[Unclaimed]) -> None:
    """Raises Precondition where there is one: with a new state, each of its workflows would be made again."""
    for one in found:
        raise Precondition(
            f"{one.told}: with a new state each of them would be created a second time",
            f"{one.advice}\nonly --new-state begins a new one beside it",
        )


def holds_something(state: State) -> bool:
    """Whether it knows any workflow; one that was begun and never applied knows none."""
    return bool(_held(state))


def unclaimed_by(workspace: Workspace) -> Iterator[Unclaimed]:
    """Those that may be the state of this environment."""
    host = None
    with suppress(DefendctlError):  # what is wrong with the base URL is told by itself
        host = workspace.host()
    whole = workspace.whole
    return find_unclaimed(tuple(whole.environments.values()) or (whole,), workspace.project, host)


def find_unclaimed(projects: Sequence[Project], project: Project, host: str | None) -> Iterator[Unclaimed]:
    """Looked for where the states of these are, of which `project` is one. None is any host."""
    files = {os.path.realpath(one.state_path) for one in projects if one.place is None}
    lineages = {one.lineage or (None if one.place else lineage_of(one.state_path)) for one in projects}
    for path in _candidates(projects):
        if os.path.realpath(path) in files:
            continue
        state = _read(path, project.environment)
        if state and _held(state) and state.lineage not in lineages and _may_be_of(state, host):
            yield Unclaimed(os.path.relpath(path, project.root), state, project)


def _may_be_of(state: State, host: str | None) -> bool:
    return None in (host, state.api_host) or state.api_host == host


def _held(state: State) -> set[str]:
    return {*state.bindings, *state.unresolved, *state.tombstones}


def _candidates(projects: Sequence[Project]) -> list[Path]:
    """JSON files beside the project file, and beside each state."""
    folders = {folder for one in projects for folder in (one.root, one.state_path.parent)}
    found: set[Path] = set()
    for folder in folders:
        with suppress(OSError):
            found.update(path for path in folder.glob("*.json") if _is_small_file(path))
    return sorted(found)


def _is_small_file(path: Path) -> bool:
    return path.is_file() and path.stat().st_size <= LARGEST


def _read(path: Path, environment: str | None) -> State | None:
    """With its journal. None for what is no state, or one of another environment."""
    with suppress(DefendctlError, OSError):
        return open_local(path, path.parent / FOLDER, None, environment).read().state
    return None
