"""A plan with everything that is shown beside it. The digest covers the plan alone; apply asks again for the
rest, and the policy's denials keep it from doing anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from defendctl.diagnostics import errors
from defendctl.exits import Exit
from defendctl.plan.fingerprints import fingerprints

if TYPE_CHECKING:
    from collections.abc import Mapping

    from defendctl.diagnostics import Diagnostic, Span
    from defendctl.plan.changes import Plan
    from defendctl.plan.fingerprints import Fingerprint
    from defendctl.policy.findings import Finding
    from defendctl.replay.replay import Replay
    from defendctl.suite.recorded import Tests


LEFT_ID: Final = "left-id"
"""The code of a diagnostic: a workflow is live that nobody binds."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """Two looks at one reading, and what the events say against the settings of their workflows."""

    shown: tuple[Replay, ...] = ()
    judged: tuple[Replay, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class Review:
    plan: Plan
    diagnostics: tuple[Diagnostic, ...] = ()
    findings: tuple[Finding, ...] = ()
    """What the team's policy says."""
    replays: tuple[Replay, ...] = ()
    """What is shown of recent events."""
    judged: tuple[Replay, ...] = ()
    """What rules of the policy are judged on: its own sample of recent events."""
    tests: Tests | None = None
    """The last recorded run."""
    places: Mapping[tuple[str, str], Span] = field(default_factory=dict)
    """Where the manifest says it: (address, "") → its key, (address, path) → the field's line."""

    @property
    def denied(self) -> bool:
        return any(finding.verdict == "denied" for finding in self.findings)

    @property
    def has_left_ids(self) -> bool:
        return any(diagnostic.code == LEFT_ID for diagnostic in self.diagnostics)

    def exit_codes(self) -> set[int]:
        """Of a plan that is only shown."""
        found: set[int] = {Exit.BLOCKED} if self.denied else set()
        found |= {Exit.UNKNOWN} if self.has_left_ids else set()
        found |= {Exit.FAILED} if errors(self.diagnostics) else set()
        return found | (self.plan.blocked_exits() - {Exit.BLOCKED})

    @property
    def fingerprints(self) -> list[Fingerprint]:
        """What may be reviewed of it: all that apply would do, but what the policy denies."""
        denied = {(one.address, one.field) for one in self.findings if one.verdict == "denied"}
        return fingerprints(self.plan, denied)
