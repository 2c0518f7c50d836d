"""What came of each address."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from defendctl.exits import Exit

if TYPE_CHECKING:
    from defendctl.plan.changes import Move

Outcome = Literal["done", "failed", "unknown", "not_attempted"]
OUTCOMES: tuple[Outcome, ...] = ("done", "failed", "unknown", "not_attempted")


@dataclass(frozen=True, slots=True)
class Result:
    address: str
    action: str
    outcome: Outcome
    workflow_id: str | None = None
    error: str | None = None
    exit_code: int = Exit.FAILED
    """What a failure of this kind exits with; of no meaning where nothing failed."""
    warning: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """A workflow that exists, and that could not be recorded."""

    address: str
    workflow_id: str
    op: str


@dataclass(slots=True)
class ApplyResult:
    results: list[Result] = field(default_factory=list)
    exits: set[int] = field(default_factory=set)
    """Exit codes that hold for other reasons: blocked addresses, an interruption."""
    receipts: list[Receipt] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    """Renames that are durable now."""

    def summary(self) -> dict[str, int]:
        return {outcome: sum(r.outcome == outcome for r in self.results) for outcome in OUTCOMES}

    def exit_codes(self) -> set[int]:
        count = self.summary()
        codes = set(self.exits)
        if count["unknown"] or self.receipts:
            codes.add(Exit.UNKNOWN)
        if count["failed"]:
            codes |= (
                {Exit.PARTLY}
                if count["done"]
                else {r.exit_code for r in self.results if r.outcome == "failed"}
            )
        return codes
