"""A commit on top of a branch elsewhere. This checkout is not touched: no file, no index, no branch."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from defendctl.git.asking import Said, ask, call
from defendctl.git.checkout import top_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_WHO: Final = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "defendctl"), ("EMAIL", "defendctl@localhost"))
}


def fetch_tip(folder: Path, branch: str) -> str:
    """The newest commit of a branch of `origin`, which is here from then on. Raises NoAnswer."""
    ask(folder, "fetch", "--quiet", "--no-tags", "origin", f"refs/heads/{branch}")
    return ask(folder, "rev-parse", "--verify", "FETCH_HEAD").decode().strip()


def blob_at(folder: Path, commit: str, path: str) -> bytes | None:
    """What a file (from the top of the repository) holds there; None where it is not."""
    said = call(top_of(folder), "cat-file", "blob", f"{commit}:{path}")
    return None if said.code else said.out


def commit_with(folder: Path, parent: str, files: Iterable[str], message: str) -> str | None:
    """A commit like `parent`, but with these files (from the top) as they are now; some may be gone.

    None where that changes nothing, unless no file is named. Raises NoAnswer.
    """
    top, named = top_of(folder), list(files)
    with tempfile.TemporaryDirectory() as spare:
        env = {"GIT_INDEX_FILE": str(Path(spare) / "index")}
        ask(top, "read-tree", parent, env=env)
        for file in named:
            ask(top, "update-index", *_put(top, file), env=env)
        tree = ask(top, "write-tree", env=env).decode().strip()
    if named and tree == ask(top, "rev-parse", f"{parent}^{{tree}}").decode().strip():
        return None
    return ask(top, "commit-tree", tree, "-p", parent, "-m", message, env=_unnamed()).decode().strip()


def push_to(folder: Path, commit: str, branch: str) -> Said:
    """Whatever comes of it; only onto what `commit` stands on."""
    return call(folder, "push", "--quiet", "origin", f"{commit}:refs/heads/{branch}")


def _put(top: Path, file: str) -> tuple[str, ...]:
    if not (top / file).exists():
        return ("--force-remove", "--", file)
    blob = ask(top, "hash-object", "-w", "--", file).decode().strip()
    return ("--add", "--cacheinfo", f"100644,{blob},{file}")


def _unnamed() -> Mapping[str, str]:
    """A name for the commit, unless this environment has one."""
    return {name: value for name, value in _WHO.items() if name not in os.environ}
