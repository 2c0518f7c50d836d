"""Whether the state may be kept where the project file says: nothing else of the project may be there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from defendctl.diagnostics import Diagnostic
from defendctl.project.files import has_ending, would_read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from defendctl.project.project import Project
    from defendctl.yamltext.report import Report


def check_state_path(project: Project, report: Report) -> None:
    """Of the project, or of the environment that it is in."""
    why = _taken(project)
    if why and project.state_span:
        report.error("invalid-value", _elsewhere(project, why), project.state_span)


def in_the_way(project: Project) -> Diagnostic | None:
    """A folder, which `validate` tells of at its place; whoever reads the state finds a damaged one."""
    is_folder = project.state_span and project.state_path.is_dir()
    message = _elsewhere(project, "that is a folder")
    return Diagnostic("error", "invalid-value", message, project.state_span) if is_folder else None


def _elsewhere(project: Project, why: str) -> str:
    return f"The state cannot be kept in `{project.state_path.name}`: {why}; name another file."


def _taken(project: Project) -> str | None:
    path = project.state_path
    if path.is_dir() or not str(path).isprintable():
        return None  # told elsewhere
    if project.file and os.path.realpath(path) == os.path.realpath(project.file):
        return "that is the project file"
    found = (key for key, entries in _read(project) for entry in entries if _reads(project, entry))
    return next((f"`{key}` reads that file" for key in found), None)


def _reads(project: Project, entry: str) -> bool:
    path = project.state_path
    named = path == Path(os.path.normpath(project.root / entry))
    return named or (has_ending(path.name) and would_read(project.root, entry, path))


def _read(project: Project) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield "manifests", project.manifests
    yield "overlays", (*project.overlays, *project.other_overlays)
    yield "policy.include", project.includes
    yield "tests", project.tests
    yield "labels", project.labels
