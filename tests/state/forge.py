"""A bare repository, and clones of it that keep their state there."""

from __future__ import annotations

import os
import subprocess
from itertools import count
from typing import TYPE_CHECKING

from defendctl.state.open import open_backend
from defendctl.state.place import parse_place
from defendctl.state.register.backend import RegisterBackend

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

AUTHOR = {
    f"GIT_{who}_{what}": said
    for who in ("AUTHOR", "COMMITTER")
    for what, said in (("NAME", "somebody"), ("EMAIL", "somebody@example.com"))
}
REF = "refs/defendctl/checkout"


def run_git(folder: Path, *arguments: str, env: Mapping[str, str] | None = None) -> str:
    ran = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **AUTHOR, **(env or {})},
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


class Forge:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bare = folder / "server.git"
        self._numbers = count()
        folder.mkdir(exist_ok=True)
        run_git(folder, "init", "--quiet", "--bare", str(self.bare))

    def clone(self) -> Path:
        """Of no more than where it comes from: what is in it is of no matter."""
        clone = self.folder / f"clone{next(self._numbers)}"
        run_git(self.folder, "init", "--quiet", str(clone))
        run_git(clone, "remote", "add", "origin", str(self.bare))
        return clone

    def backend(self, clone: Path | None = None, url: str = "git+origin?key=checkout") -> RegisterBackend:
        backend = open_backend(parse_place(url), clone or self.clone())
        assert isinstance(backend, RegisterBackend)
        return backend

    def hook(self, name: str, script: str) -> None:
        """One of the server's."""
        write_hook(self.bare / "hooks", name, script)

    def set(self, name: str, value: str) -> None:
        run_git(self.bare, "config", name, value)

    def refs(self) -> dict[str, str]:
        listed = run_git(self.bare, "for-each-ref", "--format=%(refname) %(objectname)")
        return dict(line.split() for line in listed.splitlines())


def write_hook(folder: Path, name: str, script: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)
