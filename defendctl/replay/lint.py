"""What recent events say against a workflow's settings: a metric that they give nothing to, a search that
their run mode does not have. Warnings, found while a replay reads the events anyway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from defendctl.diagnostics import Diagnostic
from defendctl.model import metric_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from defendctl.diagnostics import Span
    from defendctl.event import Event
    from defendctl.model import Workflow


NO_CONTEXT: Final = "replay-no-context"
NO_GROUND_TRUTH: Final = "replay-no-ground-truth"
SUPER_FAST_SEARCH: Final = "replay-super-fast-search"

_SUPER_FAST: Final = "super_fast"


def wants_events(desired: Workflow) -> bool:
    """Whether events could say anything against it."""
    needy = {"context_adherence", "ground_truth_adherence"} & desired.metrics.keys()
    return bool(needy or _searches(desired))


def lint(
    address: str, desired: Workflow, events: Sequence[Event], places: Mapping[tuple[str, str], Span]
) -> list[Diagnostic]:
    found = []
    for metric, code, what, carried in (
        ("context_adherence", NO_CONTEXT, "context", [e.context for e in events]),
        ("ground_truth_adherence", NO_GROUND_TRUTH, "`ground_truth`", [e.ground_truth for e in events]),
    ):
        told = [each for each in carried if each is not None]
        if metric in desired.metrics and told and not any(told):
            message = (
                f"{address}: {metric} needs {what} in each event, and none of {_last(len(told))} has any"
            )
            found.append(_warning(code, message, places.get((address, metric_path(metric)))))
    return found + _of_the_run_mode(address, desired, events, places)


def _of_the_run_mode(
    address: str, desired: Workflow, events: Sequence[Event], places: Mapping[tuple[str, str], Span]
) -> list[Diagnostic]:
    fast = sum(e.run_mode == _SUPER_FAST for e in events)
    found = []
    for field in _searches(desired) if fast else ():
        message = (
            f"{address}: {field} does not work in the run mode {_SUPER_FAST}, in which {fast} of "
            f"{_last(len(events))} ran; submit them in another one, or leave {field} out"
        )
        found.append(_warning(SUPER_FAST_SEARCH, message, places.get((address, field))))
    return found


def _searches(desired: Workflow) -> list[str]:
    return [name for name in ("web_search", "file_search") if getattr(desired, name)]


def _last(count: int) -> str:
    return f"the last {count} event{'' if count == 1 else 's'}"


def _warning(code: str, message: str, span: Span | None) -> Diagnostic:
    return Diagnostic("warning", code, message, span)
