"""A forge as the `ci` commands see it: where a pipeline runs, what was reviewed, and where results are told.

Nothing that a forge says is believed because it is there: a record counts only where nobody but the pipeline
can have written it, and a forge that cannot be asked is an error, never "no reviews".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol

from defendctl.diagnostics import DefendctlError, Precondition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from defendctl.ci.record import Record

Related = Literal["same", "descendant", "ancestor", "diverged", "unknown"]
"""How the second of two commits is related to the first."""
FORGES: Final = ("auto", "github", "gitlab", "none")
MOST_COMMITS: Final = 250
MOST_REQUESTS: Final = 50
"""What a range may hold; more of them were not looked at by anybody in one go."""


class ForgeError(DefendctlError):
    """The forge could not be asked, or its answer cannot be used."""


class NotAllowed(ForgeError):
    """The token may not do this, or the thing is hidden from it."""


class RangeTooLong(Precondition):
    """More was merged since the last apply than is looked at."""


@dataclass(frozen=True, slots=True)
class Context:
    """Where a pipeline runs. What the forge does not tell is None."""

    event: str
    """`pull_request`, `merge_group`, `push`, or the forge's own word for anything else."""
    commit: str | None = None
    """What is checked out, as far as the forge says."""
    number: int | None = None
    """Of the pull or merge request."""
    head: str | None = None
    """The newest commit of its branch, which the record is about."""
    base: str | None = None
    """The commit that its changes are compared with."""
    fork: bool = False
    """Whether it comes from where nobody of this project decides: nothing is written for it."""
    dependabot: bool = False
    """Whether that bot began it: its jobs are given other secrets than those of people."""
    branch: str | None = None
    default_branch: str | None = None
    run: str | None = None
    """The address of this run, for people."""

    @property
    def is_request(self) -> bool:
        return self.event in ("pull_request", "merge_group")


@dataclass(frozen=True, slots=True)
class Merged:
    """One pull or merge request whose commits are in a range."""

    number: int
    head: str


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """A record as the forge keeps it, and when that was written (as the forge says it)."""

    record: Record
    at: str


class Forge(Protocol):
    """Raises ForgeError where it cannot be asked, NotAllowed where the token is not enough."""

    name: str

    def context(self) -> Context: ...

    def try_token(self) -> None:
        """Reads the repository, and nothing of it is used."""

    def range(self, first: str | None, last: str) -> Sequence[Merged]:
        """What was merged after `first`, up to `last` and with it, the newest last; of `last` alone
        without `first`. Raises RangeTooLong."""

    def reviews(self, merged: Merged, name: Title) -> KeptRecord | None:
        """The newest record of this name at that request's head, if all was well there."""

    def record(self, name: Title, record: Record | None, *, passed: bool, text: str) -> str | None:
        """Keep it (None: there is none) and `text` for people. Returns the address, if there is one."""

    def comment(self, marker: str, text: str, number: int) -> str | None:
        """Under a request, in place of the one with this marker. Returns its address."""

    def issue(self, marker: str, title: str, text: str | None) -> str | None:
        """One issue for a marker: written anew, or closed without a text. Returns its address."""

    def compare(self, first: str, second: str) -> Related: ...

    def approved_after(self, merged: Merged, at: str) -> bool:
        """Whether somebody of the project approved the request at that head, later than this, and has not
        taken it back."""


@dataclass(frozen=True, slots=True)
class Title:
    """Which environment of which project a record is about, at which commit."""

    environment: str | None
    head: str
    folder: str = ""
    """The project's, from the top of its repository, which may hold more of them; quoted as in a URL."""

    @property
    def name(self) -> str:
        return " / ".join(filter(None, ("defendctl", self.folder, self.environment or "guardrails")))
