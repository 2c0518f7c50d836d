"""What a suite may cost, and what it is likely to. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from defendctl.event import Event
    from defendctl.suite.models import Case

Prices = dict[tuple[str, str], float]
"""(address, run mode) → the most that a recent event of it cost."""


@dataclass(slots=True)
class Budget:
    """The money of one run. What is under way counts with its estimate until its real cost is known."""

    limit: float
    spent: float = 0.0
    reserved: float = 0.0

    def take(self, estimate: float) -> bool:
        """Whether one more event may be submitted; reserves its estimate."""
        if self.spent + self.reserved + estimate > self.limit + 1e-9:
            return False
        self.reserved += estimate
        return True

    def settle(self, estimate: float, cost: float | None) -> None:
        """An event ended, or is followed no more; where its cost is not told its estimate stands for it."""
        self.reserved -= estimate
        self.spent += estimate if cost is None else cost

    def give_back(self, estimate: float) -> None:
        """Nothing was submitted."""
        self.reserved -= estimate


def prices(events: Mapping[str, Iterable[Event]]) -> Prices:
    """Address → its recent events; in-progress ones and those without a cost tell nothing."""
    found: Prices = {}
    for address, recent in events.items():
        for event in recent:
            if event.cost is not None and event.run_mode and event.attempts is not None:
                key = (address, event.run_mode)
                found[key] = max(found.get(key, 0.0), event.cost)
    return found


def estimate(cases: Iterable[Case], known: Prices) -> tuple[dict[str, float], list[str]]:
    """Case → what one event of it costs, and those of which nobody can say. A declared cost goes first."""
    told: dict[str, float] = {}
    unknown = []
    for case in cases:
        cost = case.cost if case.cost is not None else known.get((case.address, case.submission.run_mode))
        if cost is None:
            unknown.append(case.name)
        else:
            told[case.name] = cost
    return told, unknown


def whole(cases: Iterable[Case], each: Mapping[str, float]) -> float:
    """Of all repeats, though a quorum may spare some."""
    return math.fsum(each[case.name] * case.repeats for case in cases)
