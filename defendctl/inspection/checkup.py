"""What a check-up found: each check with one line of advice, and the questions about this very server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from defendctl.exits import Exit, worst_exit

Verdict = Literal["ok", "note", "problem"]


@dataclass(frozen=True, slots=True)
class Check:
    """`advice` says what to do; where all is well there is nothing to do. `code` is 0 but for a problem."""

    topic: str
    verdict: Verdict
    message: str
    advice: str | None = None
    code: int = 0


@dataclass(frozen=True, slots=True)
class Question:
    """`answer` is None where the reads of this run do not settle it; then `why` says why not."""

    id: str
    question: str
    answer: str | None
    why: str


@dataclass(frozen=True, slots=True)
class Served:
    """What this server answers like, in our words but for `names` and `unknown`, which are its own."""

    read: int
    """How many workflows were read."""
    evidence: tuple[str, ...]
    generation: str
    readable: tuple[str, ...]
    unreadable: tuple[str, ...]
    creatable: tuple[str, ...]
    updatable: tuple[str, ...]
    names: tuple[str, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Checkup:
    checks: tuple[Check, ...]
    served: Served | None
    questions: tuple[Question, ...]

    @property
    def code(self) -> int:
        """0 all is well, 1 problems, 3 the key is refused, 6 no state to apply on, 7 an unresolved create."""
        return worst_exit(check.code for check in self.checks if check.verdict == "problem")


def ok(topic: str, message: str) -> Check:
    return Check(topic, "ok", message)


def note(topic: str, message: str, advice: str) -> Check:
    return Check(topic, "note", message, advice)


def wrong(topic: str, message: str, advice: str, code: int = Exit.FAILED) -> Check:
    return Check(topic, "problem", message, advice, code)
