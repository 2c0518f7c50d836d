"""Contents of files → the ids that they were uploaded as, where the state knows them. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from defendctl.model import CONTENT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from defendctl.model import LocalFile, Workflow


def with_ids(workflow: Workflow, ids: Mapping[str, str]) -> Workflow:
    """`ids`: content → id. What is not uploaded yet stays as it is."""
    if ids.keys().isdisjoint(workflow.file_search):
        return workflow
    return replace(workflow, file_search=named(workflow.file_search, ids))


def named(file_search: tuple[str, ...], ids: Mapping[str, str]) -> tuple[str, ...]:
    """Sorted, and each id once: a manifest may also name a file by the id that it was uploaded as."""
    return tuple(sorted({ids.get(name, name) for name in file_search}))


def known_ids(files: Mapping[str, LocalFile], uploads: Mapping[str, str]) -> dict[str, str]:
    """Content → id, of those of the files whose SHA-256 is among the uploads."""
    return {content: uploads[file.sha256] for content, file in files.items() if file.sha256 in uploads}


def has_id(value: object) -> bool:
    """Whether a field's value is one that the API can hold: every file in it is uploaded."""
    return not isinstance(value, tuple) or not any(CONTENT.fullmatch(name) for name in value)
