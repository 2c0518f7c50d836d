"""A check-up for people and for scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from defendctl.render.inert import inert
from defendctl.render.plural import count
from defendctl.render.setting import PLAIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from defendctl.inspection.checkup import Check, Checkup, Question, Served
    from defendctl.render.setting import Setting
    from defendctl.render.text.paint import Paint


_COLOURS: Final = {"ok": "green", "note": "yellow", "problem": "red"}


def doctor(checkup: Checkup, setting: Setting = PLAIN) -> str:
    lines = [line for check in checkup.checks for line in _check(check, setting.paint)]
    lines += ["", *_served(checkup.served)] if checkup.served else []
    settled = [q for q in checkup.questions if q.answer]
    lines += ["", "Open questions that this server answers:"] if settled else []
    lines += [f"  {q.question} {inert(q.answer or '')}" for q in settled]
    lines += ["", "Not settled:", *_unsettled(q for q in checkup.questions if not q.answer)]
    problems = sum(check.verdict == "problem" for check in checkup.checks)
    return "\n".join([*lines, "", count(problems, "problem") + "." if problems else "All is well."]) + "\n"


def _check(check: Check, paint: Paint) -> Iterator[str]:
    yield f"{paint(f'{check.verdict:7}', _COLOURS[check.verdict])}  {check.topic:10}  {inert(check.message)}"
    if check.advice:
        first, *others = map(inert, check.advice.split("\n"))
        yield f"{'':21}→ {first}"
        yield from (f"{'':23}{line}" for line in others)


def _served(served: Served) -> Iterator[str]:
    like = f"like {' and '.join(served.evidence)}" if served.evidence else "like no known generation"
    read = count(served.read, "workflow")
    yield f"The server answers {like} ({read} read); written is {served.generation}."
    for what, names in (
        ("can be read", served.readable),
        ("cannot be read", served.unreadable),
        ("can be created", served.creatable),
        ("can be updated", served.updatable),
        ("names it uses", served.names),
        ("unknown names", served.unknown),
    ):
        yield f"  {what:20}{inert(', '.join(names)) or 'none'}"


def _unsettled(questions: Iterable[Question]) -> list[str]:
    return [f"  {q.question} ({q.why})" for q in questions]
