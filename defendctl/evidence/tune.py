"""From scored events to a threshold that does what is asked, or to the reason why none is suggested. Pure.

Too few events are no reason to loosen: a threshold below today's is suggested only where today's is proven to
break the goal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from defendctl.event import moment
from defendctl.evidence.assumptions import INFLATED, MOVED, drift_p, inflation, lowest_tenth
from defendctl.evidence.bounds import GRID, grid_at_or_below
from defendctl.evidence.cost import Costs
from defendctl.evidence.decision import decide
from defendctl.evidence.goals import Goal
from defendctl.evidence.reasons import reasons
from defendctl.evidence.tuning import Evidence, Examples, JudgedCost, JudgedGoal, Tuned, TunedMetric
from defendctl.model import metric_path
from defendctl.plan.diff import same
from defendctl.plan.direction import direction
from defendctl.replay.replay import failed, metric_replay, unscored

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from defendctl.event import Scored
    from defendctl.evidence.decision import Decision
    from defendctl.evidence.tuning import Status, Tuning
    from defendctl.replay.replay import Thresholds

ONE_LOOK: Final = "one-look"
MANY_LOOKS: Final = "many-looks"
FIRST_ATTEMPTS: Final = "first-attempts"
NOT_A_SAMPLE: Final = "cases-are-no-sample"
SPLIT: Final = "split"
AN_ESTIMATE: Final = "cost-is-an-estimate"
MOVES: Final = "drift"
BURSTS: Final = "bursts"


def tune(asked: Tuning, events: Sequence[Scored], cases: Examples) -> Tuned:
    """`events` in any order; of one run mode, which the caller has seen to."""
    ordered = in_time(events)
    if asked.recent_only:
        ordered = ordered[len(ordered) // 2 :]
    evidence = _evidence(asked, ordered, cases)
    several = len(asked.metrics) > 1
    older, judged = _halves(ordered) if several else ((), ordered)
    older = [one for one in older if one.event_id not in cases.labelled]
    goals = _goals(asked, [one.scores for one in judged], cases, evidence)
    path = _learned(asked, older) if several else _grid(asked)
    costs = _costs(asked, cases)
    return _told(asked, decide(goals, asked.today, path, _extremes(asked), costs), evidence, ordered)


def in_time(events: Sequence[Scored]) -> list[Scored]:
    """The oldest first; as they were listed, the newest first, where a time is not told."""
    listed = list(reversed(events))
    times = [one.at for one in listed]
    return listed if None in times else sorted(listed, key=lambda one: moment(one.at or ""))


def _halves(ordered: Sequence[Scored]) -> tuple[Sequence[Scored], Sequence[Scored]]:
    middle = len(ordered) // 2
    return ordered[:middle], ordered[middle:]


def _evidence(asked: Tuning, ordered: Sequence[Scored], cases: Examples) -> Evidence:
    older, newer = _halves(ordered)
    times = [one.at for one in ordered if one.at]
    ps = [drift_p(numbers(older, metric), numbers(newer, metric)) for metric in asked.today]
    modes = {one.run_mode or "unknown" for one in ordered}
    return Evidence(
        events=len(ordered),
        unscored=sum(unscored(one.scores, asked.metrics) for one in ordered),
        window=(times[0], times[-1]) if times else None,
        run_mode=min(modes) if modes else None,
        drift_p=min(1.0, len(ps) * min(ps, default=1.0)),
        inflation=_inflation(asked, ordered),
        labels=cases.labels,
        tests_digest=cases.tests_digest,
    )


def _inflation(asked: Tuning, ordered: Sequence[Scored]) -> float:
    """The worst of what the other metrics flag, and of the lowest scores of each that may move."""
    stay = {metric: least for metric, least in asked.today.items() if metric not in asked.metrics}
    flagged = [bool(failed(one.scores, stay)) for one in ordered]
    lowest = [lowest_tenth(numbers(ordered, metric)) for metric in asked.metrics]
    return max(map(inflation, [*lowest, flagged] if any(flagged) else lowest))


def numbers(events: Iterable[Scored], metric: str) -> list[float]:
    """The scores of one metric; a verdict is none."""
    scores = (one.scores.get(metric) for one in events)
    return [score for score in scores if score is not None and not isinstance(score, bool)]


def _goals(
    asked: Tuning, examples: Sequence[Mapping[str, float | None]], cases: Examples, evidence: Evidence
) -> list[Goal]:
    aim, found = asked.aim, []
    if aim.max_flag_rate is not None:
        spread = evidence.inflation if evidence.inflation > INFLATED else 1.0
        found.append(Goal("max_flag_rate", examples, aim.max_flag_rate, asked.delta, spread))
    if aim.catch is not None:
        found.append(Goal("catch", cases.known, None))
    if aim.max_false_alarms is not None:
        found.append(Goal("max_false_alarms", cases.good, aim.max_false_alarms, asked.delta))
    if aim.min_recall is not None:
        found.append(Goal("min_recall", cases.bad, round(1 - aim.min_recall, 8), asked.delta))
    return found


def _costs(asked: Tuning, cases: Examples) -> Costs | None:
    if asked.aim.cost is None:
        return None
    middle = len(cases.by_lot) // 2
    return Costs(asked.aim.cost, cases.by_lot[:middle], cases.by_lot[middle:], asked.delta)


def _grid(asked: Tuning) -> list[Thresholds]:
    """One threshold from 0 to 1, the others as they are."""
    [metric] = asked.metrics
    return [{**asked.today, metric: step / GRID} for step in range(GRID + 1)]


def _learned(asked: Tuning, older: Sequence[Scored]) -> list[Thresholds]:
    """Several that rise together, each to the same share of the older half; the newer half judges them. Where
    the older one does not break the goal they begin at today's.
    """
    ordered = {metric: sorted(numbers(older, metric)) for metric in asked.metrics}
    goals = _goals(asked, [one.scores for one in older], Examples(), _evidence(asked, older, Examples()))
    broken = any(goal.rising and goal.standing(asked.today) == "broken" for goal in goals)
    least = dict.fromkeys(asked.metrics, 0.0) if broken else {m: asked.today[m] for m in asked.metrics}
    return [
        {**asked.today, **{m: max(least[m], _quantile(ordered[m], step)) for m in asked.metrics}}
        for step in range(GRID + 1)
    ]


def _quantile(ordered: Sequence[float], step: int) -> float:
    """The threshold with about step / GRID of these below it."""
    at = step * len(ordered) // GRID
    if not step or at >= len(ordered):
        return float(step == GRID)
    return grid_at_or_below(ordered[at])


def _extremes(asked: Tuning) -> tuple[Thresholds, Thresholds]:
    least, most = ({**asked.today, **dict.fromkeys(asked.metrics, at)} for at in (0.0, 1.0))
    return least, most


def _told(asked: Tuning, decision: Decision, evidence: Evidence, events: Sequence[Scored]) -> Tuned:
    moves = evidence.drift_p < MOVED
    suggested = None if moves else decision.suggested
    judged = [
        JudgedGoal(
            goal,
            standing,
            goal.hits(asked.today),
            goal.bounds(asked.today),
            goal.hits(suggested) if suggested else None,
        )
        for goal, standing in zip(decision.goals, decision.standings, strict=True)
    ]
    return Tuned(
        asked=asked,
        goals=tuple(judged),
        metrics=tuple(_metric(asked, metric, suggested, decision.range, events) for metric in asked.metrics),
        today_is=decision.today_is,
        status=_status(decision, evidence, suggests=suggested is not None),
        evidence=evidence,
        cost=_judged_cost(decision, suggested),
        why=tuple(reasons(asked, decision)),
        caveats=tuple(_caveats(asked, evidence)),
    )


def _judged_cost(decision: Decision, suggested: Thresholds | None) -> JudgedCost | None:
    costs = decision.costs
    if costs is None:
        return None
    return JudgedCost(
        prices=costs.prices,
        chosen_among=len(costs.older),
        of=len(costs.newer),
        today_is=decision.cost_is,
        today=costs.at(decision.today),
        suggested=costs.at(suggested) if suggested else None,
    )


def _metric(
    asked: Tuning,
    metric: str,
    suggested: Thresholds | None,
    range: tuple[Thresholds, Thresholds] | None,
    events: Sequence[Scored],
) -> TunedMetric:
    today = asked.today[metric]
    then = suggested[metric] if suggested else None
    moves = then is not None and not same(then, today)
    return TunedMetric(
        metric=metric,
        today=today,
        suggested=then,
        range=(range[0][metric], range[1][metric]) if range else None,
        direction=direction(metric_path(metric), today, then) if moves else "none",
        seen=metric_replay(metric, events, today, then),
    )


def _status(decision: Decision, evidence: Evidence, *, suggests: bool) -> Status:
    if decision.impossible:
        return "impossible"
    if evidence.drift_p < MOVED or not (suggests or decision.today_is == "proven" or decision.keeps):
        return "not_provable"
    return "estimate" if decision.costs or evidence.inflation > INFLATED else "proven"


def _caveats(asked: Tuning, evidence: Evidence) -> Iterator[str]:
    yield ONE_LOOK if asked.looks == 1 else MANY_LOOKS
    yield FIRST_ATTEMPTS
    if len(asked.metrics) > 1:
        yield SPLIT
    if asked.aim.catch is not None:
        yield NOT_A_SAMPLE
    if asked.aim.cost is not None:
        yield AN_ESTIMATE
    if evidence.drift_p < MOVED:
        yield MOVES
    if evidence.inflation > INFLATED:
        yield BURSTS
