"""What tune found, for people: today's thresholds, those that are proven, and what keeps it from more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from defendctl.evidence.assumptions import INFLATED, MOVED
from defendctl.evidence.reasons import aim_of_cost, counted, percent, promise, tally
from defendctl.render.inert import inert
from defendctl.render.setting import PLAIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from defendctl.evidence.tuning import CostAt, JudgedCost, JudgedGoal, Tuned
    from defendctl.render.setting import Setting

_COLOURS: Final = {"proven": "green", "broken": "red", "undecided": "yellow"}


def tune(found: Tuned, setting: Setting = PLAIN) -> str:
    head = [f"Tune of {setting.environment}"] if setting.environment else []
    return "\n".join([*head, _heading(found), *_rows(found, setting), *_remarks(found, setting)]) + "\n"


def _heading(found: Tuned) -> str:
    seen, asked = found.evidence, found.asked
    parts = [
        f"{' and '.join(map(inert, asked.metrics))} of {inert(asked.address)}, {seen.events} events"
        + (f" in run mode {inert(seen.run_mode)}" if seen.run_mode else "")
    ]
    parts += [f"{seen.window[0][:10]} to {seen.window[1][:10]}"] if seen.window else []
    parts += ["valid for one look" if asked.looks == 1 else f"valid for each of {asked.looks} looks"]
    fixed = [f"{inert(m)} stays at {t:g}" for m, t in asked.today.items() if m not in asked.metrics]
    return ", ".join(parts) + ("; " + ", ".join(fixed) if fixed else "")


def _rows(found: Tuned, setting: Setting) -> Iterator[str]:
    today = ", ".join(f"{one.today:g}" for one in found.metrics)
    for one in found.goals:
        standing = setting.paint(f"{one.today_is}: {promise(one.goal)}", _COLOURS[one.today_is])
        yield f"  today {today:<8}  {_today(one):<60}  {standing}"
    if found.cost:
        standing = setting.paint(found.cost.today_is, _COLOURS[found.cost.today_is])
        told = f"{standing}: {aim_of_cost(found.cost.prices)}"
        yield f"  today {today:<8}  {_cost(found.cost, found.cost.today):<60}  {told}"
    if found.suggests:
        then = ", ".join("-" if one.suggested is None else f"{one.suggested:g}" for one in found.metrics)
        ways = " and ".join(dict.fromkeys(one.direction for one in found.metrics if one.direction != "none"))
        rising = {one.goal.rising for one in found.goals}
        word = "at" if len(rising) == 2 else "up to" if True in rising else "from"
        for one in found.goals:
            at = f"{word:<5} {then:<8}"
            yield f"  {at}  {_then(one):<60}  {_status(found)}: {promise(one.goal)}; {ways}"
        if found.cost and found.cost.suggested:
            told = f"estimate: {aim_of_cost(found.cost.prices)}; {ways}"
            yield f"  at    {then:<8}  {_cost(found.cost, found.cost.suggested):<60}  {told}"
    for done in found.written:
        yield f"  written: {inert(done.metric)} {done.value:g} in {inert(done.file)}:{done.line}"


def _status(found: Tuned) -> str:
    """Of a goal of its own: that a cost is an estimate takes nothing from it, but bursts do."""
    return "estimate" if found.evidence.inflation > INFLATED else "proven"


def _cost(cost: JudgedCost, at: CostAt) -> str:
    """`4 false alarms, 1 to 2 missed of 60 newer labels: 0.4 to 0.73 an event (of all: 0.1 to 1.5)`."""
    least, most = at.an_event
    seen = f"{least:.3g}" if least == most else f"{least:.3g} to {most:.3g}"
    return (
        f"{counted(at.false_alarms)} false alarms, {counted(at.misses)} missed of {cost.of} newer labels: "
        f"{seen} an event (of all: {at.interval[0]:.3g} to {at.interval[1]:.3g})"
    )


def _today(one: JudgedGoal) -> str:
    told = tally(one.goal, one.hits)
    if one.goal.name == "max_flag_rate":
        told += " by any metric"
    if one.goal.limit is None or not one.goal.of:
        return told
    sure = f"{percent(round(1 - one.goal.delta, 6))}: "
    if one.today_is == "broken":
        return f"{told} ({sure}at least {100 * one.bounds[0]:.1f} %)"
    return f"{told} ({sure}at most {100 * one.bounds[1]:.1f} %)"


def _then(one: JudgedGoal) -> str:
    return f"at most {tally(one.goal, (one.suggested[1],) * 2)}" if one.suggested else ""


def _remarks(found: Tuned, setting: Setting) -> Iterator[str]:
    seen = found.evidence
    for why in found.why:
        yield f"  {inert(why)}"
    if seen.drift_p < MOVED:
        yield (
            f"  the scores of the newer half are not those of the older one (Kolmogorov-Smirnov, p = "
            f"{seen.drift_p:.2g}): the judge or the traffic moved, so nothing is proven; --recent-only takes "
            "the newer half"
        )
    if seen.inflation > INFLATED:
        yield (
            f"  flags come in bursts (their variance is {seen.inflation:.1f} times that of independent "
            "events), so what is said is an estimate"
        )
    if found.status == "proven" and not found.suggests and found.today_is == "proven":
        yield "  nothing to change"
    yield "  only the first evaluation of each event counts: later ones score a text that was repaired"
