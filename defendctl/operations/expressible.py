"""What no manifest can hold of a live workflow, told before one is written, by the rules that read it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from defendctl.manifest.validate import validate
from defendctl.model import METRICS
from defendctl.plan.diff import differing
from defendctl.render.inert import inert
from defendctl.render.yaml import manifest
from defendctl.yamltext.loader import loads
from defendctl.yamltext.report import Report

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from defendctl.diagnostics import Span
    from defendctl.operations.adopt import Undeclared

_SHOWN = 20


def check_expressible(
    found: Sequence[Undeclared], spans: Mapping[str, Span], custom_metrics: Sequence[str], report: Report
) -> None:
    """Reports each value that no manifest could say, at the line of its pair."""
    own = sorted({m for one in found for m in one.metrics if m not in (*METRICS, *custom_metrics)})
    if own:
        first = next(one for one in found if set(own) & one.metrics.keys())
        report.error("unknown-metric", _to_declare(own, custom_metrics), spans[first.address])
    for one in found:
        for problem in _problems(one, (*custom_metrics, *own)):
            report.error("inexpressible", f"{one.address}: {problem}", spans[one.address])


def _to_declare(own: Sequence[str], custom_metrics: Sequence[str]) -> str:
    """The line of the project file that makes them known."""
    line = inert(json.dumps([*custom_metrics, *own[:_SHOWN]], ensure_ascii=False))
    more = f" (and {len(own) - _SHOWN} more)" if len(own) > _SHOWN else ""
    return f"These metrics are not known here: put `custom_metrics: {line}`{more} into defendctl.yaml."


def _problems(one: Undeclared, custom_metrics: Sequence[str]) -> Iterator[str]:
    if one.lacking:
        names = ", ".join(one.lacking)
        yield f"{names} cannot be read back; declare it yourself, then import it without --write."
        return
    documents, loaded = loads(manifest(one.address, one.fields), one.address)
    report = Report(one.address, loaded)
    declared = [each for document in documents for _, each in validate(document, custom_metrics, report)]
    yield from _first({d.message for d in (*loaded, *report.diagnostics)})
    for each in declared:
        if each.workflow:
            paths = differing(one.workflow.fields(), each.workflow.fields())
            yield from (f"no manifest can hold its {inert(path)}." for path in paths)


def _first(messages: Iterable[str]) -> list[str]:
    return sorted(messages)[:_SHOWN]
