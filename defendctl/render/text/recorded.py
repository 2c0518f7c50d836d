"""Recorded tests beside a plan, for people, in lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from defendctl.render.inert import inert

if TYPE_CHECKING:
    from defendctl.render.text.paint import Paint
    from defendctl.suite.recorded import Tested, Tests


_ORDER: Final = ("passed", "failed", "flaky", "not_judged")
_SHOWN: Final = 5


def tests(found: Tests | None, paint: Paint) -> list[str]:
    if found is None:
        return []
    lines = [paint(heading(found) + ":", "cyan")]
    lines += [f"  {inert(one.address)}  {inert(of(one))}  {tally(one)}" for one in found.tested]
    return ["\n".join(lines)]


def heading(found: Tests) -> str:
    where = ", on the canary" if found.candidate else ""
    return f"Tests recorded {inert(found.at)}{where}"


def counted(one: Tested) -> str:
    counts = one.counts()
    return ", ".join(f"{counts[v]} {v.replace('_', ' ')}" for v in _ORDER if counts[v]) or "no case"


def tally(one: Tested) -> str:
    """`2 passed, 1 failed: half-an-answer`"""
    names = [inert(name) for name in one.not_passed]
    more = f" (+{len(names) - _SHOWN})" if len(names) > _SHOWN else ""
    return counted(one) + (f": {', '.join(names[:_SHOWN])}{more}" if names else "")


def of(one: Tested) -> str:
    """Of what these tests speak."""
    told = {"proposed": "of what this plan proposes", "live": "of what is live, not of this plan"}
    return told.get(one.of) or f"STALE: {one.why}"
