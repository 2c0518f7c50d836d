"""Events for people and as JSON. Scores and flags; what events say only where they were read with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from defendctl.render.inert import inert, value
from defendctl.render.plural import count
from defendctl.render.setting import PLAIN
from defendctl.render.words import named, path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from defendctl.event import Evaluation, Event, Listed, Score, SentEvent, ShownEvent
    from defendctl.render.setting import Setting
    from defendctl.render.text.paint import Paint


_CELLS: Final = 20
_STATUSES: Final = {
    "completed": "completed",
    "failed": "an evaluation broke off",
    "in_progress": "in progress",
    "unknown": "in a status that is not known",
}
_IMPROVEMENTS: Final = {
    "improved": "improved",
    "failed": "improvement failed",
    "not_required": "no improvement required",
    "required": "improvement required",
}


def events(found: Listed, setting: Setting = PLAIN) -> str:
    of = f"{named(setting.environment)}{inert(found.address)} ({inert(found.workflow_id)})"
    if found.read is not None and not found.events:
        return f"{of} has no such event among its last {found.read}.\n"
    if not found.events:
        return f"{of} has no events.\n"
    fewer = f" ({found.wanted} were wanted, the API gives {found.asked} at once)"
    said = fewer if found.asked < found.wanted else ""
    among = "" if found.read is None else f" of the last {found.read}"
    lines = [f"{of}  {count(len(found.events), 'event')}{among}{said}"]
    for one in found.events:
        lines.append(f"  {inert(one.event_id)}  {_summary(one, setting.paint)}")
        lines += [f"      {key}: {value(said)}" for key, said in _said(one)]
    return "\n".join(lines) + "\n"


def event(found: ShownEvent, setting: Setting = PLAIN) -> str:
    one = found.event
    of = f"{inert(found.address)} ({inert(found.workflow_id)})"
    lines = [f"{named(setting.environment)}{inert(one.event_id)} of {of}"]
    lines.append(f"  {_summary(one, setting.paint)}")
    for number, evaluation in enumerate(one.evaluations):
        lines.append(f"  {_heading(number, evaluation)}")
        lines += [f"      {row}" for row in _rows(evaluation.scores, setting.paint)]
        lines += [f"      {key}: {value(said)}" for key, said in (evaluation.content or {}).items()]
    lines += [f"  {key}: {value(said)}" for key, said in (one.content or {}).items()]
    return "\n".join(lines) + "\n"


def bar(score: Score) -> str:
    """`[########....|.......]`: how far the score reaches, and where the threshold stands."""
    told = score.score
    reach = 0 if told is None else round(_CELLS * min(1.0, max(0.0, float(told))))
    cells = ["#"] * reach + ["."] * (_CELLS - reach)
    if score.threshold is not None:
        cells[min(_CELLS - 1, max(0, round(_CELLS * min(1.0, max(0.0, score.threshold)))))] = "|"
    return f"[{''.join(cells)}]"


def verdict(flagged: bool | None) -> str:
    return "not known" if flagged is None else "flagged" if flagged else "passes"


def money(cost: float | None) -> str:
    return "cost unknown" if cost is None else f"cost {cost:.6g}"


def sent(done: SentEvent, setting: Setting = PLAIN) -> str:
    return f"{inert(done.event_id or '')}\n" if done.event_id else ""


def _summary(one: Event, paint: Paint) -> str:
    said = [_STATUSES[one.status]]
    if one.ended:
        colour = {True: "red", False: "green", None: "yellow"}[one.flagged]
        failing = ", ".join(map(path, _failing(one)))
        said.append(
            paint(verdict(one.flagged), colour) + (f" by {failing}" if failing and one.flagged else "")
        )
        said += [_IMPROVEMENTS[one.improvement]] if one.improvement else []
        if one.filtered is not None:
            said.append("filtered" if one.filtered else "not filtered")
        said += [count(one.attempts, "improvement attempt")] if one.attempts is not None else []
        said.append(money(one.cost))
    said += [f"run mode {inert(one.run_mode)}"] if one.run_mode else []
    return ", ".join(said) + (f"  {inert(one.at)}" if one.at else "")


def _failing(one: Event) -> list[str]:
    first = one.evaluations[0].scores if one.evaluations else {}
    return [metric for metric, score in first.items() if score.flagged]


def _heading(number: int, one: Evaluation) -> str:
    name = f"improvement attempt {number}" if number else "initial evaluation"
    ending = ", broke off" if one.broken else ", not ended" if one.running else ""
    return f"{name}: {verdict(one.flagged)}{ending}, {money(one.cost)}"


def _rows(scores: Mapping[str, Score], paint: Paint) -> Iterator[str]:
    width = max((len(path(metric)) for metric in scores), default=0)
    for metric, score in scores.items():
        yield f"{path(metric):<{min(width, 40)}}  {bar(score)}  {_verdict(score, paint)}"


def _verdict(score: Score, paint: Paint) -> str:
    """`0.4  below 0.8`; a verdict of the judge has no threshold."""
    carried = ", carried over" if score.carried else ""
    if score.score is None:
        return f"not scored{carried}"
    if isinstance(score.score, bool):
        word = paint("passes", "green") if score.score else paint("fails", "red")
        return f"{word} by verdict{carried}"
    shown = f"{score.score:<5.4g}"
    if score.threshold is None:
        return f"{shown} threshold unknown{carried}"
    word = paint("below", "red") if score.flagged else paint("passes", "green")
    return f"{shown} {word} {score.threshold:.4g}{carried}"


def _said(one: Event) -> Iterator[tuple[str, Any]]:
    for number, evaluation in enumerate(one.evaluations):
        for key, said in (evaluation.content or {}).items():
            yield f"{'attempt ' + str(number) if number else 'initial'} {key}", said
    yield from (one.content or {}).items()
