"""What `init --ci` is asked for, and what became of each file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Fate = Literal["written", "equal", "kept", "missing", "behind", "foreign"]
"""Beside what would be written: `equal`; `kept`, changed by hand, of the newest template all the same;
`behind`, of an older one and as it was written; `foreign`, changed since an older one, or not ours at all."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One environment to apply, in its place."""

    name: str | None
    """None of a project that has no environments."""
    key_variable: str

    @property
    def job(self) -> str:
        return self.name or "production"

    @property
    def option(self) -> str:
        return f" --env {self.name}" if self.name else ""


@dataclass(frozen=True, slots=True)
class JobsWanted:
    forge: str
    """`github` or `gitlab`."""
    stages: tuple[Stage, ...]
    trusting: bool = False
    """Whether jobs of requests get the key."""
    queue: bool = True
    """Whether runs that wait are kept in a queue, which servers of before 2026-05 do not know."""
    pin: str | None = None
    """The commit of the action; None installs by a lock."""
    branch: str = "main"
    folder: str = ""
    """The project's, from the top of the repository, with slashes; empty at the top."""
    in_git: bool = False
    """Whether the state is in a ref of git, which is read and pushed with the checkout's credentials."""

    @property
    def dash(self) -> str:
        """Keeps two projects of one repository apart."""
        return f"-{self.folder.replace('/', '-')}" if self.folder else ""

    @property
    def keys(self) -> tuple[str, ...]:
        """Names of the variables that hold keys, each once."""
        return tuple(dict.fromkeys(stage.key_variable for stage in self.stages))

    @property
    def lock(self) -> str:
        """The file that says which wheels are installed, by their hashes."""
        return f".{self.forge}/defendctl.lock"


@dataclass(frozen=True, slots=True)
class PipelineFile:
    """One file, from the top of the repository."""

    name: str
    fate: Fate


@dataclass(frozen=True, slots=True)
class Pipelines:
    forge: str
    command: str
    """What writes these very files."""
    files: tuple[PipelineFile, ...]
    steps: tuple[str, ...] = ()
    """What a person has to do next, in order."""

    @property
    def behind(self) -> bool:
        return any(made.fate in ("missing", "behind", "foreign") for made in self.files)
