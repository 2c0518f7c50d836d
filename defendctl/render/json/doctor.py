"""What doctor found, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.render.json.dump import FORMAT_VERSION, named
from defendctl.render.setting import PLAIN

if TYPE_CHECKING:
    from defendctl.inspection.checkup import Check, Checkup, Question, Served
    from defendctl.render.json.inspected import (
        CheckDocument,
        DoctorDocument,
        QuestionDocument,
        ServedDocument,
    )
    from defendctl.render.setting import Setting


def doctor(checkup: Checkup, setting: Setting = PLAIN) -> DoctorDocument:
    return {
        "format_version": FORMAT_VERSION,
        "kind": "doctor",
        **named(setting.environment),
        "healthy": checkup.code == 0,
        "checks": [_check(one) for one in checkup.checks],
        "server": _served(checkup.served) if checkup.served else None,
        "questions": [_question(one) for one in checkup.questions],
    }


def _check(one: Check) -> CheckDocument:
    return {
        "topic": one.topic,
        "verdict": one.verdict,
        "message": one.message,
        "advice": one.advice,
        "code": one.code,
    }


def _served(served: Served) -> ServedDocument:
    return {
        "read": served.read,
        "evidence": list(served.evidence),
        "generation": served.generation,
        "readable": list(served.readable),
        "unreadable": list(served.unreadable),
        "creatable": list(served.creatable),
        "updatable": list(served.updatable),
        "names": list(served.names),
        "unknown": list(served.unknown),
    }


def _question(one: Question) -> QuestionDocument:
    return {
        "id": one.id,
        "question": one.question,
        "answer": one.answer,
        "why": one.why,
        "settled": one.answer is not None,
    }
