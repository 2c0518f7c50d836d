"""Older versions of a state that git has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from defendctl import git
from defendctl.command import shell_word
from defendctl.state.backend import Version
from defendctl.state.document import heading

if TYPE_CHECKING:
    from pathlib import Path

COMMITS: Final = 10
"""So many versions are looked at, the newest first."""


def newest(path: Path, lineage: str | None) -> Version | None:
    """The version of the highest serial that git has of the state at `path`, if git has any.

    Without `lineage` of any; then it is for a state that is not there at all.
    """
    return max(known(path, lineage), key=lambda one: one.serial, default=None)


def known(path: Path, lineage: str | None) -> list[Version]:
    """Those that git has, the last commit first; none where git does not answer."""
    if not git.is_work_tree(path.parent):
        return []
    try:
        found = [_read(commit, at, data, lineage, path) for commit, at, data in git.earlier(path, COMMITS)]
    except git.NoAnswer:
        return []
    return [one for one in found if one]


def _read(commit: str, at: str, data: bytes, lineage: str | None, path: Path) -> Version | None:
    """By a few of its lines alone: a state may be large, and this one is not used."""
    found = heading(data)
    if found.serial is None or lineage not in (None, found.lineage):
        return None
    serial, command = found.serial, f"git restore --source {commit[:12]} {shell_word(str(path))}"
    return Version(serial, found.writer, f"restore serial {serial}: `{command}`", "in git", at)
