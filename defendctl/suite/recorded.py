"""A results file beside a plan: does it speak of what is proposed, of what is live, or of neither? Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from defendctl.suite.configuration import configuration_digest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from defendctl.model import Fields
    from defendctl.plan.changes import Change, Plan
    from defendctl.suite.models import Verdict


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a results file holds of one run."""

    host: str
    environment: str | None
    at: str
    candidate: bool
    digests: Mapping[str, str]
    """Address → the digest of the configuration that was tested."""
    verdicts: Mapping[str, Mapping[str, Verdict]]
    """Address → case → verdict."""


def beside(plan: Plan, recorded: Recorded, readable: Collection[str]) -> Tests:
    """`readable`: the fields that this generation of the API reads back."""
    changes = {change.address: change for change in plan.changes}
    elsewhere = _elsewhere(plan, recorded)
    tested = tuple(
        _tested(address, changes.get(address), recorded, readable, elsewhere)
        for address in sorted({*recorded.digests, *recorded.verdicts})
    )
    return Tests(recorded.at, recorded.candidate, tested)


def _elsewhere(plan: Plan, recorded: Recorded) -> str | None:
    if recorded.host != plan.host:
        return f"it was recorded on {recorded.host}"
    if recorded.environment != plan.environment:
        return f"it was recorded in {recorded.environment or 'no environment'}"
    return None


def _tested(
    address: str, change: Change | None, recorded: Recorded, readable: Collection[str], elsewhere: str | None
) -> Tested:
    verdicts = recorded.verdicts.get(address, {})
    digest = recorded.digests.get(address)
    if elsewhere or digest is None:
        return Tested(address, "other", verdicts, elsewhere or "its configuration could not be read then")
    if change is None or change.desired is None:
        return Tested(address, "other", verdicts, "it is not part of this plan")
    seen = change.observed.fields if change.observed else {}
    if digest == configuration_digest(_of(change.desired.fields(), seen or readable)):
        return Tested(address, "proposed", verdicts)
    if seen and digest == configuration_digest(seen):
        return Tested(address, "live", verdicts)
    return Tested(address, "other", verdicts, "it was changed since")


def _of(fields: Fields, names: Collection[str]) -> Fields:
    return {name: value for name, value in fields.items() if name in names}


Of = Literal["proposed", "live", "other"]


@dataclass(frozen=True, slots=True)
class Tested:
    """The cases of one workflow. `why` says how it came that they speak of another configuration."""

    address: str
    of: Of
    verdicts: Mapping[str, Verdict]
    """By case."""
    why: str | None = None

    def counts(self) -> Counter[str]:
        return Counter(self.verdicts.values())

    @property
    def not_passed(self) -> list[str]:
        return sorted(case for case, verdict in self.verdicts.items() if verdict != "passed")


@dataclass(frozen=True, slots=True)
class Tests:
    """The last recorded run. It is shown and decides nothing: it is no part of the digest."""

    at: str
    candidate: bool
    """Whether it was run on the canary."""
    tested: tuple[Tested, ...]

    @property
    def stale(self) -> bool:
        return any(one.of == "other" for one in self.tested)
