"""`max_flag_rate`: how many recent events the proposal may flag, as a share of them or as an exact promise.

An event whose verdict is unknown may be flagged or not: only what is certain breaks the number form or holds
it, and for the exact form it counts as flagged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from defendctl.evidence.bounds import lower_limit
from defendctl.plan.diff import EPSILON
from defendctl.policy.finding import Broken
from defendctl.policy.rules import FLAG_RATE, FlagRate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from defendctl.replay.replay import Replay, Together

_DELTA: Final = 0.05
"""Of the lower bound by which the number form breaks although there are too few events."""


def judge_flag_rate(replay: Replay | None, limit: float | FlagRate) -> Iterator[Broken]:
    """Of one workflow whose thresholds move."""
    if replay is None or replay.why_not:
        why = replay.why_not if replay else "it was not replayed"
        yield Broken(FLAG_RATE, None, f"the flag rate is not known: {why}", evaluated=False)
    elif isinstance(limit, FlagRate):
        yield from _exact(replay, limit)
    elif replay.enough:
        yield from _rate(replay, limit)
    else:
        yield _rate_of_few(replay, limit)


def _exact(replay: Replay, limit: FlagRate) -> Iterator[Broken]:
    allowed = limit.allows(replay.events)
    promised = f"at most {_asked(limit.rate)} with a confidence of {limit.confidence:.4g}"
    if replay.after is None or allowed is None:
        detail = f"{replay.events} of {limit.needs} events that it takes to prove {promised}"
        yield Broken(FLAG_RATE, None, detail, evaluated=False)
    elif replay.after.fails + replay.after.unknown > allowed:
        most = (replay.after.fails + replay.after.unknown) / replay.events
        detail = f"{_told(replay, replay.after)}; at most {allowed} may be, to prove {promised}"
        yield Broken(FLAG_RATE, most, detail)


def _rate_of_few(replay: Replay, limit: float) -> Broken:
    """Broken only where the least that the rate may be of all events is too much; else not judged."""
    fails = replay.after.fails if replay.after else 0
    least = lower_limit(fails, replay.events, _DELTA)
    if least > limit + EPSILON and replay.after and replay.after.bounds:
        told = f"{fails} of {replay.events} events would be flagged, so at least {least:.1%} of all (95 %)"
        return Broken(FLAG_RATE, replay.after.bounds[1], f"{told}; at most {_asked(limit)} is allowed")
    few = f"not judged, {replay.events} of {replay.needed} events that it needs"
    return Broken(FLAG_RATE, None, few, evaluated=False, denies=False)


def _rate(replay: Replay, limit: float) -> Iterator[Broken]:
    """What is unknown may all be flagged, or none of it: only what is certain breaks or holds the rule."""
    bounds = replay.after.bounds if replay.after else None
    if replay.after is None or bounds is None:
        detail = f"of the last {replay.events} events none has the scores that are needed"
        yield Broken(FLAG_RATE, None, detail, evaluated=False)
        return
    least, most = bounds
    told = _told(replay, replay.after)
    if least > limit + EPSILON:
        yield Broken(FLAG_RATE, most, f"{told}; at most {_asked(limit)} is allowed")
    elif most > limit + EPSILON:
        detail = f"{told}: whether that is more than {_asked(limit)} cannot be told"
        yield Broken(FLAG_RATE, most, detail, evaluated=False)


def _asked(limit: float) -> str:
    """As it was written, not rounded: `0.25%`."""
    return f"{round(100 * limit, 6):g}%"


def _told(replay: Replay, after: Together) -> str:
    share = after.fails / replay.events
    unknown = f", and for {after.unknown} that is unknown" if after.unknown else ""
    return f"{after.fails} of {replay.events} events would be flagged ({share:.1%}){unknown}"
