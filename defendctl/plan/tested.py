"""What recorded tests say beside a plan, and which configuration it is that they speak of. Values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Of = Literal["proposed", "live", "other"]


@dataclass(frozen=True, slots=True)
class Tested:
    """The cases of one workflow. `why` says how it came that they speak of another configuration."""

    address: str
    of: Of
    verdicts: Mapping[str, str]
    """Case → passed, failed, flaky or not_judged."""
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
