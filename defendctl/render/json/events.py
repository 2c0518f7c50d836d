"""Events as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from defendctl.render.json.results import document
from defendctl.render.setting import PLAIN

if TYPE_CHECKING:
    from defendctl.event import Evaluation, Event, Listed, Score, SentEvent, ShownEvent
    from defendctl.render.setting import Setting


def events(found: Listed, setting: Setting = PLAIN) -> str:
    told = [event_data(one) for one in found.events]
    whose = {"address": found.address, "workflow_id": found.workflow_id}
    return document(
        "events", setting.environment, **whose, wanted=found.wanted, asked=found.asked, events=told
    )


def event(found: ShownEvent, setting: Setting = PLAIN) -> str:
    whose = {"address": found.address, "workflow_id": found.workflow_id}
    return document("event", setting.environment, **whose, **event_data(found.event))


def sent(done: SentEvent, setting: Setting = PLAIN) -> str:
    names = ("address", "workflow_id", "outcome", "event_id", "why")
    return document("submission", setting.environment, **{name: getattr(done, name) for name in names})


def event_data(one: Event) -> dict[str, Any]:
    names = ("event_id", "status", "filtered", "flagged", "improvement", "attempts", "cost", "at", "run_mode")
    return {
        **{name: getattr(one, name) for name in names},
        "settings": dict(one.settings),
        "evaluations": [_evaluation_data(*item) for item in enumerate(one.evaluations)],
        **({"content": one.content} if one.content is not None else {}),
    }


def _evaluation_data(number: int, one: Evaluation) -> dict[str, Any]:
    return {
        "attempt": number,
        **{name: getattr(one, name) for name in ("flagged", "cost", "at", "broken")},
        "scores": [_score_data(*item) for item in one.scores.items()],
        **({"content": one.content} if one.content is not None else {}),
    }


def _score_data(metric: str, one: Score) -> dict[str, Any]:
    names = ("score", "threshold", "flagged", "carried")
    return {"metric": metric, **{name: getattr(one, name) for name in names}}
