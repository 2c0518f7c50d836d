"""Rules as values. `manifest/` makes them from the project file and the files that it names."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from defendctl.evidence.bounds import least_events, most_hits
from defendctl.policy.selector import Term
from defendctl.replay.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Mapping

    from defendctl.diagnostics import Span
    from defendctl.policy.findings import Level

MANIFEST_CHECKS: Final = (
    "min_threshold",
    "require_metrics",
    "allow_types",
    "allow_tolerances",
    "allow_improvement_actions",
    "min_retries",
    "max_retries",
    "capabilities",
)
CHANGE_CHECKS: Final = (
    "no_loosening",
    "no_indeterminate",
    "max_threshold_step",
    "no_retire",
    "max_creates",
    "max_changes",
    "max_flag_rate",
)
CHECKS: Final = (*MANIFEST_CHECKS, *CHANGE_CHECKS)

FLAG_RATE_CHECK: Final = "max_flag_rate"
RETIRE: Final = "retire"
FLAG_RATE: Final = "flag_rate"
"""What a waiver says in `field` where no field of a workflow is meant."""


@dataclass(frozen=True, slots=True)
class Selector:
    """Which addresses a rule is about: all that it says must hold, and without a word it is all of them."""

    addresses: tuple[str, ...] = ()
    """Globs; one of them must match."""
    labels: Mapping[str, str] = field(default_factory=dict)

    def holds(self, address: str, labels: Mapping[str, str] | None) -> bool | None:
        """None where it cannot be told, for the labels went with the manifest."""
        if self.addresses and not any(fnmatchcase(address, glob) for glob in self.addresses):
            return False
        if labels is None:
            return None if self.labels else True
        return all(Term(name, value).holds(labels) for name, value in self.labels.items())


@dataclass(frozen=True, slots=True)
class FlagRate:
    """The exact form of `max_flag_rate`: the rate of all events like those that were read is at most `rate`,
    which is false with a probability of 1 - confidence at most, at one look."""

    rate: float
    confidence: float

    @property
    def needs(self) -> int:
        """The fewest events that prove it, if none of them is flagged."""
        return least_events(self.rate, 1 - self.confidence)

    def allows(self, events: int) -> int | None:
        """How many of them may be flagged, or may be for all that is known; None: there are too few."""
        return most_hits(events, self.rate, 1 - self.confidence)


@dataclass(frozen=True, slots=True)
class Rule:
    """One check with its limit: `min_threshold` and `{metric: number}`, `no_retire` and True,
    `max_flag_rate` and a number or a FlagRate."""

    id: str
    level: Level
    check: str
    limit: Any
    message: str = ""
    select: Selector = field(default_factory=Selector)
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """Every rule, in the order of the files, and the sample of recent events that they are judged on."""

    rules: tuple[Rule, ...] = ()
    sample: Sample = field(default_factory=Sample)
