"""Goals on a path of thresholds → what is proven of today's, and which step may be suggested. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from defendctl.plan.diff import same

if TYPE_CHECKING:
    from collections.abc import Sequence

    from defendctl.evidence.cost import Costs
    from defendctl.evidence.goals import Goal, Standing
    from defendctl.replay.replay import Thresholds


@dataclass(frozen=True, slots=True)
class Decision:
    """Of goals that are judged at `today`, and on a path of ever higher thresholds."""

    goals: Sequence[Goal]
    today: Thresholds
    path: Sequence[Thresholds]
    extremes: tuple[Thresholds, Thresholds]
    """Nothing that may move flags anything, and all that may flags as much as it can."""
    standings: Sequence[Standing]
    """Of each goal, today."""
    ends: Sequence[int | None]
    """Of each goal, on the path."""
    costs: Costs | None = None
    cheapest: Thresholds | None = None
    """Of the whole path; None: nothing tells, or nobody asked."""
    cheapest_allowed: Thresholds | None = None
    """Of those that are proven for all goals."""

    @property
    def cost_is(self) -> Standing:
        """`broken`: the looser ones that may be suggested are proven to cost less. Nothing proves a
        cheapest."""
        then = self.cheapest_allowed
        proven = self.costs and then and self.loosens and self.costs.proves_looser(self.today, then)
        return "broken" if proven else "undecided"

    @property
    def today_is(self) -> Standing:
        worst: tuple[Standing, ...] = ("broken", "undecided")
        told = [*self.standings, *([self.cost_is] if self.costs else [])]
        return next((one for one in worst if one in told), "proven")

    @property
    def steps(self) -> tuple[int, int] | None:
        """The first and the last step that is proven for all goals. The first is above the last where each of
        them can be had, but not all of them; None where one cannot."""
        found = list(zip(self.goals, self.ends, strict=True))
        if None in self.ends:
            return None
        low = max((end for goal, end in found if end is not None and not goal.rising), default=0)
        high = min(
            (end for goal, end in found if end is not None and goal.rising), default=len(self.path) - 1
        )
        return low, high

    @property
    def proves_today(self) -> bool:
        """Whether today's are proven for all goals: they may stand between two steps, where neither is."""
        return all(one == "proven" for one in self.standings)

    @property
    def contradicts(self) -> bool:
        return self.steps is not None and self.steps[0] > self.steps[1] and not self.proves_today

    @property
    def range(self) -> tuple[Thresholds, Thresholds] | None:
        if self.steps is None or self.contradicts or not self.goals:
            return None
        low, high = self.steps
        return (self.path[low], self.path[high]) if low <= high else (self.today, self.today)

    @property
    def best(self) -> Thresholds | None:
        """Of what is proven the cheapest, where costs are asked for; else the strictest, where flags are
        limited; else the one that flags least."""
        if self.costs:
            return self.cheapest_allowed
        return self.range and self.range[any(goal.rising for goal in self.goals)]

    @property
    def loosens(self) -> bool:
        """Whether the best is below today's."""
        best = self.best or self.today
        return any(best[m] < self.today[m] and not same(best[m], self.today[m]) for m in self.today)

    @property
    def may_loosen(self) -> bool:
        """Only where today's breaks every goal that is not proven, and each of these limits flags, or costs:
        too few events are no reason to loosen."""
        told = zip(self.goals, self.standings, strict=True)
        breaks = [goal.rising and standing == "broken" for goal, standing in told if standing != "proven"]
        breaks += [self.cost_is == "broken"] if self.costs else []
        return bool(breaks) and all(breaks)

    @property
    def suggested(self) -> Thresholds | None:
        best = self.best
        if best is None or all(same(best[metric], self.today[metric]) for metric in self.today):
            return None
        return best if self.may_loosen or not self.loosens else None

    @property
    def keeps(self) -> bool:
        """Whether today's are the cheapest, as far as can be told."""
        best = self.cheapest_allowed
        return best is not None and all(same(best[metric], self.today[metric]) for metric in self.today)

    def is_impossible(self, goal: Goal) -> bool:
        """Whether no threshold at all proves it, though there are enough examples."""
        allowed = goal.allowed
        return allowed is not None and goal.hits(self.extremes[not goal.rising])[1] > allowed

    @property
    def impossible(self) -> bool:
        return self.contradicts or any(map(self.is_impossible, self.goals))


def decide(
    goals: Sequence[Goal],
    today: Thresholds,
    path: Sequence[Thresholds],
    extremes: tuple[Thresholds, Thresholds],
    costs: Costs | None = None,
) -> Decision:
    standings = [goal.standing(today) for goal in goals]
    told = Decision(goals, today, path, extremes, standings, [goal.end(path) for goal in goals], costs)
    return _priced(told, costs) if costs else told


def _priced(told: Decision, costs: Costs) -> Decision:
    """Today's count as well, where they are not on the path and all goals are proven of them."""
    as_today = [told.today] if told.proves_today else []
    low, high = told.steps or (0, -1)
    return replace(
        told,
        cheapest=costs.cheapest([*told.path, told.today], told.today),
        cheapest_allowed=costs.cheapest([*told.path[low : high + 1], *as_today], told.today),
    )
