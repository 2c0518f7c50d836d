"""Rules about what is declared. None of them needs the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from defendctl.model import FieldPath, metric_path
from defendctl.plan.diff import EPSILON
from defendctl.policy.finding import Broken, Judge, in_order, named, said
from defendctl.policy.waivers import by_subject

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from defendctl.diagnostics import Span
    from defendctl.model import Workflow
    from defendctl.policy.findings import Finding, Waiver
    from defendctl.policy.rules import Rule


def judge_manifests(
    rules: Iterable[Rule],
    workflows: Mapping[str, Workflow],
    labels: Mapping[str, Mapping[str, str]],
    waivers: Iterable[Waiver],
    places: Mapping[tuple[str, str], Span],
    today: datetime.date,
) -> list[Finding]:
    """Every rule about manifests that a workflow breaks; who has no labels need not be in `labels`."""
    judge = Judge(by_subject(waivers), places, today)
    return in_order(
        judge.finding(rule, address, broken)
        for rule in rules
        if rule.check in _CHECKS
        for address, workflow in workflows.items()
        if rule.select.holds(address, labels.get(address, {}))
        for broken in _CHECKS[rule.check](workflow, rule.limit)
    )


def _min_threshold(workflow: Workflow, limit: Mapping[str, float]) -> Iterator[Broken]:
    """A metric that is not there breaks `require_metrics`, not this."""
    for metric, least in sorted(limit.items()):
        value = workflow.metrics.get(metric)
        path = metric_path(metric)
        if isinstance(value, str):
            detail = (
                f"{named(path)} is a level, {said(value)}: whether it is at least {least:g} cannot be told"
            )
            yield Broken(path, value, detail, evaluated=False)
        elif value is not None and value < least - EPSILON:
            yield Broken(path, value, f"{named(path)} is {said(value)}, at least {least:g} is required")


def _require_metrics(workflow: Workflow, limit: Iterable[str]) -> Iterator[Broken]:
    for metric in sorted(limit):
        if metric not in workflow.metrics:
            yield Broken(metric_path(metric), None, f"{named(metric)} is not among the metrics; add it")


def _allow_types(workflow: Workflow, limit: Sequence[str]) -> Iterator[Broken]:
    yield from _one_of(FieldPath("type"), workflow.type, limit)


def _allow_tolerances(workflow: Workflow, limit: Sequence[str]) -> Iterator[Broken]:
    """A custom workflow has none."""
    for metric, level in sorted(workflow.metrics.items()):
        if isinstance(level, str):
            yield from _one_of(metric_path(metric), level, limit)


def _allow_improvement_actions(workflow: Workflow, limit: Sequence[str]) -> Iterator[Broken]:
    yield from _one_of(FieldPath("improvement_action"), workflow.improvement_action, limit)


def _min_retries(workflow: Workflow, limit: int) -> Iterator[Broken]:
    if "max_retries" in workflow.unmanaged:
        yield _left("max_retries")
        return
    retries = workflow.max_retries
    if retries < limit:
        yield Broken("max_retries", retries, f"max_retries is {retries}, at least {limit} is required")


def _max_retries(workflow: Workflow, limit: int) -> Iterator[Broken]:
    if "max_retries" in workflow.unmanaged:
        yield _left("max_retries")
        return
    retries = workflow.max_retries
    if retries > limit:
        yield Broken("max_retries", retries, f"max_retries is {retries}, at most {limit} is allowed")


def _capabilities(workflow: Workflow, limit: Mapping[str, bool]) -> Iterator[Broken]:
    for name, wanted in sorted(limit.items()):
        if name in workflow.unmanaged:
            yield _left(name)
            continue
        value = getattr(workflow, name)
        if bool(value) != wanted:
            word = "on" if wanted else "off"
            yield Broken(name, value, f"{name} is {said(value)}, it must be {word}")


def _left(name: str) -> Broken:
    detail = f"{name} is unmanaged, so only the console knows its value; remove it from `unmanaged`"
    return Broken(name, None, detail, evaluated=False)


def _one_of(path: FieldPath, value: str, allowed: Sequence[str]) -> Iterator[Broken]:
    if value not in allowed:
        yield Broken(path, value, f"{named(path)} is {said(value)}, allowed: {', '.join(allowed)}")


_CHECKS: Final[dict[str, Callable[[Workflow, Any], Iterator[Broken]]]] = {
    "min_threshold": _min_threshold,
    "require_metrics": _require_metrics,
    "allow_types": _allow_types,
    "allow_tolerances": _allow_tolerances,
    "allow_improvement_actions": _allow_improvement_actions,
    "min_retries": _min_retries,
    "max_retries": _max_retries,
    "capabilities": _capabilities,
}
