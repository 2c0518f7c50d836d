"""What a suite says, and what became of it. Results hold names, ids, scores, flags, costs; never content."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from defendctl.exits import Exit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from defendctl.diagnostics import Span
    from defendctl.event import Improvement, Score, Submission

Expected = Literal["flagged", "passes"]
Verdict = Literal["passed", "failed", "flaky", "not_judged"]
Held = Literal["as_expected", "otherwise", "not_judged"]

VERDICTS: tuple[Verdict, ...] = ("failed", "flaky", "not_judged", "passed")
"""The worst first."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """All that it says must hold. It speaks of the submitted output, but for `improvement`."""

    result: Expected | None = None
    """All metrics together: flagged if at least one fails."""
    metrics: Mapping[str, Expected] = field(default_factory=dict)
    scores: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Metric → least and most, both of which hold."""
    improvement: Improvement | None = None

    @property
    def sides(self) -> set[Expected]:
        """What it wants to see: something caught, something let through."""
        told = {self.result, *self.metrics.values()}
        return {side for side in told if side is not None}


@dataclass(frozen=True, slots=True)
class Case:
    """One test. `quorum` of its `repeats` must agree for a verdict, for the judge is not deterministic."""

    name: str
    address: str
    submission: Submission
    expect: Expectation
    repeats: int = 1
    quorum: int = 1
    tags: tuple[str, ...] = ()
    cost: float | None = None
    """What one event of it costs at most, as its file declares."""
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Repeat:
    """One repeat of a case."""

    held: Held
    why: tuple[str, ...] = ()
    """What was not as expected, or why nobody knows."""
    submitted: Literal["yes", "no", "unknown"] = "yes"
    """`unknown`: it may be evaluated and paid for, and is not sent again."""
    event_id: str | None = None
    ended: bool = True
    flagged: bool | None = None
    scores: Mapping[str, Score] = field(default_factory=dict)
    """Of the submitted output."""
    improvement: Improvement | None = None
    cost: float | None = None
    seconds: float = 0.0
    exit_code: int = 0
    """3 where the API refused the key."""


@dataclass(frozen=True, slots=True)
class CaseResult:
    case: Case
    verdict: Verdict
    runs: tuple[Repeat, ...] = ()
    why: str | None = None
    """Why it was not judged to the end, beside what its runs say."""

    @property
    def as_expected(self) -> int:
        return sum(run.held == "as_expected" for run in self.runs)

    @property
    def cost(self) -> float | None:
        """None where none of its events told one."""
        return total(run.cost for run in self.runs)


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a workflow was when its cases were run."""

    address: str
    workflow_id: str
    digest: str


@dataclass(frozen=True, slots=True)
class Suite:
    """A run of a suite: where, against what, within which budget, and what came of it."""

    host: str
    generation: str
    environment: str | None
    configurations: tuple[Configuration, ...]
    results: tuple[CaseResult, ...]
    seconds: float = 0.0
    estimate: float | None = None
    max_cost: float | None = None
    stopped: Literal["budget", "interrupted", "key"] | None = None
    candidate: bool = False
    """Whether the canary was tested, with what the manifests declare."""
    at: str = ""
    """When it began, ISO 8601 in UTC."""

    @property
    def cost(self) -> float | None:
        return total(result.cost for result in self.results)

    @property
    def pending(self) -> list[tuple[CaseResult, Repeat]]:
        """What was submitted, or may have been, and was not seen to its end: it is being paid for."""
        return [
            (result, run)
            for result in self.results
            for run in result.runs
            if run.submitted == "unknown" or (run.event_id and not run.ended)
        ]

    def count(self, verdict: Verdict) -> int:
        return sum(result.verdict == verdict for result in self.results)

    def exit_codes(self) -> set[int]:
        """2 for what failed or is flaky, 1 for what was not judged, 5 for the budget, 3 for the key."""
        found = {"failed": Exit.FOUND, "flaky": Exit.FOUND, "not_judged": Exit.FAILED}
        codes = {found[result.verdict] for result in self.results if result.verdict in found}
        stopped = {"budget": Exit.BLOCKED, "interrupted": Exit.INTERRUPTED, "key": Exit.KEY_REFUSED}
        return codes | ({stopped[self.stopped]} if self.stopped else set())


def total(costs: Iterable[float | None]) -> float | None:
    told = [cost for cost in costs if cost is not None]
    return math.fsum(told) if told else None
