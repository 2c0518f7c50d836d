"""What git is asked: which commit is checked out, how two are related, what a file was before.

Nothing is written, no lock is taken that others could meet, and no hook and no monitor of files runs.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from defendctl.diagnostics import DefendctlError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_QUIET: Final = ("--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
_DIFF: Final = ("diff", "--name-only", "-z", "--no-ext-diff", "--no-textconv", "--no-renames")
_SECONDS: Final = 60


class NoAnswer(DefendctlError):
    """git is not there, or cannot say; the message says why."""


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


def ask(folder: Path, *arguments: str, given: bytes | None = None) -> bytes:
    """What git prints. Raises NoAnswer."""
    try:
        ran = subprocess.run(
            ["git", "-C", str(folder), *_QUIET, *arguments],
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            env={**os.environ, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"},
            timeout=_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise NoAnswer("git is not installed") from None
    except subprocess.TimeoutExpired:
        raise NoAnswer(f"git did not answer within {_SECONDS} s") from None
    except OSError as error:
        raise NoAnswer(f"git cannot be run: {error.strerror}") from None
    if ran.returncode:
        raise NoAnswer(_reason(ran.stderr))
    return ran.stdout


def _reason(stderr: bytes) -> str:
    """The first line, for what follows is advice about git's own settings."""
    lines = stderr.decode(errors="replace").splitlines() or ["it gave no reason"]
    return lines[0].removeprefix("fatal: ")[:200]


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
    top = _top(common)
    tracked = _paths(top, ask(top, "ls-files", "-z", "--", str(common)))
    changed = _paths(top, ask(top, *_DIFF, "HEAD", "--", str(common)))
    return sorted((wanted - tracked) | (wanted & changed))


def changed_between(folder: Path, old: str, new: str) -> set[Path]:
    """Every file that one of two commits has and the other has not, or has otherwise."""
    top = _top(folder)
    return _paths(top, ask(top, *_DIFF, old, new))


def earlier(file: Path, most: int) -> Iterator[tuple[str, bytes]]:
    """The newest `most` versions of a file on any branch that is known here: commit and content.

    A job that is run again checks out an old commit by itself: only branches tell that others came later.
    """
    asked = ("log", f"-{most}", "--format=%H", "HEAD", "--branches", "--remotes", "--", file.name)
    for commit in ask(file.parent, *asked).decode().split():
        try:
            yield commit, ask(file.parent, "cat-file", "blob", f"{commit}:./{file.name}")
        except NoAnswer:  # that commit took it away
            continue


def _common(files: set[Path]) -> Path:
    return Path(os.path.commonpath([file.parent for file in files]))


def _top(folder: Path) -> Path:
    return Path(os.fsdecode(ask(folder, "rev-parse", "--show-toplevel")).rstrip("\n"))


def _paths(top: Path, listed: bytes) -> set[Path]:
    return {top / os.fsdecode(name) for name in listed.split(b"\0") if name}


@dataclass(frozen=True, slots=True)
class GitFile:
    """One file of a commit. `path` is that in the repository, in bytes as git has it."""

    mode: str
    oid: str
    size: int
    path: bytes


def commit_of(folder: Path, revision: str) -> str:
    """Raises NoAnswer where there is no such commit."""
    if revision.startswith("-"):
        raise NoAnswer("a revision does not begin with a dash")
    return ask(folder, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").decode().strip()


def place_of(folder: Path) -> tuple[Path, bytes]:
    """The top of the repository, and the way from there to `folder`, which ends in `/` or is empty."""
    return _top(folder), ask(folder, "rev-parse", "--show-prefix").removesuffix(b"\n")


def files_of(folder: Path, commit: str, below: bytes) -> Iterator[GitFile]:
    """The files and links of a commit whose path begins with `below`, names as git has them."""
    listed = ask(folder, "ls-tree", "-r", "-z", "-l", "--full-tree", commit, *_only(below))
    for line in listed.split(b"\0"):
        head, _, path = line.partition(b"\t")
        mode, kind, oid, size = (*head.decode().split(), "", "", "", "")[:4]
        if kind == "blob":
            yield GitFile(mode, oid, int(size), path)


def _only(below: bytes) -> tuple[str, ...]:
    """ls-tree takes its paths as they are, and knows no patterns."""
    return ("--", os.fsdecode(below)) if below else ()


def blobs_of(folder: Path, oids: Iterable[str]) -> Iterator[bytes]:
    """What these blobs hold, in their order. All of it is in memory at once: ask for the sizes first."""
    wanted = list(oids)
    told = ask(folder, "cat-file", "--batch", given="".join(f"{oid}\n" for oid in wanted).encode())
    at = 0
    for oid in wanted:
        end = told.index(b"\n", at)
        name, kind, size = (*told[at:end].decode().split(), "", "")[:3]
        if name != oid or kind != "blob":
            raise NoAnswer(f"the object {oid} is not there")
        at = end + 1 + int(size) + 1
        yield told[end + 1 : at - 1]
