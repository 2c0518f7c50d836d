"""What the team's policy says: offline of the manifests, and of a plan as it is shown and applied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.diagnostics import Blocked, Diagnostic
from defendctl.exits import Exit, worst_exit
from defendctl.policy.waivers import unneeded

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterable, Sequence

    from defendctl.manifest.desired import Desired
    from defendctl.plan.changes import Plan
    from defendctl.policy.findings import Finding, Waiver
    from defendctl.replay.replay import Replay
    from defendctl.review import Review

CODE = "policy"


class Denied(Blocked):
    """The policy says no; each finding says why, and most of them which waiver would let it pass."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("the policy denies this plan, so nothing was sent")
        self.findings = findings


def judge_plan(
    made: Plan, replays: Iterable[Replay], desired: Desired, today: datetime.date, *, whole: bool = False
) -> tuple[tuple[Finding, ...], list[Diagnostic]]:
    """Every finding about the addresses in scope, and a warning of each waiver that nothing needs.

    `replays` are those of the policy's own sample; `whole`: nothing was left out.
    """
    if not (desired.policy.rules or desired.waivers):
        return (), []
    from defendctl.policy.change_rules import judge_changes
    from defendctl.policy.finding import in_order
    from defendctl.policy.manifest_rules import judge_manifests

    scope = {change.address for change in made.changes}
    declared = {address: w for address, w in desired.workflows.items() if address in scope}
    rules, rest = desired.policy.rules, (desired.labels, desired.waivers, desired.places, today)
    found = [*judge_manifests(rules, declared, *rest), *judge_changes(rules, made, replays, *rest)]
    idle = unneeded(desired.waivers, rules, made, found, whole=whole)
    where = f" in {made.environment}" if made.environment else ""
    warnings = [Diagnostic("warning", "unneeded-waiver", _unneeded(w, where), w.span) for w in idle]
    return tuple(in_order(found)), warnings


def _unneeded(waiver: Waiver, where: str) -> str:
    about = f"{waiver.rule} for {waiver.address}, {waiver.field}"
    return f"Nothing{where} needs this waiver any more ({about}): remove it."


def refuse_denied(review: Review) -> None:
    """Raises Denied, with the exit code that wins if something is blocked besides."""
    if review.denied:
        denied = Denied([finding for finding in review.findings if finding.verdict == "denied"])
        denied.exit_code = worst_exit({Exit.BLOCKED, *review.plan.blocked_exits()})
        raise denied
