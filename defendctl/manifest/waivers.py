"""`waivers:` of a document → Waivers, or everything that is wrong with them."""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING, Any

from defendctl.diagnostics import Diagnostic, suggest
from defendctl.model import metric_path
from defendctl.policy.findings import Waiver
from defendctl.policy.rules import FLAG_RATE, RETIRE
from defendctl.policy.waivers import WAIVABLE
from defendctl.schema import models_policy
from defendctl.schema.problems import check
from defendctl.yamltext.quote import found, kind_of, quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from defendctl.yamltext.node import Document
    from defendctl.yamltext.report import Report


_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
SOON = 14
"""Days before it expires."""
_SUGGESTIONS = 50
"""Each looks at all the words there are, and there may be many waivers."""


def waivers(document: Document, today: datetime.date | None, report: Report) -> Iterator[Waiver]:
    """Each waiver that is right. With `today`, one that has expired is an error."""
    entries = document.data.get("waivers") if isinstance(document.data, dict) else None
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        at = ("waivers", index)
        model = check(models_policy.WaiverEntry, entry, at, document, report)
        sound = not isinstance(entry, dict) or _rules(entry, at, document, report)
        if model is not None and sound:
            yield _waiver(model, at, today, document, report)


def _rules(entry: dict[str, Any], at: tuple[str, int], document: Document, report: Report) -> bool:
    """What the model does not say: whether all of it holds."""
    faults = [*_field(entry), *_to(entry), *_expires(entry)]
    for key, code, message in faults:
        report.error(code, message, document.span((*at, key)))
    return not faults


Fault = tuple[str, str, str]


def _field(entry: dict[str, Any]) -> Iterator[Fault]:
    field = entry.get("field")
    if not isinstance(field, str) or not field or field in WAIVABLE or re.match(r"metrics\..", field):
        return
    near = suggest(field, [*WAIVABLE, metric_path("completeness")])
    message = (
        f"{quoted(field)} is no field of a workflow; write the path as the plan shows it, like "
        f"`metrics.completeness` or `max_retries`, or `{RETIRE}` or `{FLAG_RATE}`.{near}"
    )
    yield "field", "unknown-field", message


def _to(entry: dict[str, Any]) -> Iterator[Fault]:
    if "to" not in entry and entry.get("field") != RETIRE:
        message = "This waiver lacks `to`: the value that it lets pass (null for a metric that is removed)."
        yield "to", "missing-key", message
    value = entry.get("to")
    if isinstance(value, dict) or (isinstance(value, list) and not all(isinstance(i, str) for i in value)):
        yield "to", "wrong-type", f"`to` must be the value of a field, found {kind_of(value)}."
    elif entry.get("field") == FLAG_RATE and value is not None and not _is_share(value):
        message = f"`to` must be a flag rate from 0 to 1, up to which it passes, found {found(value)}."
        yield "to", "out-of-range", message


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _expires(entry: dict[str, Any]) -> Iterator[Fault]:
    value = entry.get("expires")
    if isinstance(value, str) and date(value) is None:
        yield "expires", "invalid-value", f"`expires` must be a date like 2031-12-31, found {found(value)}."


def date(text: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:  # the 30th of February
        return None


def _waiver(
    model: models_policy.WaiverEntry,
    at: tuple[str, int],
    today: datetime.date | None,
    document: Document,
    report: Report,
) -> Waiver:
    expires = date(model.expires)
    assert expires
    if today and expires < today:
        message = (
            f"This waiver expired on {model.expires}: take it out, or have it approved again with a new date."
        )
        report.error("expired-waiver", message, document.span((*at, "expires")))
    to = tuple(sorted(model.to)) if isinstance(model.to, list) else model.to
    return Waiver(
        model.address, model.rule, model.field, to, model.reason, model.approver, expires, document.span(at)
    )


def expiring_waivers(given: Iterable[Waiver], today: datetime.date) -> Iterator[Diagnostic]:
    """A warning for each that will be an error soon: a pull request that renews it takes its time."""
    for waiver in given:
        left = (waiver.expires - today).days
        if 0 <= left <= SOON:
            when = f"in {left} days" if left > 1 else ("tomorrow", "today")[not left]
            message = (
                f"This waiver expires on {waiver.expires}, {when}, and is an error afterwards: take it out, "
                "or have it approved again with a new date."
            )
            yield Diagnostic("warning", "expiring-waiver", message, waiver.span)


def idle_waivers(
    given: Iterable[Waiver], addresses: Collection[str] | None, rules: Collection[str]
) -> Iterator[Diagnostic]:
    """A warning for each that can let nothing pass. `addresses` is None where not all manifests were read."""
    left = _SUGGESTIONS
    for waiver in given:
        if waiver.rule not in rules:
            message = f"No policy has a rule {quoted(waiver.rule)}, so this waiver has no effect."
            near, left = suggest(waiver.rule, rules) if left > 0 else "", left - 1
            yield Diagnostic("warning", "unknown-rule", message + near, waiver.span)
        if addresses is not None and waiver.field != RETIRE and waiver.address not in addresses:
            message = f"No workflow is declared as {quoted(waiver.address)}, so this waiver has no effect."
            near, left = suggest(waiver.address, addresses) if left > 0 else "", left - 1
            yield Diagnostic("warning", "unknown-address", message + near, waiver.span)
