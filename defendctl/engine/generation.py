"""Which generation of the API governs what is written. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.diagnostics import Diagnostic
from defendctl.model import GENERATIONS, NEWEST

if TYPE_CHECKING:
    from collections.abc import Iterable

    from defendctl.model import Observed


def evidence(answers: Iterable[Observed | None]) -> set[str]:
    """The generations that the answers point to."""
    return {answer.evidence for answer in answers if answer and answer.evidence}


def generation(pinned: str, seen: set[str], recorded: str | None) -> str:
    """The generation that governs what is written (docs/api.md 2)."""
    if pinned != "auto":
        return pinned
    return max(seen, key=GENERATIONS.index) if seen else recorded or NEWEST


def disagreement(pinned: str, seen: set[str]) -> list[Diagnostic]:
    """A warning where `auto` saw more than one generation answer."""
    if pinned != "auto" or len(seen) < 2:
        return []
    message = (
        f"answers of several generations of the API were read ({', '.join(sorted(seen))}); the newest "
        "is taken. Pin `api.generation` in defendctl.yaml if that is wrong"
    )
    return [Diagnostic("warning", "generations-differ", message)]
