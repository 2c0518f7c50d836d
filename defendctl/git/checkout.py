"""Which commit is checked out, how two are related, what a file was before."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from defendctl.git.asking import NoAnswer, ask

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_DIFF: Final = ("diff", "--name-only", "-z", "--no-ext-diff", "--no-textconv", "--no-renames")


@dataclass(frozen=True, slots=True)
class Head:
    """What is checked out."""

    commit: str
    time: int
    """Of the committer, in seconds since 1970."""
    ref: str | None
    """The branch, if one is checked out."""


def is_work_tree(folder: Path) -> bool:
    """By the looks of it, without a process: whether asking makes sense."""
    return any((above / ".git").exists() for above in (folder, *folder.parents))


def head(folder: Path) -> Head:
    commit, time = ask(folder, "log", "-1", "--format=%H %ct", "HEAD").decode().split()
    try:
        ref = ask(folder, "symbolic-ref", "--quiet", "--short", "HEAD").decode().strip()
    except NoAnswer:
        ref = ""
    return Head(commit, int(time), ref or None)


def is_shallow(folder: Path) -> bool:
    return ask(folder, "rev-parse", "--is-shallow-repository").strip() == b"true"


def knows(folder: Path, commit: str) -> bool:
    try:
        ask(folder, "cat-file", "-e", f"{commit}^{{commit}}")
    except NoAnswer:
        return False
    return True


def is_ancestor(folder: Path, old: str, new: str) -> bool:
    """Of two commits that are there. A shallow clone may not know of it."""
    try:
        ask(folder, "merge-base", "--is-ancestor", old, new)
    except NoAnswer:
        return False
    return True


def untracked_or_changed(files: Iterable[Path]) -> list[Path]:
    """Those of these files that git does not track, or that are not as in HEAD. Raises NoAnswer."""
    wanted = {Path(os.path.realpath(file)) for file in files}
    if not wanted:
        return []
    common = _common(wanted)
    top = top_of(common)
    tracked = _paths(top, ask(top, "ls-files", "-z", "--", str(common)))
    changed = _paths(top, ask(top, *_DIFF, "HEAD", "--", str(common)))
    return sorted((wanted - tracked) | (wanted & changed))


def is_tracked(file: Path) -> bool:
    """Also one that is gone. Raises NoAnswer."""
    return bool(ask(file.parent, "ls-files", "--", file.name).strip())


def changed_between(folder: Path, old: str, new: str) -> set[Path]:
    """Every file that one of two commits has and the other has not, or has otherwise."""
    top = top_of(folder)
    return _paths(top, ask(top, *_DIFF, old, new))


def earlier(file: Path, most: int) -> Iterator[tuple[str, str, bytes]]:
    """The newest `most` versions of a file on any branch that is known here: commit, when it was committed
    in ISO 8601, and content.

    A job that is run again checks out an old commit by itself: only branches tell that others came later.
    """
    asked = ("log", f"-{most}", "--format=%H %cI", "HEAD", "--branches", "--remotes", "--", file.name)
    for line in ask(file.parent, *asked).decode().splitlines():
        commit, _, at = line.partition(" ")
        try:
            yield commit, at, ask(file.parent, "cat-file", "blob", f"{commit}:./{file.name}")
        except NoAnswer:  # that commit took it away
            continue


def on_branches(file: Path) -> Iterator[tuple[str, bytes]]:
    """Each branch that is known here and has the file: its name, and what the file holds there."""
    listed = ask(file.parent, "for-each-ref", "--format=%(refname)", "refs/heads", "refs/remotes")
    for ref in listed.decode(errors="replace").split():
        try:
            content = ask(file.parent, "cat-file", "blob", f"{ref}:./{file.name}")
        except NoAnswer:
            continue
        yield ref.removeprefix("refs/heads/").removeprefix("refs/remotes/"), content


def _common(files: set[Path]) -> Path:
    return Path(os.path.commonpath([file.parent for file in files]))


def top_of(folder: Path) -> Path:
    return Path(os.fsdecode(ask(folder, "rev-parse", "--show-toplevel")).rstrip("\n"))


def _paths(top: Path, listed: bytes) -> set[Path]:
    return {top / os.fsdecode(name) for name in listed.split(b"\0") if name}
