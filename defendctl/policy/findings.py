"""What a team's policy says of a plan: values only. `policy/` makes them, renderers show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    import datetime

    from defendctl.diagnostics import Span


Level = Literal["warn", "deny"]
Verdict = Literal["denied", "warned", "waived"]
VERDICTS: Final[tuple[Verdict, ...]] = ("denied", "warned", "waived")


@dataclass(frozen=True, slots=True)
class Waiver:
    """One change of one field that somebody lets pass, as a manifest says it."""

    address: str
    rule: str
    field: str
    """The path of the field (`metrics.completeness`), or the action (`retire`)."""
    to: Any
    """The value that the waiver speaks of: another one needs another waiver."""
    reason: str
    approver: str
    expires: datetime.date
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule, broken or impossible to evaluate, in one place."""

    rule: str
    verdict: Verdict
    message: str
    """The author's words, or ours where the rule has none."""
    detail: str
    """What was found there and what would be right; why it could not be evaluated."""
    address: str | None = None
    """None for a rule about the whole plan, like a greatest number of creates."""
    field: str | None = None
    evaluated: bool = True
    span: Span | None = None
    """The manifest's line that breaks the rule."""
    waiver: Waiver | None = None
    """The one that lets it pass, of a verdict `waived`."""
    remedy: str | None = None
    """The exact YAML that would let it pass; None where nothing can be waived."""
