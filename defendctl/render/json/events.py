"""Events as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.render.json.dump import FORMAT_VERSION, named
from defendctl.render.setting import PLAIN

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from defendctl.event import Evaluation, Event, Listed, Score, SentEvent, ShownEvent
    from defendctl.render.json.submitted import (
        ContentPart,
        EvaluationDocument,
        EventBody,
        EventDocument,
        EventsDocument,
        ReadPart,
        ScoreDocument,
        SubmissionDocument,
    )
    from defendctl.render.setting import Setting


def events(found: Listed, setting: Setting = PLAIN) -> EventsDocument:
    return {
        "format_version": FORMAT_VERSION,
        "kind": "events",
        **named(setting.environment),
        "address": found.address,
        "workflow_id": found.workflow_id,
        "wanted": found.wanted,
        "asked": found.asked,
        **_read(found),
        "events": [_event(one) for one in found.events],
    }


def event(found: ShownEvent, setting: Setting = PLAIN) -> EventDocument:
    return {
        "format_version": FORMAT_VERSION,
        "kind": "event",
        **named(setting.environment),
        "address": found.address,
        "workflow_id": found.workflow_id,
        **_event(found.event),
    }


def sent(done: SentEvent, setting: Setting = PLAIN) -> SubmissionDocument:
    return {
        "format_version": FORMAT_VERSION,
        "kind": "submission",
        **named(setting.environment),
        "address": done.address,
        "workflow_id": done.workflow_id,
        "outcome": done.outcome,
        "event_id": done.event_id,
        "why": done.why,
    }


def _read(found: Listed) -> ReadPart:
    return {} if found.read is None else {"read": found.read}


def _event(one: Event) -> EventBody:
    return {
        "event_id": one.event_id,
        "status": one.status,
        "filtered": one.filtered,
        "flagged": one.flagged,
        "improvement": one.improvement,
        "attempts": one.attempts,
        "cost": one.cost,
        "at": one.at,
        "run_mode": one.run_mode,
        "billing_request_id": one.billing_id,
        "settings": dict(one.settings),
        "evaluations": [_evaluation(*item) for item in enumerate(one.evaluations)],
        **_content(one.content),
    }


def _evaluation(number: int, one: Evaluation) -> EvaluationDocument:
    return {
        "attempt": number,
        "flagged": one.flagged,
        "cost": one.cost,
        "at": one.at,
        "broken": one.broken,
        "scores": [_score(*item) for item in one.scores.items()],
        **_content(one.content),
    }


def _content(said: Mapping[str, Any] | None) -> ContentPart:
    return {} if said is None else {"content": said}


def _score(metric: str, one: Score) -> ScoreDocument:
    return {
        "metric": metric,
        "score": one.score,
        "threshold": one.threshold,
        "flagged": one.flagged,
        "carried": one.carried,
    }
