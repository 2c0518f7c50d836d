"""Which files of a project are tests, and which are labels; what they hold is read where it is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.project.entries import list_files, own_file

if TYPE_CHECKING:
    from pathlib import Path

    from defendctl.project.entries import Listing
    from defendctl.project.project import Project


def list_suites(project: Project, cwd: Path) -> Listing:
    """The files of `tests:`, which are no manifests."""
    named = zip(project.tests, project.test_spans, strict=True)
    return list_files(project, cwd, "test file", named, own_file(project))


def list_labels(project: Project, cwd: Path) -> Listing:
    """The files of `labels:`, which are no manifests."""
    named = zip(project.labels, project.label_spans, strict=True)
    return list_files(project, cwd, "label file", named, own_file(project))
