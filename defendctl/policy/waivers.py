"""Which waiver lets a finding pass, and the text of the one that would."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from defendctl.model import FIELDS
from defendctl.plan.diff import EPSILON, same
from defendctl.policy.rules import FLAG_RATE, MANIFEST_CHECKS, RETIRE

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterable, Iterator

    from defendctl.plan.changes import Change, Plan
    from defendctl.policy.findings import Finding, Waiver
    from defendctl.policy.rules import Rule


DAYS: Final = 30
"""How long a waiver lasts that we write."""
REASON: Final = "<why this may pass>"
APPROVER: Final = "<who says so>"
"""Placeholders: a manifest that still holds them is refused."""

_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
_WORDS: Final = frozenset(["true", "false", "null", "yes", "no", "on", "off", "y", "n"])


Waivers = dict[tuple[str, str, str], list["Waiver"]]
"""By what they are about: (address, rule, field)."""


def by_subject(given: Iterable[Waiver]) -> Waivers:
    found: Waivers = {}
    for waiver in given:
        found.setdefault((waiver.address, waiver.rule, waiver.field), []).append(waiver)
    return found


def waiver_for(
    waivers: Waivers, address: str, rule: str, field: str, value: Any, today: datetime.date
) -> Waiver | None:
    """The first that speaks of exactly this and has not expired; its last day still counts."""
    about = waivers.get((address, rule, field), ())
    return next((waiver for waiver in about if today <= waiver.expires and _covers(waiver, value)), None)


def unneeded(
    given: Iterable[Waiver], rules: Iterable[Rule], plan: Plan, findings: Iterable[Finding], *, whole: bool
) -> Iterator[Waiver]:
    """Those that let nothing pass any more. `whole`: nothing was left out of the plan.

    Where a rule was not evaluated nobody knows what it would need.
    """
    checks = {rule.id: rule.check for rule in rules}
    changes = {change.address: change for change in plan.changes}
    told = list(findings)
    used = {id(finding.waiver) for finding in told}
    unsure = {(finding.address, finding.rule) for finding in told if not finding.evaluated}
    for waiver in given:
        idle = id(waiver) not in used and (waiver.address, waiver.rule) not in unsure
        check, change = checks.get(waiver.rule), changes.get(waiver.address)
        if idle and check and _looked_at(waiver, check, change, plan.refreshed, whole):
            yield waiver


def _looked_at(waiver: Waiver, check: str, change: Change | None, refreshed: bool, whole: bool) -> bool:
    """Whether what it speaks of would have been found."""
    if change is None:
        return whole and waiver.field == RETIRE
    if waiver.field == FLAG_RATE and change.action != "none":
        return False  # events come and go until it is applied
    if change.desired is None and waiver.field != RETIRE:
        return False  # told already: no workflow is declared so
    return check in MANIFEST_CHECKS or (refreshed and change.action != "blocked")


def remedy(address: str, rule: str, field: str, value: Any, today: datetime.date) -> str:
    """An item of `waivers:`, as it stands in a manifest but for what only people can say."""
    expires = today.fromordinal(today.toordinal() + DAYS)
    entry = {"address": address, "rule": rule, "field": field, "to": _to(field, value)}
    lines = [f"{name}: {_scalar(item)}" for name, item in entry.items() if (name, field) != ("to", RETIRE)]
    lines += [f'reason: "{REASON}"', f'approver: "{APPROVER}"', f"expires: {expires.isoformat()}"]
    return "  - " + "\n    ".join(lines) + "\n"


def _covers(waiver: Waiver, value: Any) -> bool:
    if waiver.field == RETIRE:
        return True
    to = waiver.to
    if _is_number(to) and _is_number(value):
        lower = waiver.field == FLAG_RATE and value <= to  # events come and go: it is an upper bound
        return lower or same(float(to), float(value))
    return same(to, value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _to(field: str, value: Any) -> Any:
    """A rate is rounded up to whole percents, so that the waiver covers it."""
    return -(-(value - EPSILON) * 100 // 1) / 100 if field == FLAG_RATE and value is not None else value


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) and value.lower() not in _WORDS
        return value if plain else f'"{"".join(map(_escaped, value))}"'
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_scalar(item) for item in value) + "]"
    return json.dumps(value)


def _escaped(c: str) -> str:
    """YAML's escapes; JSON's surrogate pairs are none."""
    if c in '"\\':
        return "\\" + c
    return c if c.isprintable() else f"\\U{ord(c):08x}"


WAIVABLE = (*(name for name in FIELDS if name != "metrics"), RETIRE, FLAG_RATE)
"""What `field` may say besides `metrics.<name>`."""
