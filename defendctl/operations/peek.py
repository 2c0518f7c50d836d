"""What a project holds, for a TAB, which nobody waits for: its files are looked at, and not checked.

Read is a project file as nearly everybody writes it. Where one says something else, it is loaded as every
command does it, which takes longer.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from defendctl.diagnostics import Span
from defendctl.editing.glance import addresses
from defendctl.project.entries import Entries, own_file, unique
from defendctl.project.load import find_project, load_project
from defendctl.project.project import DEFAULT_MANIFESTS, DEFAULT_STATE, Project, default_state
from defendctl.project.states import state_place
from defendctl.schema.checks import is_environment
from defendctl.state.place import parse_place
from defendctl.yamltext.loader import load
from defendctl.yamltext.source import read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from defendctl.manifest.desired import Desired
    from defendctl.model import State
    from defendctl.state.place import Place

_NOWHERE = Span("")


class _Unusual(Exception):
    """A project file that says more than is read at a glance, or something else."""


@dataclass(frozen=True, slots=True)
class Peek:
    whole: Project
    chosen: str | None = None
    """The name of an environment. Of one that there is not nothing is known."""
    sandbox: bool = False
    place: Place | None = None
    """What `--state-url` says."""

    @property
    def projects(self) -> list[Project]:
        """In the environment that was named, or in each."""
        there = self.whole.environments
        return [there[self.chosen]] if self.chosen else [*there.values()] or [self.whole]

    def states(self) -> Iterator[State]:
        """Those that can be read on this machine."""
        for project in self.projects:
            with suppress(Exception):
                state = self._state(project)
                if state:
                    yield state

    def declared(self) -> Iterator[str]:
        """The addresses that stand in manifests."""
        for project in self.projects[:1]:  # manifests are the same in all of them
            found = [_addresses(file) for file in _manifests(project)]
            sure = [address for one in found for address in one or ()]
            yield from chain.from_iterable(one.spans for one in self.desired()) if None in found else sure

    def desired(self) -> Iterator[Desired]:
        """What is declared in each environment, layers and all: this reads as every command does."""
        from defendctl.manifest.resolve import resolve

        loaded = replace(self, whole=load_project(self.whole.file, Path.cwd())[0])
        for project in loaded.projects:
            yield resolve(project, None, Path.cwd())

    def _state(self, project: Project) -> State | None:
        return self._read(project) if self._is_read_whole(project) else _document(project)

    def _is_read_whole(self, project: Project) -> bool:
        """Whether more than one file may say what the state is."""
        journal = project.state_path.with_name(f"{project.state_path.name}.journal")
        elsewhere = self.sandbox or self.place or project.place
        return bool(elsewhere) or journal.exists() or project.state_path.is_symlink()

    def _read(self, project: Project) -> State | None:
        """As commands read it; where it is elsewhere, the copy of it that was read last."""
        from defendctl.operations.places import open_state, place_of_state, state_folder
        from defendctl.state.open import read_last

        place = None if self.sandbox else place_of_state(project, self.place)
        if not place:
            return open_state(project, None, sandbox=self.sandbox).read().state
        last = read_last(place, state_folder(project) / (project.environment or ""), project.lineage)
        return last[0].state if last else None


def look(config: Path | None, chosen: str | None, state_url: str | None, *, sandbox: bool) -> Peek:
    """As the global options say. Raises what keeps the project file from being read."""
    file = Path.cwd() / config if config else find_project(Path.cwd())
    try:
        whole = _glance(file) if file else _default(Path.cwd())
    except _Unusual:
        whole = load_project(file, Path.cwd())[0]
    return Peek(whole, chosen, sandbox, parse_place(state_url) if state_url else None)


def _default(root: Path) -> Project:
    return Project(root, None, root / DEFAULT_STATE)


def _glance(file: Path) -> Project:
    documents, problems = load(file, file.name)
    data = documents[0].data if len(documents) == 1 and not problems else None
    if not isinstance(data, dict) or data.get("version") != 1:
        raise _Unusual
    manifests = data.get("manifests", [*DEFAULT_MANIFESTS])
    if not isinstance(manifests, list) or not all(isinstance(entry, str) for entry in manifests):
        raise _Unusual
    base = replace(_default(file.parent), file=file, manifests=tuple(manifests))
    if "environments" not in data:
        return _with_state(base, data, DEFAULT_STATE)
    made = {
        name: _with_state(replace(base, environment=name), _mapping(body), default_state(name))
        for name, body in _mapping(data["environments"]).items()
        if is_environment(name)
    }
    return replace(base, environments=made)


def _with_state(project: Project, data: dict[str, Any], name: str) -> Project:
    """The project with what `state` in `data` says; by default in a file of that name."""
    said = {**_mapping(data.get("state"))}
    options = _mapping(said.pop("options", None))
    if not all(isinstance(value, str) for value in (*said.values(), *options.values())):
        raise _Unusual
    path = Path(os.path.normpath(project.root / (said.get("path") or name)))
    place = state_place(said.get("url", ""), options)
    return replace(project, state_path=path, lineage=said.get("lineage") or None, place=place)


def _mapping(value: Any) -> dict[str, Any]:
    """Nothing, where nothing is written."""
    if not isinstance(value, dict | None):
        raise _Unusual
    return value or {}


def _manifests(project: Project) -> list[Path]:
    """Also files of ours that are none, if they lie among them: those declare no address of their own."""
    entries = Entries(project.root, Path.cwd(), "manifest", own_file(project))
    return unique(file for entry in project.manifests for file in entries.entry(entry, _NOWHERE))


def _addresses(file: Path) -> list[str] | None:
    """None where the lines of it do not tell."""
    text = read(file, file.name)
    return addresses(text) if "workflows" in text else []


def _document(project: Project) -> State | None:
    """The state of a project that no run was killed in, if it is that of this project."""
    if not project.state_path.is_file():
        return None
    from defendctl.state.document import from_text

    state = from_text(project.state_path.read_text(encoding="utf-8"))
    of_it = state.environment in (None, project.environment) and not state.moved_to
    return state if of_it and project.lineage in (None, state.lineage) else None
