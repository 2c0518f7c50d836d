"""Files that results go to, and what none of them may take the place of."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from defendctl.diagnostics import Usage
from defendctl.durable import FOLDER, is_stream, write_whole
from defendctl.manifest.resolve import manifest_files, overlay_files
from defendctl.operations.workspace import in_none
from defendctl.project.files import has_ending, would_read
from defendctl.project.policies import list_policies
from defendctl.project.project import FILE_NAME
from defendctl.project.suite_files import list_suites
from defendctl.render.own import LARGEST
from defendctl.render.registry import is_own

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from defendctl.operations.workspace import Workspace
    from defendctl.project.project import Project


@dataclass(frozen=True, slots=True)
class Destination:
    """`option` is how it was named on the command line: `--out plan.json`."""

    option: str
    path: Path
    kind: str
    format: str

    def write(self, content: str) -> None:
        """Raises OSError, and then what was there is there still."""
        write_whole(self.path, content.encode(errors="backslashreplace"))


def check_destinations(workspace: Workspace, destinations: Sequence[Destination]) -> None:
    """Before the run, for a result that is lost after it helps nobody. Raises Usage."""
    files = [each for each in destinations if not is_stream(each.path)]
    every = in_none(workspace).environments if files else []
    taken = {real: what for one in every for real, what in _ours(one)}
    for each in files:
        real = os.path.realpath(each.path)
        why = _unwritable(each.path) or taken.get(real) or _would_be_read(every, each.path) or _other(each)
        if why:
            raise Usage(f"{each.option}: {why}")
        taken[real] = "another option writes that file"


def _unwritable(path: Path) -> str | None:
    folder = Path(os.path.realpath(path)).parent
    if path.is_dir():
        return "that is a folder"
    if FOLDER in folder.parts:
        return "locks and copies of the state are kept there"
    if not folder.is_dir():
        return f"there is no folder {path.parent}"
    writable = os.access(folder, os.W_OK) and (os.access(path, os.W_OK) or not os.path.lexists(path))
    return None if writable else "it cannot be written"


def _other(each: Destination) -> str | None:
    """What cannot be read cannot be known to be ours."""
    try:
        with each.path.open("rb") as file:
            own = is_own(each.kind, each.format, file.read(LARGEST + 1).decode())
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError):
        own = False
    return None if own else "that file holds something else; choose another one, or remove it first"


def _ours(workspace: Workspace) -> list[tuple[str, str]]:
    """Real path → why it is not for results, whether it is there or not."""
    project, cwd = workspace.project, workspace.cwd
    files = workspace.store.backend.files if workspace.place is None else ()
    named = {
        "that is a manifest": [*manifest_files(project, None, cwd), *overlay_files(project, cwd)],
        "that is a file of the policy": list_policies(project, cwd).files,
        "that is a file of tests": list_suites(project, cwd).files,
        "that is the project file": [project.file or project.root / FILE_NAME],
        "that is the state": [project.state_path, *files[:1]],
        "that is the journal of the state": [
            project.state_path.with_name(project.state_path.name + ".journal"),
            *files[1:],
        ],
    }
    return [(os.path.realpath(file), what) for what, files in named.items() for file in files]


def _would_be_read(every: Sequence[Workspace], path: Path) -> str | None:
    """As a manifest, or as rules or tests, once it is there."""
    for one in every if has_ending(path.name) else ():
        file = Path(os.path.normpath(one.cwd / path))
        if any(would_read(one.project.root, entry, file) for entry in _entries(one.project)):
            return "manifests, rules, tests or labels are read from there"
    return None


def _entries(project: Project) -> Iterator[str]:
    yield from (*project.manifests, *project.overlays, *project.other_overlays)
    yield from (*project.includes, *project.tests, *project.labels)
