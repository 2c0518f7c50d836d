"""Rules about a plan: what would be done, and what that would have done to recent events.

What is blocked is judged too as far as directions and steps go, for it is what the manifests ask for, and a
later run may do it. It is not counted, and not replayed. A status or a capability that only the console can
mend is neither the manifest's nor apply's doing: no rule speaks of it. Drift that apply reverts is a change
like any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from defendctl.model import is_metric, only_console
from defendctl.plan.alike import rounded
from defendctl.plan.diff import EPSILON
from defendctl.plan.direction import INDETERMINATE, LOOSENS
from defendctl.policy.finding import Broken, Judge, in_order, named, said
from defendctl.policy.flag_rate import judge_flag_rate
from defendctl.policy.rules import CHANGE_CHECKS, FLAG_RATE_CHECK, RETIRE
from defendctl.policy.waivers import by_subject

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from defendctl.diagnostics import Span
    from defendctl.plan.changes import Change, Plan
    from defendctl.plan.compare import FieldChange
    from defendctl.policy.findings import Finding, Waiver
    from defendctl.policy.rules import FlagRate, Rule
    from defendctl.replay.replay import Replay


_CREATING: Final = ("create", "replace")
_REPLAYED: Final = ("adopt", "update", "replace")
_WITHOUT_LIVE: Final = ("no_retire", "max_creates")
"""Decided by manifests and state alone."""
_NAMED: Final = 5


def judge_changes(
    rules: Iterable[Rule],
    plan: Plan,
    replays: Iterable[Replay],
    labels: Mapping[str, Mapping[str, str]],
    waivers: Iterable[Waiver],
    places: Mapping[tuple[str, str], Span],
    today: datetime.date,
) -> list[Finding]:
    """Every rule about changes that the plan breaks, or that could not be evaluated.

    `replays` are those of the policy's own sample.
    """
    by_address = {replay.address: replay for replay in replays}
    judging = _Judging(plan, by_address, labels, Judge(by_subject(waivers), places, today))
    return in_order(
        finding for rule in rules if rule.check in CHANGE_CHECKS for finding in judging.findings(rule)
    )


def to_replay(rules: Iterable[Rule], plan: Plan, labels: Mapping[str, Mapping[str, str]]) -> list[str]:
    """The addresses that `max_flag_rate` needs a replay of."""
    bounds = [rule for rule in rules if rule.check == FLAG_RATE_CHECK]
    return [
        c.address for c in plan.listed if _moves_thresholds(c) and any(_selects(r, c, labels) for r in bounds)
    ]


@dataclass(frozen=True, slots=True)
class _Judging:
    plan: Plan
    replays: Mapping[str, Replay]
    labels: Mapping[str, Mapping[str, str]]
    judge: Judge

    def findings(self, rule: Rule) -> Iterator[Finding]:
        changes = [c for c in self.plan.changes if _selects(rule, c, self.labels)]
        if (
            not self.plan.refreshed
            and rule.check not in _WITHOUT_LIVE
            and any(c.desired and c.binding for c in changes)
        ):
            detail = (
                "what is live was not read, so this rule could not be evaluated; plan without --no-refresh"
            )
            yield self.judge.of_the_plan(rule, detail, evaluated=False)
        if rule.check in _COUNTS:
            yield from self._counted(rule, changes)
            return
        for change in changes:
            for broken in _CHECKS[rule.check](change, rule.limit, self.replays.get(change.address)):
                yield self.judge.finding(rule, change.address, self._as_selected(rule, change, broken))

    def _counted(self, rule: Rule, changes: list[Change]) -> Iterator[Finding]:
        what, counts = _COUNTS[rule.check]
        addresses = [change.address for change in changes if counts(change)]
        if len(addresses) > rule.limit:
            more = ", ..." if len(addresses) > _NAMED else ""
            detail = (
                f"{len(addresses)} {what} ({', '.join(addresses[:_NAMED])}{more}), {rule.limit} at most; "
                "raise the limit, or apply fewer at once with --target"
            )
            yield self.judge.of_the_plan(rule, detail)

    def _as_selected(self, rule: Rule, change: Change, broken: Broken) -> Broken:
        """A rule that selects by labels meets a workflow whose manifest, with its labels, is gone."""
        if rule.select.holds(change.address, _labels(change, self.labels)):
            return broken
        detail = (
            f"{broken.detail} (its labels went with its manifest, so whether this rule applies is not known)"
        )
        return Broken(broken.field, broken.value, detail, evaluated=False)


def _labels(change: Change, labels: Mapping[str, Mapping[str, str]]) -> Mapping[str, str] | None:
    return labels.get(change.address, {} if change.desired else None)


def _selects(rule: Rule, change: Change, labels: Mapping[str, Mapping[str, str]]) -> bool:
    """What cannot be told counts as selected."""
    return rule.select.holds(change.address, _labels(change, labels)) is not False


def _fields(change: Change) -> list[FieldChange]:
    return [field for field in change.fields if not only_console(field.path)]


def _moves_thresholds(change: Change) -> bool:
    return change.action in _REPLAYED and any(_is_threshold(field) for field in change.fields)


def _is_threshold(field: FieldChange) -> bool:
    return is_metric(field.path)


def _no_loosening(change: Change, limit: bool, replay: Replay | None) -> Iterator[Broken]:
    for field in _fields(change):
        if field.direction == LOOSENS:
            yield Broken(field.path, field.after, f"{_moved(field)} loosens the guardrail{_why(field)}")


def _no_indeterminate(change: Change, limit: bool, replay: Replay | None) -> Iterator[Broken]:
    if change.action == RETIRE:
        yield Broken(RETIRE, None, "a retire leaves the workflow live and out of sight")
    for field in _fields(change):
        if field.direction == INDETERMINATE:
            detail = f"whether {_moved(field)} loosens or tightens cannot be told{_why(field)}"
            yield Broken(field.path, field.after, detail)


def _max_threshold_step(change: Change, limit: float, replay: Replay | None) -> Iterator[Broken]:
    """A metric that goes takes its whole threshold with it, so that it cannot come back lower in two small
    steps; one that comes back is measured from what was last applied, where that is still known."""
    for field in filter(_is_threshold, _fields(change)):
        if field.basis == "unknown":
            detail = f"{named(field.path)} would be {said(field.after)}, but its current value is not known"
            yield Broken(field.path, field.after, detail, evaluated=False)
        else:
            yield from islice(_too_far(field, limit), 1)


def _too_far(field: FieldChange, limit: float) -> Iterator[Broken]:
    for start in _starts(field):
        step = _step(start, field.after)
        moved = f"{named(field.path)} from {said(start)} to {said(field.after)}"
        if step is None:
            detail = f"{moved} is no step between two thresholds, so it cannot be measured"
            yield Broken(field.path, field.after, detail, evaluated=False)
        elif step > limit + EPSILON:
            detail = f"{moved} is a step of {step:.3g}; at most {limit:g} is allowed"
            yield Broken(field.path, field.after, detail)


def _starts(field: FieldChange) -> list[Any]:
    """What a threshold moves from, which is never nothing: what is live, and what was last applied where
    the console and git both changed it."""
    starts = (field.before, field.applied) if field.origin == "conflict" else (field.before,)
    return [start for start in starts if start is not None]


def _step(start: Any, after: Any) -> float | None:
    """How far it is; down to nothing is all of it. None where one of them is no number."""
    end = 0.0 if after is None else after
    return abs(end - start) if _is_number(start) and _is_number(end) else None


def _no_retire(change: Change, limit: bool, replay: Replay | None) -> Iterator[Broken]:
    if change.action == RETIRE:
        yield Broken(RETIRE, None, "it is no longer declared; declare it again, or have it waived")


def _max_flag_rate(change: Change, limit: float | FlagRate, replay: Replay | None) -> Iterator[Broken]:
    return judge_flag_rate(replay, limit) if _moves_thresholds(change) else iter(())


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _moved(field: FieldChange) -> str:
    before = "(unknown)" if field.basis == "unknown" else said(field.before)
    return f"{named(field.path)} from {before} to {said(field.after)}"


def _why(field: FieldChange) -> str:
    if field.origin == "drift":
        rounds = "the API did not take it as written, or " if rounded(field.applied, field.before) else ""
        mend = "and apply reverts that; to keep it, put the value into the manifest"
        return f": {rounds}it was changed in the console, {mend}"
    if field.origin == "conflict":
        return f", seen from what is live or from {said(field.applied)}, which was last applied"
    return ""


_CHECKS: Final[dict[str, Callable[[Change, Any, Replay | None], Iterator[Broken]]]] = {
    "no_loosening": _no_loosening,
    "no_indeterminate": _no_indeterminate,
    "max_threshold_step": _max_threshold_step,
    "no_retire": _no_retire,
    "max_flag_rate": _max_flag_rate,
}
_COUNTS: Final[dict[str, tuple[str, Callable[[Change], bool]]]] = {
    "max_creates": ("would be created", lambda change: change.action in _CREATING),
    "max_changes": ("would change", lambda change: change.action not in ("none", "blocked")),
}
