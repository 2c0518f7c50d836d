"""A rule and what it is asked about, in few words."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from defendctl.diagnostics import Span
from defendctl.policy.change_rules import judge_changes
from defendctl.policy.findings import Waiver
from defendctl.policy.manifest_rules import judge_manifests
from defendctl.policy.rules import Rule, Selector
from defendctl.review import Review
from tests.plan.given import ADDRESS, WORKFLOW

if TYPE_CHECKING:
    from collections.abc import Mapping

    from defendctl.model import Workflow
    from defendctl.plan.changes import Plan
    from defendctl.policy.findings import Finding

TODAY = datetime.date(2026, 3, 1)
PLACES = {(ADDRESS, ""): Span("a.yaml", 3, 3), (ADDRESS, "metrics"): Span("a.yaml", 5, 5)}
PLACES[ADDRESS, "metrics.completeness"] = Span("a.yaml", 6, 7)
AUTOMATIC = replace(WORKFLOW, type="automatic", metrics={"completeness": "low"})


def rule(check: str, limit: Any = True, **more: Any) -> Rule:
    return Rule("the-rule", more.pop("level", "deny"), check, limit, **more)


def selected(**said: Any) -> Selector:
    return Selector(**said)


def waiver(field: str, to: Any, **other: Any) -> Waiver:
    said = {"address": ADDRESS, "rule": "the-rule", "reason": "known", "approver": "Jane", "expires": TODAY}
    return Waiver(field=field, to=to, **{**said, **other})


def of_manifest(
    asked: Rule, workflow: Workflow, *waivers: Waiver, labels: Mapping[str, str] | None = None
) -> list[Finding]:
    return judge_manifests([asked], {ADDRESS: workflow}, {ADDRESS: labels or {}}, waivers, PLACES, TODAY)


def of_plan(
    asked: Rule,
    plan: Plan | Review,
    *waivers: Waiver,
    labels: Mapping[str, Mapping[str, str]] | None = None,
) -> list[Finding]:
    """A review brings the replays of the policy's sample with it."""
    review = plan if isinstance(plan, Review) else Review(plan)
    return judge_changes([asked], review.plan, review.judged, labels or {}, waivers, PLACES, TODAY)


def told(findings: list[Finding]) -> list[tuple[str | None, bool]]:
    """Field, and whether it could be evaluated."""
    return [(finding.field, finding.evaluated) for finding in findings]
