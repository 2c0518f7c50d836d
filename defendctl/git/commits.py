"""What a commit holds, whatever is checked out: which files, and what is in them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from defendctl.git.asking import NoAnswer, ask
from defendctl.git.checkout import top_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


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
    return top_of(folder), ask(folder, "rev-parse", "--show-prefix").removesuffix(b"\n")


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
