"""A plan, and what is shown beside it, as JSON: the document that `apply PLAN` reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from defendctl.evidence.bounds import dkw
from defendctl.plan.changes import Block
from defendctl.plan.digest import digest, field_document
from defendctl.render.json.dump import named, place
from defendctl.render.json.recorded import tests_document
from defendctl.render.json.results import diagnostic_document, moves_document
from defendctl.render.setting import PLAIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from defendctl.plan.changes import Change, Plan
    from defendctl.plan.fingerprints import Fingerprint
    from defendctl.plan.shapes import ChangeDocument
    from defendctl.policy.findings import Finding, Waiver
    from defendctl.render.json.contract import (
        DistributionDocument,
        FileDocument,
        FindingDocument,
        FingerprintDocument,
        HitsDocument,
        LabelledDocument,
        MetricReplayDocument,
        PlanDocument,
        RangeDocument,
        ReplayDocument,
        TogetherDocument,
        WaiverDocument,
    )
    from defendctl.render.json.documents import BegunPart, BesidePart
    from defendctl.render.setting import Setting
    from defendctl.replay.distribution import Distribution
    from defendctl.replay.labels import Hits, Labelled
    from defendctl.replay.replay import MetricReplay, Range, Replay, Together
    from defendctl.review import Review

PLAN_VERSION: Final = "1.1"
"""1.1: replays tell the distribution of scores."""


def plan(value: Review, setting: Setting = PLAIN) -> PlanDocument:
    made = value.plan
    return {
        "format_version": PLAN_VERSION,
        "kind": "plan",
        **named(made.environment),
        "digest": digest(made) if made.refreshed else None,
        "lineage": made.lineage,
        "serial": made.serial,
        **_begun(made),
        "generation": made.generation,
        "options": made.options.data(),
        "summary": made.summary(),
        "changes": [_change(change) for change in made.listed],
        **moves_document(made.moves),
        "fingerprints": [_fingerprint(one) for one in value.fingerprints],
        "diagnostics": [diagnostic_document(one) for one in value.diagnostics],
        **_beside(value),
        "policy": [_finding(finding) for finding in value.findings],
    }


def _change(change: Change) -> ChangeDocument:
    return {
        "address": change.address,
        "workflow_id": change.workflow_id,
        "action": change.action,
        "reason": change.reason.text if isinstance(change, Block) else None,
        "direction": change.direction,
        "fields": [field_document(field) for field in change.fields],
    }


def _fingerprint(one: Fingerprint) -> FingerprintDocument:
    told = {"address": one.address, "action": one.action, "field": one.field, "fingerprint": one.value}
    return cast("FingerprintDocument", told)  # what is not done has no fingerprint


def _begun(made: Plan) -> BegunPart:
    return {"state": "none"} if made.is_first else {}


def _beside(value: Review) -> BesidePart:
    shown: BesidePart = {}
    if files := _files(value.plan.listed):
        shown["files"] = files
    if value.replays:
        shown["replay"] = [_replay(one) for one in value.replays]
    if value.judged and value.judged != value.replays:
        shown["policy_replay"] = [_replay(one) for one in value.judged]
    if value.tests:
        shown["tests"] = tests_document(value.tests)
    return shown


def _replay(one: Replay) -> ReplayDocument:
    return {
        "address": one.address,
        "workflow_id": one.workflow_id,
        "why_not": one.why_not,
        "wanted": one.wanted,
        "asked": one.asked,
        "events": one.events,
        "not_evaluated": one.not_evaluated,
        "needed": one.needed,
        "enough": one.enough,
        "window": list(one.window) if one.window else None,
        "run_modes": dict(one.run_modes),
        "metrics": [metric_document(metric) for metric in one.metrics],
        "before": together_document(one.before, one.labelled_before),
        "after": together_document(one.after, one.labelled_after),
        "newly_flagged": list(one.newly_flagged),
        "no_longer_flagged": list(one.no_longer_flagged),
        "evaluations_before": _range(one.evaluations_before),
        "evaluations_after": _range(one.evaluations_after),
        "cost_before": _range(one.cost_before),
        "cost_after": _range(one.cost_after),
    }


def metric_document(one: MetricReplay) -> MetricReplayDocument:
    return {
        "metric": one.metric,
        "before": one.before,
        "after": one.after,
        "scored": one.scored,
        "unscored": one.unscored,
        "fails_before": one.fails_before,
        "fails_after": one.fails_after,
        "ties": one.ties,
        "distribution": _distribution(one.distribution),
    }


def _distribution(told: Distribution) -> DistributionDocument:
    shown: DistributionDocument = {
        "scores": list(told.scores),
        "counts": list(told.counts),
        "verdicts": {"true": told.passing, "false": told.failing},
    }
    if told.bin_width is not None:
        shown["bin_width"] = told.bin_width
    if told.total:
        shown["dkw"] = round(dkw(told.total), 6)
    return shown


def together_document(side: Together | None, labels: Sequence[Labelled] = ()) -> TogetherDocument | None:
    if side is None:
        return None
    told: TogetherDocument = {
        "known": side.known,
        "unknown": side.unknown,
        "fails": side.fails,
        "flag_rate": side.rate,
        "flag_rate_range": _range(side.bounds),
        "interval": list(side.interval),
        "bounds": _range(side.bounds),
    }
    if labels:
        told["labelled"] = [_labelled(one) for one in labels]
    return told


def _labelled(one: Labelled) -> LabelledDocument:
    return {
        "drawn": one.drawn,
        "metric": one.metric,
        "caught": _hits(one.caught),
        "false_alarms": _hits(one.false_alarms),
        "right": _hits(one.right),
        "unknown": one.unknown,
        "unsure": one.unsure,
        "missing": one.missing,
        "unread": one.unread,
    }


def _hits(one: Hits) -> HitsDocument:
    return {"hits": one.hits, "of": one.of, "interval": _range(one.interval)}


def _range(told: Range | None) -> RangeDocument | None:
    return list(told) if told else None


def _files(changes: Iterable[Change]) -> list[FileDocument]:
    """Each file once that a `file_search` means, by its id or by what it holds."""
    found = {name: file for change in changes for name, file in change.files.items()}
    return [
        {
            "path": file.path,
            "content": file.content,
            "size": file.size,
            "file_id": None if name == file.content else name,
        }
        for name, file in sorted(found.items(), key=lambda item: (item[1].path, item[0]))
    ]


def _finding(found: Finding) -> FindingDocument:
    return {
        "rule": found.rule,
        "verdict": found.verdict,
        "message": found.message,
        "detail": found.detail,
        "address": found.address,
        "field": found.field,
        "evaluated": found.evaluated,
        **place(found.span),
        "waiver": _waiver(found.waiver) if found.waiver else None,
        "remedy": found.remedy,
    }


def _waiver(given: Waiver) -> WaiverDocument:
    return {
        "to": given.to,
        "reason": given.reason,
        "approver": given.approver,
        "expires": given.expires.isoformat(),
        **place(given.span),
    }
