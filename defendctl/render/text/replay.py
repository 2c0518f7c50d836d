"""A replay for people, in lines. It speaks of flags: whether one was right, nobody has said."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from defendctl.render.inert import inert, value
from defendctl.render.labels import labelled_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from defendctl.render.text.paint import Paint
    from defendctl.replay.replay import MetricReplay, Range, Replay, Together


_HEADING: Final = "Replay of recent events (flag rates; whether a flag was right is not known):"
_WITH_LABELS: Final = "Replay of recent events (whether a flag was right is known of labelled ones alone):"
_SHOWN: Final = 5
"""Ids in a row; the JSON has all."""


def replays(found: Sequence[Replay], paint: Paint) -> list[str]:
    """One block a workflow, then those that cannot be replayed, by why."""
    if not found:
        return []
    done = [line for one in found if one.why_not is None for line in _one(one, paint)]
    heading = _WITH_LABELS if any(one.labelled_before for one in found) else _HEADING
    return ["\n".join([paint(heading, "cyan"), *done, *_not_replayed(found)])]


def percent(rate: float) -> str:
    return f"{100 * rate:.0f} %"


def share(side: Together) -> str:
    """`12 % (6 of 50, 95 %: 6 to 24 %)`. With unknown ones a range: they are known only where they fail, so
    a rate of the known ones alone would be too high."""
    if side.bounds is None:
        return "no event"
    events = side.known + side.unknown
    if side.unknown:
        return f"{span(*side.bounds)} ({side.fails} of {events} for certain, {side.unknown} unknown)"
    return f"{percent(side.fails / events)} ({side.fails} of {events}, 95 %: {span(*side.interval)})"


def span(least: float, most: float) -> str:
    """`6 to 24 %`, of two rates."""
    return f"{100 * least:.0f} to {percent(most)}"


def few(ids: Sequence[str]) -> str:
    more = f" (+{len(ids) - _SHOWN})" if len(ids) > _SHOWN else ""
    return ", ".join(inert(each) for each in ids[:_SHOWN]) + more


def mean(of: Range) -> str:
    least, most = (f"{number:.4g}" for number in of)
    return least if least == most else f"{least} to {most}"


def _one(one: Replay, paint: Paint) -> Iterable[str]:
    yield f"  {inert(one.address)} ({inert(one.workflow_id or '-')})  {_events(one)}"
    yield from (f"      {name:<20}  {said}" for name, said in _rows(one, paint))
    yield from (f"      {_metric(metric)}" for metric in one.metrics)
    for heading, rows in labelled_rows(one):
        yield f"      {heading}"
        yield from (f"        {name:<20}  {now} today, {then} under this plan" for name, now, then in rows)
    if not one.enough:
        yield f"      too few events for a gate: {one.events} of {one.needed}"


def _events(one: Replay) -> str:
    asked = "" if one.events == one.asked else f" ({one.asked} asked for)"
    asked += fewer(one)
    window = f", {' to '.join(map(_minute, one.window))} UTC" if one.window else ""
    modes = ", ".join(f"{inert(mode)} {count}" for mode, count in one.run_modes.items())
    told = f"{_count(one.events, 'event')}{asked}{window}" + (f", run modes {modes}" if modes else "")
    return told + (f", {untold}" if (untold := not_evaluated(one)) else "")


def fewer(one: Replay) -> str:
    """Where the API gives fewer than were wanted."""
    said = f" ({one.wanted} were wanted, the API gives {one.asked} at once)"
    return said if one.asked < one.wanted else ""


def not_evaluated(one: Replay) -> str:
    return f"{one.not_evaluated} not evaluated to the end: unknown" if one.not_evaluated else ""


def _minute(at: str) -> str:
    return at[:16].replace("T", " ")


def _rows(one: Replay, paint: Paint) -> Iterable[tuple[str, str]]:
    if one.before and one.after:
        moves = one.before.bounds != one.after.bounds
        yield "flagged today", share(one.before)
        yield "under this plan", paint(share(one.after), "yellow") if moves else share(one.after)
    if one.newly_flagged:
        yield "newly flagged", few(one.newly_flagged)
    if one.no_longer_flagged:
        yield "no longer flagged", few(one.no_longer_flagged)
    if one.evaluations_before and one.evaluations_after:
        yield "evaluations an event", _sides(one.evaluations_before, one.evaluations_after)
    if one.cost_before:
        yield "cost an event", _sides(one.cost_before, one.cost_after)


def _sides(before: Range, after: Range | None) -> str:
    then = f"{mean(after)} under this plan" if after else "unknown where a metric is added or removed"
    return f"{mean(before)} today, {then}"


def _metric(metric: MetricReplay) -> str:
    change = f"{value(metric.before)} -> {value(metric.after)}"
    said = [f"{metric.fails_before} -> {metric.fails_after} of {metric.scored} below"]
    said += [f"{metric.ties} exactly on {value(metric.after)}, which passes"] if metric.ties else []
    said += [f"{metric.unscored} without a score: unknown"] if metric.unscored else []
    return f"{inert(metric.metric)}  {change}  {', '.join(said)}"


def _not_replayed(found: Iterable[Replay]) -> Iterable[str]:
    left = sorted((one for one in found if one.why_not is not None), key=lambda one: one.why_not or "")
    for why, same in groupby(left, key=lambda one: one.why_not):
        yield f"  not replayed: {few([one.address for one in same])}: {inert(why or '')}"


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"
