"""Why tune says what it says, in sentences without an end: with what is there and what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from defendctl.evidence.cost import FEWEST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from defendctl.evidence.cost import Costs
    from defendctl.evidence.decision import Decision
    from defendctl.evidence.goals import Goal, Standing
    from defendctl.evidence.tuning import Prices, Tuning
    from defendctl.replay.replay import Thresholds

_NOUNS: Final = {
    "max_flag_rate": ("events", "flagged"),
    "max_false_alarms": ("labelled events that should pass", "flagged"),
    "min_recall": ("labelled events that should be flagged", "missed"),
    "catch": ("known bad cases", "missed"),
}
"""What a goal is counted among, and what its hits are."""
_BY_LOT: Final = ("max_false_alarms", "min_recall")
_OTHERWISE: Final = "; labels drawn otherwise than uniformly say nothing of it"


def promise(goal: Goal) -> str:
    """`flag rate at most 20 %`."""
    if goal.limit is None:
        return "every known bad case caught"
    if goal.name == "min_recall":
        return f"recall at least {percent(1 - goal.limit)}"
    what = "flag rate" if goal.name == "max_flag_rate" else "false alarms"
    return f"{what} at most {percent(goal.limit)}"


def aim_of_cost(prices: Prices) -> str:
    """`cheapest at 1:20`."""
    return f"cheapest at {prices}"


def percent(rate: float) -> str:
    return f"{round(100 * rate, 4):g} %"


def counted(hits: tuple[int, int]) -> str:
    """`17 to 18`, where some are unknown."""
    sure, most = hits
    return str(sure) if sure == most else f"{sure} to {most}"


def tally(goal: Goal, hits: tuple[int, int]) -> str:
    """`17 to 18 of 80 events flagged`."""
    noun, verb = _NOUNS[goal.name]
    return f"{counted(hits)} of {goal.of} {noun} {verb}"


def reasons(asked: Tuning, decision: Decision) -> Iterator[str]:
    """Of each goal that today's thresholds are not proven to reach, and of what keeps others from it."""
    for goal, standing in zip(decision.goals, decision.standings, strict=True):
        if standing != "proven":
            yield _of_goal(asked, goal, standing, decision)
    if decision.contradicts:
        yield _contradiction(asked, decision)
    elif decision.costs:
        yield from _of_cost(asked, decision, decision.costs)
    elif decision.best and decision.loosens and not decision.suggested and decision.today_is != "proven":
        yield _not_loosened(asked, decision)


def _of_goal(asked: Tuning, goal: Goal, standing: Standing, decision: Decision) -> str:
    noun, verb = _NOUNS[goal.name]
    if goal.allowed is None:
        other = _OTHERWISE if goal.name in _BY_LOT and asked.labelled_otherwise else ""
        return f"{promise(goal)}: {_too_few(goal)}{other}"
    if decision.is_impossible(goal):
        most = f"at most {goal.allowed}" if goal.allowed else "none"
        return (
            f"{promise(goal)}: {most} of {goal.of} {noun} may be {verb}, but "
            f"{_whatever(asked, goal, goal.hits(decision.extremes[not goal.rising]))}, so no threshold of "
            f"{' and '.join(asked.metrics)} can reach the goal"
        )
    what = "threshold" if len(asked.metrics) == 1 else "thresholds"
    told = f"{counted(goal.hits(decision.today))} of {goal.of} {noun} are {verb} with today's {what}"
    may = f"at most {goal.allowed}" if goal.allowed else "none"
    does = "breaks the goal" if standing == "broken" else "neither proves nor breaks the goal"
    return f"{promise(goal)}: {told}, which {does}: {may} may be"


def _too_few(goal: Goal) -> str:
    if goal.limit is None:
        return "no known bad case is there"
    return f"{goal.needed} {_NOUNS[goal.name][0]} are needed, {goal.of} are there"


def _whatever(asked: Tuning, goal: Goal, hits: tuple[int, int]) -> str:
    """What hits whichever threshold is taken: `correctness alone flags 19`, what lacks a score beside it.

    At that end only the metrics that stay flag anything, or the others flag all that they can.
    """
    sure, unknown = hits[0], hits[1] - hits[0]
    if goal.rising:
        stay = [metric for metric in asked.today if metric not in asked.metrics]
        does = f"{' and '.join(stay)} alone {'flag' if len(stay) > 1 else 'flags'} {sure}"
    else:
        does = f"even a threshold of 1 for {' and '.join(asked.metrics)} misses {sure}"
    lack = f"{unknown} without a score {'counts' if unknown == 1 else 'count'} as {_NOUNS[goal.name][1]}"
    return " and ".join(part for part, held in ((does, sure), (lack, unknown)) if held)


def _contradiction(asked: Tuning, decision: Decision) -> str:
    """Which goals ask for more than the others leave, and where each of them ends."""
    found = list(zip(decision.goals, decision.ends, strict=True))
    needs = max((end, promise(goal)) for goal, end in found if end is not None and not goal.rising)
    allows = min((end, promise(goal)) for goal, end in found if end is not None and goal.rising)
    return (
        f"{needs[1]} needs {_at(asked, decision, needs[0])} or more, {allows[1]} allows "
        f"{_at(asked, decision, allows[0])} or less: no threshold does both"
    )


def _of_cost(asked: Tuning, decision: Decision, costs: Costs) -> Iterator[str]:
    """What is missing, what other goals keep it from, and why the cheapest is not suggested."""
    aim, best = aim_of_cost(costs.prices), decision.cheapest_allowed
    if not costs.enough:
        other = _OTHERWISE if asked.labelled_otherwise else ""
        bad, good = costs.fewest
        yield (
            f"{aim}: each half of the labels needs {FEWEST} events that should be flagged and {FEWEST} that "
            f"should pass, and has {bad} and {good}{other}"
        )
        return
    if decision.cheapest != best:
        yield f"{aim}: that is {_values(asked, decision.cheapest)}, which the other goals do not allow"
    if best is not None and decision.loosens and not decision.suggested:
        yield (
            f"{aim}: by the older half of the labels that is {_values(asked, best)}; it is not suggested, "
            "for it loosens, and the newer half does not show that today's costs more"
        )
    if decision.keeps:
        yield f"{aim}: by the older half of the labels that is today's"


def _not_loosened(asked: Tuning, decision: Decision) -> str:
    at = _values(asked, decision.best)
    return f"{at} would be proven; it is not suggested, for nothing shows that today's breaks the goal"


def _at(asked: Tuning, decision: Decision, step: int) -> str:
    return _values(asked, decision.path[step])


def _values(asked: Tuning, at: Thresholds | None) -> str:
    return ", ".join(f"{metric} {at[metric]:g}" for metric in asked.metrics) if at else ""
