"""Values as git keeps them: in the tree of a commit that has no parent and no name.

They lie in a folder of their own beside the user's objects, where no `gc` of theirs counts them and no ref
leads; whatever is missing there is fetched again.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from defendctl.diagnostics import DefendctlError
from defendctl.git.asking import NoAnswer, ask

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_NO_REPOSITORY: Final = "not a git repository"
_DAY: Final = 86_400
_NOBODY: Final = {
    f"GIT_{who}_{what}": said
    for who in ("AUTHOR", "COMMITTER")
    for what, said in (("NAME", "defendctl"), ("EMAIL", "defendctl@localhost"))
}


@dataclass(frozen=True, slots=True)
class Entry:
    hash: str
    size: int


@dataclass(frozen=True, slots=True)
class Trees:
    folder: Path
    """In a checkout, or a bare repository of our own."""
    own: Path
    """Where new objects go."""
    env: Mapping[str, str]

    def blob(self, data: bytes) -> str:
        return self._ask("hash-object", "-w", "--stdin", given=data)

    def commit(self, entries: Mapping[str, str]) -> str:
        """Name in the tree → hash of its blob."""
        listed = "".join(f"100644 blob {hash_}\t{name}\n" for name, hash_ in sorted(entries.items()))
        tree = self._ask("mktree", given=listed.encode())
        return self._ask("commit-tree", tree, "-m", "The state of defendctl", env=_NOBODY)

    def entries(self, commit: str) -> dict[str, Entry]:
        """Name → its blob. Raises NoAnswer where the commit or its tree is not here."""
        found = {}
        for line in self._ask("ls-tree", "-l", "-z", commit).split("\0")[:-1]:
            about, _, name = line.partition("\t")
            _, kind, hash_, size = about.split()
            if kind == "blob":
                found[name] = Entry(hash_, int(size))
        return found

    def content(self, blob: str) -> bytes:
        """Raises NoAnswer where it is not here."""
        return ask(self.folder, "cat-file", "blob", blob, env=self.env)

    def sweep(self) -> None:
        """Remove what was not written or fetched within a day; never fails."""
        for file in self.own.glob("??*/*"):
            with suppress(OSError):
                if time.time() - file.stat().st_mtime > _DAY:
                    file.unlink()

    def _ask(self, *arguments: str, given: bytes = b"", env: Mapping[str, str] | None = None) -> str:
        printed = ask(self.folder, *arguments, given=given, env={**self.env, **(env or {})})
        return printed.decode(errors="replace").strip("\n")


def open_trees(folder: Path, spare: Path) -> Trees:
    """Beside the objects of the repository around `folder`; where there is none, in one made at `spare`.

    Raises DefendctlError.
    """
    common = common_folder(folder)
    try:
        if common is None:
            spare.mkdir(parents=True, exist_ok=True)
            ask(spare, "init", "--quiet", "--bare", ".", env={"GIT_DIR": str(spare)})
            return Trees(spare, spare / "objects", {"GIT_DIR": str(spare)})
        own = common / "defendctl"
        own.mkdir(exist_ok=True)
    except OSError as error:
        raise DefendctlError(
            f"cannot write what git fetches to {error.filename}: {error.strerror}"
        ) from error
    quoted = str(common / "objects").replace("\\", "\\\\").replace('"', '\\"')
    return Trees(
        folder, own, {"GIT_OBJECT_DIRECTORY": str(own), "GIT_ALTERNATE_OBJECT_DIRECTORIES": f'"{quoted}"'}
    )


def common_folder(folder: Path) -> Path | None:
    """`.git` of the repository around a folder, shared by its work trees. Raises NoAnswer but where there
    is no repository."""
    try:
        said = ask(folder, "rev-parse", "--git-common-dir")
    except NoAnswer as error:
        if _NO_REPOSITORY in error.message:
            return None
        raise
    return (folder / said.decode(errors="surrogateescape").strip("\n")).resolve()
