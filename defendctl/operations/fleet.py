"""report --fleet: what stands, and what the next apply does to it, of every workflow. Only reads."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Final

from defendctl.diagnostics import ApiError
from defendctl.event import scored
from defendctl.operations.beside import read_beside
from defendctl.operations.labels import labels_of
from defendctl.operations.plan import make_plan
from defendctl.operations.selection import Selection
from defendctl.operations.tested import read_tests
from defendctl.plan.direction import NONE, WORST_FIRST
from defendctl.plan.drift import build_drift
from defendctl.policy.findings import VERDICTS
from defendctl.render.json.dump import FORMAT_VERSION, named
from defendctl.render.json.plan import together_document
from defendctl.render.page.saved import Saved
from defendctl.replay.labels import count_labels
from defendctl.replay.proposals import GONE, NO_LIST, standing
from defendctl.replay.replay import replay
from defendctl.replay.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from defendctl.api.detail import Recent
    from defendctl.manifest.desired import Desired
    from defendctl.operations.progress import Progress
    from defendctl.operations.workspace import Workspace
    from defendctl.plan.changes import Change
    from defendctl.plan.drift import Drifted
    from defendctl.policy.rules import Rule
    from defendctl.render.page.saved import (
        CoverDocument,
        EvidenceDocument,
        FleetDocument,
        LabelCountDocument,
        LastTestDocument,
        MemberDocument,
    )
    from defendctl.replay.labels import LabelCount
    from defendctl.replay.replay import Proposal, Replay
    from defendctl.review import Review
    from defendctl.suite.recorded import Tests

_OF_THE_PLAN: Final = ("max_creates", "max_changes")
"""Rules that speak of no workflow."""
_NOT_ASKED: Final = "no thresholds to ask about"


def fleet(workspace: Workspace, last: int, tests: Path | None, parallelism: int, progress: Progress) -> Saved:
    """Raises DefendctlError; sends nothing but GET."""
    desired = workspace.desired(None, for_changes=True)
    beside = read_beside(workspace)
    state = beside.snapshot.state
    workspace.check_host(state)
    chosen = Selection(parallelism=parallelism, last_events=last)
    review, _ = make_plan(workspace, desired, state, chosen, progress, under_way=beside.under_way)
    if tests:
        review = replace(review, tests=read_tests(tests, review.plan))
    rates: dict[str, Replay | str] = {one.address: one for one in review.replays}
    rates |= _standing(workspace, review, last, parallelism, progress)
    blocks = labels_of(workspace, desired).blocks if workspace.project.labels else ()
    evidence = {
        change.address: _evidence(
            rates.get(change.address, _NOT_ASKED),
            count_labels(blocks, change.address),
            workspace.settings.today,
        )
        for change in review.plan.changes
    }
    return Saved((_document(review, desired, rates, evidence),))


def _standing(
    workspace: Workspace, review: Review, last: int, parallelism: int, progress: Progress
) -> Mapping[str, Replay | str]:
    """Of the workflows whose thresholds do not move: their rate today, or why it is not known."""
    asked = {change.address: standing(change) for change in review.plan.changes}
    asks = {address: ask for address, ask in asked.items() if ask is not None}
    ids = {address: ask.workflow_id for address, ask in asks.items() if not isinstance(ask, str)}
    if not ids:
        return {address: ask for address, ask in asks.items() if isinstance(ask, str)}
    from defendctl.engine.refresh import read_events

    with workspace.api() as api:
        progress.start("Reading events", len(ids))
        found = read_events(api, ids, last, parallelism, progress.step)
    return {
        address: ask if isinstance(ask, str) else _rate(ask, found[address], last)
        for address, ask in asks.items()
    }


def _rate(ask: Proposal, found: Recent | ApiError | None, last: int) -> Replay | str:
    if isinstance(found, ApiError):
        return found.message
    if found is None or found.events is None:
        return NO_LIST if found else GONE
    return replay(ask, [scored(event) for event in found.events], found.asked, Sample(last))


def _document(
    review: Review,
    desired: Desired,
    rates: Mapping[str, Replay | str],
    evidence: Mapping[str, EvidenceDocument],
) -> FleetDocument:
    drifted = {one.address: one for one in _drifted(review)}
    rules = [rule for rule in desired.policy.rules if rule.check not in _OF_THE_PLAN]
    members = [
        _member(
            change,
            drifted.get(change.address),
            _cover(change.address, review, rules, desired),
            rates.get(change.address, _NOT_ASKED),
            evidence[change.address],
            _test(change.address, review.tests),
        )
        for change in review.plan.changes
    ]
    return {
        "format_version": FORMAT_VERSION,
        "kind": "fleet",
        **named(review.plan.environment),
        "host": review.plan.host,
        "workflows": sorted(members, key=_badness),
    }


def _badness(one: MemberDocument) -> tuple[bool, int, str]:
    """What is gone protects nobody; then the worst of what was done and of what is about to be."""
    ways = [WORST_FIRST.index(way) for way in (one["direction"], one["drift"]) if way]
    return not one["missing"], min(ways, default=len(WORST_FIRST)), one["address"]


def _drifted(review: Review) -> list[Drifted]:
    """Of what was read: a retired workflow is not, and one to be adopted was not bound."""
    bound = {c.address: c for c in review.plan.changes if c.binding and c.action not in ("retire", "adopt")}
    return build_drift(
        {address: change.desired for address, change in bound.items() if change.desired},
        {address: change.observed for address, change in bound.items()},
        {address: change.binding for address, change in bound.items() if change.binding},
    )


def _member(
    change: Change,
    drifted: Drifted | None,
    cover: CoverDocument,
    rate: Replay | str,
    evidence: EvidenceDocument,
    test: LastTestDocument | None,
) -> MemberDocument:
    known = None if isinstance(rate, str) else rate
    return {
        "address": change.address,
        "workflow_id": change.workflow_id,
        "action": change.action,
        "direction": change.direction if change.direction != NONE else None,
        "drift": drifted.direction if drifted and not drifted.missing else None,
        "missing": bool(drifted and drifted.missing),
        "policy": cover,
        "before": together_document(known.before) if known else None,
        "after": together_document(known.after) if known else None,
        "evidence": evidence,
        "test": test,
    }


def _evidence(rate: Replay | str, labels: LabelCount | None, today: date) -> EvidenceDocument:
    known = None if isinstance(rate, str) else rate
    window = known.window if known else None
    return {
        "why_not": known.why_not if known else str(rate),
        "events": known.events if known else 0,
        "window": list(window) if window else None,
        "age_days": _age(window[1], today) if window else None,
        "labels": _labels(labels, today) if labels else None,
    }


def _labels(told: LabelCount, today: date) -> LabelCountDocument:
    return {
        "should_be_flagged": told.should_be_flagged,
        "should_pass": told.should_pass,
        "unsure": told.unsure,
        "until": told.until,
        "age_days": _age(told.until, today) if told.until else None,
    }


def _age(moment: str, today: date) -> int:
    """Of a day or a time (ISO 8601), in whole days; of a clock that runs ahead of ours, 0."""
    return max(0, (today - datetime.fromisoformat(moment).date()).days)


def _cover(address: str, review: Review, rules: Sequence[Rule], desired: Desired) -> CoverDocument:
    labels = desired.labels.get(address, {})
    broken = {
        verdict: sorted({f.rule for f in review.findings if f.address == address and f.verdict == verdict})
        for verdict in VERDICTS
    }
    return {
        "rules": sum(rule.select.holds(address, labels) is True for rule in rules),
        "denied": broken["denied"],
        "warned": broken["warned"],
        "waived": broken["waived"],
    }


def _test(address: str, tests: Tests | None) -> LastTestDocument | None:
    for one in tests.tested if tests else ():
        if tests and one.address == address:
            passed = one.counts()["passed"]
            return {"at": tests.at, "of": one.of, "passed": passed, "cases": len(one.verdicts)}
    return None
