"""Whether the state may be kept where the project file says: nothing else of the project may be there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from defendctl.project.files import has_ending, would_read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from defendctl.project.project import Project
    from defendctl.yamltext.node import Document, KeyPath
    from defendctl.yamltext.report import Report


def check_state_path(project: Project, at: KeyPath, document: Document, report: Report) -> None:
    """Of the project, or of its environment at `at`."""
    why = _taken(project)
    if why:
        message = f"The state cannot be kept in `{project.state_path.name}`: {why}; name another file."
        report.error("invalid-value", message, document.span((*at, "state", "path")))


def _taken(project: Project) -> str | None:
    path = project.state_path
    if not str(path).isprintable():
        return None  # told already
    if path.is_dir():
        return "that is a folder"
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
