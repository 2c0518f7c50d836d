"""One rule that is broken in one place → a Finding, with the waiver that lets it pass or would."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from defendctl.model import FieldPath, field_of
from defendctl.policy.findings import VERDICTS, Finding
from defendctl.policy.rules import FLAG_RATE
from defendctl.policy.waivers import Waivers, remedy, waiver_for

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterable, Mapping

    from defendctl.diagnostics import Span
    from defendctl.policy.findings import Verdict
    from defendctl.policy.rules import Rule


MESSAGES: Final = {
    "min_threshold": "The threshold is lower than the policy allows.",
    "require_metrics": "A metric that the policy demands is missing.",
    "allow_types": "The policy does not allow this type.",
    "allow_tolerances": "The policy does not allow this tolerance.",
    "allow_improvement_actions": "The policy does not allow this improvement action.",
    "min_retries": "There are fewer retries than the policy demands.",
    "max_retries": "There are more retries than the policy allows.",
    "capabilities": "A capability is not in the state that the policy demands.",
    "no_loosening": "A change may not loosen a guardrail.",
    "no_indeterminate": "The direction of a change must be known.",
    "max_threshold_step": "A threshold moves further at once than the policy allows.",
    "no_retire": "A workflow may not be retired.",
    "max_creates": "One apply would create more workflows than the policy allows.",
    "max_changes": "One apply would change more workflows than the policy allows.",
    "max_flag_rate": "The proposal would flag more events than the policy allows.",
}
"""For a rule without words of its author's."""
TOO_FEW: Final = "There are too few recent events to judge this rule by."

_VERDICTS: Final[dict[str, Verdict]] = {"deny": "denied", "warn": "warned"}
_LONGEST: Final = 60


@dataclass(frozen=True, slots=True)
class Broken:
    """Where one check fails, or could not be made (`evaluated` is False then)."""

    field: str
    value: Any
    """What a waiver must name in `to`."""
    detail: str
    evaluated: bool = True
    denies: bool = True
    """Whether a rule that denies does so here; else it only says so."""


@dataclass(frozen=True, slots=True)
class Judge:
    """What every finding needs besides its rule. `places`: (address, path) → the manifest's line."""

    waivers: Waivers
    places: Mapping[tuple[str, str], Span]
    today: datetime.date

    def finding(self, rule: Rule, address: str, broken: Broken) -> Finding:
        about = (address, rule.id, broken.field, broken.value, self.today)
        waiver = waiver_for(self.waivers, *about)
        level = rule.level if broken.denies else "warn"
        verdict: Verdict = "waived" if waiver else _VERDICTS[level]
        return Finding(
            rule=rule.id,
            verdict=verdict,
            message=(rule.message or MESSAGES[rule.check]) if broken.denies else TOO_FEW,
            detail=broken.detail,
            address=address,
            field=broken.field,
            evaluated=broken.evaluated,
            span=self._place(address, broken.field),
            waiver=waiver,
            remedy=remedy(*about) if verdict == "denied" else None,
        )

    def of_the_plan(self, rule: Rule, detail: str, *, evaluated: bool = True) -> Finding:
        """It is about no address, so no waiver can speak of it."""
        message = rule.message or MESSAGES[rule.check]
        return Finding(rule.id, _VERDICTS[rule.level], message, detail, evaluated=evaluated)

    def _place(self, address: str, about: str) -> Span | None:
        said = FieldPath("metrics" if about == FLAG_RATE else about)
        nearest = ((address, said), (address, field_of(said)), (address, ""))
        return next((self.places[key] for key in nearest if key in self.places), None)


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """What is denied comes first."""
    return sorted(findings, key=lambda f: (VERDICTS.index(f.verdict), f.address or "", f.field or "", f.rule))


def said(value: Any) -> str:
    """A value in a sentence: one line, and short."""
    text = "nothing" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def named(path: str) -> str:
    """A path in a sentence; a metric's name may come from the API."""
    return path if re.fullmatch(r"[A-Za-z0-9._-]{1,80}", path) else said(path)
