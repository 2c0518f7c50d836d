"""The project as a commit declares it: git's objects in a temporary folder, nothing checked out.

No filter, hook or text conversion of the repository runs. What lies there is read as what lies in a work tree
is: within its bounds, and no link leads out of the project.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from defendctl import git
from defendctl.command import command
from defendctl.diagnostics import DefendctlError, Diagnostic, Invalid, Span, errors
from defendctl.durable import spill
from defendctl.manifest.desired import Desired
from defendctl.manifest.resolve import resolve
from defendctl.operations.revision import WHOLE_HISTORY
from defendctl.project.files import has_ending, is_glob
from defendctl.project.load import load_project
from defendctl.project.project import DEFAULT_MANIFESTS, DEFAULT_STATE, Project

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from defendctl.operations.workspace import Workspace

MOST_FILES: Final = 20_000
MOST_BYTES: Final = 128 * 1024 * 1024
_LINK: Final = "120000"
_FORBIDDEN: Final = frozenset({b"", b".", b"..", b".git"})
"""Parts of a path that no work tree has; a commit that was made by hand may have them."""


@dataclass(frozen=True, slots=True)
class DeclaredThen:
    """What one commit declares. `project` is None where the project was not there yet."""

    commit: str
    desired: Desired
    project: Project | None


def declared_at(workspace: Workspace, revision: str) -> DeclaredThen:
    """In the environment of this workspace. Raises DefendctlError where git cannot say, Invalid else."""
    root = workspace.project.root
    try:
        commit = git.commit_of(root, revision)
    except git.NoAnswer as error:
        why = error.message if error.message != "it gave no reason" else "there is no such commit here"
        raise DefendctlError(f"--against {revision}: {why}", WHOLE_HISTORY) from None
    with _tree(workspace, commit) as (project, problems):
        cwd = project.root
        here = _in_same_environment(workspace, project, revision)
        nothing = project.file is None and not (project.root / DEFAULT_MANIFESTS[0]).exists()
        if here is None or nothing:
            return DeclaredThen(commit, Desired(), None)
        desired = resolve(here, None, cwd)
        found = [*problems, *desired.diagnostics]
        if errors(found):
            raise Invalid([_placed(one, revision) for one in found])
        return DeclaredThen(commit, desired, here)


def _in_same_environment(workspace: Workspace, project: Project, revision: str) -> Project | None:
    """None where there was no such environment yet."""
    name = workspace.project.environment
    if project.environments and name is None:
        there = ", ".join(project.environments)
        raise DefendctlError(
            f"--against {revision}: the project has environments there ({there}), and none here",
            "compare the manifests of the two by hand",
        )
    return project.environments.get(name or "") if project.environments else project


def _placed(one: Diagnostic, revision: str) -> Diagnostic:
    """Files are named as git names those of a commit."""
    span = one.span or Span("")
    return replace(one, span=replace(span, file=f"{revision}:{span.file}"))


@contextmanager
def _tree(workspace: Workspace, commit: str) -> Iterator[tuple[Project, list[Diagnostic]]]:
    """The project in a folder that lasts as long."""
    top, way = git.place_of(workspace.project.root)
    with TemporaryDirectory(prefix="defendctl-") as made:
        tree = Path(os.path.realpath(made))
        root = tree / os.fsdecode(way)
        taken = _Taken(top, commit, tree)
        taken.take(way)
        (root / DEFAULT_MANIFESTS[0]).parent.mkdir(parents=True, exist_ok=True)
        project, problems = _load(workspace.project, root)
        if project.file:  # git keeps no empty folders
            (root / DEFAULT_MANIFESTS[0]).mkdir(exist_ok=True)
        for folder in sorted(_outside(project, tree)):
            taken.take(folder)
        if project.uploads or any(one.uploads for one in project.environments.values()):
            taken.take_named(way)
        yield project, problems


def _load(project: Project, root: Path) -> tuple[Project, list[Diagnostic]]:
    """Without a project file there are only defaults; what lies above the temporary folder is none of it."""
    name = os.path.relpath(project.file, project.root) if project.file else None
    if name is None or not (root / name).is_file():
        return Project(root, None, root / DEFAULT_STATE), []
    return load_project(root / name, root)


def _outside(project: Project, tree: Path) -> set[bytes]:
    """The folders and files beside the project in which its entries look, as git names them."""
    entries = [*project.manifests, *project.overlays, *project.includes]
    for one in project.environments.values():
        entries += [*one.overlays, *one.includes]
    found = set()
    for entry in entries:
        parts = Path(entry).parts
        plain = next((i for i, part in enumerate(parts) if is_glob(part)), len(parts))
        path = Path(os.path.normpath(project.root.joinpath(*parts[:plain])))
        if tree in path.parents and project.root not in (path, *path.parents):
            found.add(os.fsencode(path.relative_to(tree)))
    return found


class _Taken:
    """What of a commit is taken into a folder, each file once, within bounds."""

    def __init__(self, top: Path, commit: str, tree: Path) -> None:
        self._top, self._commit, self._tree = top, commit, tree
        self._texts: list[bytes] = []
        self._paths: set[bytes] = set()
        self._bytes = 0

    def take(self, below: bytes) -> None:
        """YAML, and links, which may lead to it."""
        wanted = [
            one for one in self._stored(below) if one.mode == _LINK or has_ending(os.fsdecode(one.path))
        ]
        self._texts += self._put(wanted)

    def take_named(self, below: bytes) -> None:
        """Files whose names stand in what was taken: those that a workflow may search."""
        text = b"\n".join(text for text in self._texts if b"file_search" in text)
        self._put([one for one in self._stored(below) if text and one.path.rpartition(b"/")[2] in text])

    def _stored(self, below: bytes) -> Iterator[git.GitFile]:
        for one in git.files_of(self._top, self._commit, below):
            if one.path not in self._paths and not _FORBIDDEN & set(one.path.lower().split(b"/")):
                yield one

    def _put(self, wanted: list[git.GitFile]) -> list[bytes]:
        self._check(wanted)
        found = list(git.blobs_of(self._top, [one.oid for one in wanted]))
        pairs = sorted(zip(wanted, found, strict=True), key=lambda pair: pair[0].mode == _LINK)
        for one, data in pairs:  # links come last: nothing is written through one
            self._write(self._tree / os.fsdecode(one.path), one.mode, data)
        return found

    def _check(self, wanted: Iterable[git.GitFile]) -> None:
        """Raises DefendctlError, before any of it is read."""
        for one in wanted:
            self._paths.add(one.path)
            self._bytes += one.size
        if len(self._paths) > MOST_FILES or self._bytes > MOST_BYTES:
            raise DefendctlError(
                f"the commit {self._commit[:12]} holds more YAML beside defendctl.yaml than is read "
                f"({MOST_FILES:,} files, {MOST_BYTES >> 20} MiB)",
                f"give the project a folder of its own; `{command('validate')}` reads what is checked out",
            )

    def _write(self, path: Path, mode: str, data: bytes) -> None:
        try:
            if mode == _LINK:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.symlink_to(os.fsdecode(data))
            else:
                spill(path, data)
        except (OSError, ValueError):  # a commit made by hand: a file where a folder is, a link to nothing
            return
