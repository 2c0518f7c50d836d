"""Events of which it is known what tune must make of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from defendctl.event import Scored
from defendctl.evidence.tune import tune
from defendctl.evidence.tuning import Aim, Examples, Tuned, Tuning

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

M, OTHER = "completeness", "correctness"


def spread(n: int) -> list[float]:
    """Evenly from 0 up, and mixed evenly over time: neither drift nor bursts. A threshold t flags t · n."""
    step = next(k for k in (37, 41, 43, 47) if n % k)
    return [(at * step) % n / n for at in range(n)]


def event(at: int, scores: Mapping[str, float | None], mode: str | None = "fast") -> Scored:
    return Scored(f"evt_{at}", f"2026-11-{1 + at // 86_400:02}T00:00:00.{at:06}Z", mode, scores)


def events(scores: Sequence[float | None], other: float | None = None) -> list[Scored]:
    """The newest first, as they are listed."""
    more = {} if other is None else {OTHER: other}
    return [event(at, {M: score, **more}) for at, score in enumerate(scores)][::-1]


def asked(today: float | Mapping[str, float] = 0.6, **said: Any) -> Tuning:
    """`metrics` and so on are Tuning's, the rest is Aim's."""
    thresholds = {M: today} if isinstance(today, float) else dict(today)
    own = {k: said.pop(k) for k in ("confidence", "looks", "recent_only") if k in said}
    metrics = said.pop("metrics", (M,))
    return Tuning("a", "wkfl_a", metrics, thresholds, Aim(**said), **own)


def tuned(
    seen: Sequence[Scored],
    today: float | Mapping[str, float] = 0.6,
    cases: Examples | None = None,
    **said: Any,
) -> Tuned:
    return tune(asked(today, **said), seen, cases or Examples())
