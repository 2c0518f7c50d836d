"""How two environments, or one at two revisions, differ, as text."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from defendctl.plan.direction import INDETERMINATE, LOOSENS, NONE, TIGHTENS, WORST_FIRST
from defendctl.render.inert import inert, pair, value
from defendctl.render.plural import count
from defendctl.render.setting import PLAIN
from defendctl.render.words import named, path, worst_first

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from defendctl.inspection.contrast import Comparison, Contrast, Difference
    from defendctl.render.setting import Setting


_LOOSER: Final = "looser"
_BOTH: Final = "both looser and tighter"
_UNCLEAR: Final = "looser or tighter (which cannot be told)"
_TIGHTER: Final = "tighter"
_WAYS: Final = (_LOOSER, _BOTH, _UNCLEAR, _TIGHTER)


def contrast(found: Comparison, setting: Setting = PLAIN) -> str:
    """What is looser in the second comes first."""
    lines = [f"{named(setting.environment)}From {inert(found.first)} to {found.second}, as declared:"]
    lines += [f"  {old} -> {new}  renamed" for old, new in found.renamed]
    ordered = sorted(found.differing, key=lambda one: (WORST_FIRST.index(one.direction), one.address))
    lines += [line for one in ordered for line in _contrast(one)]
    lines += [line for one in riskiest(found.besides) for line in _beside(one)]
    return "\n".join([*lines, in_words(found)]) + "\n"


def riskiest(besides: Iterable[Difference]) -> list[Difference]:
    return sorted(besides, key=lambda one: WORST_FIRST.index(one.direction))


def _beside(one: Difference) -> Iterator[str]:
    way = "" if one.direction == NONE else f"  {one.direction}"
    yield f"  {inert(one.what)}{way}"
    yield f"      {value(one.before)} -> {value(one.after)}"


def in_words(found: Comparison, name: Callable[[str], str] = inert) -> str:
    """In one or two sentences; what is looser is said first, whatever is tighter elsewhere."""
    first, second = name(found.first), name(found.second)
    if not found.differing:
        alike = count(found.alike, "workflow")
        return f"{_besides(found)}{second} does not differ from {first}: {alike} alike."
    told = list(_in_both(found, first))
    said = f"{second} {', '.join(told)}" if told else f"{second} differs from {first}"
    there = ((found.only_in(one), name(one)) for one in (found.first, found.second))
    only = [f"{number} only in {where}" for number, where in there if number]
    return _besides(found) + "; ".join([said, *only, f"{found.alike} alike"]) + "."


def _besides(found: Comparison) -> str:
    """What lets more pass is said before anything else."""
    looser = sum(one.direction == LOOSENS for one in found.besides)
    other = len(found.besides) - looser
    words = [f"{looser} of the policy's rules and waivers let more pass"] if looser else []
    words += [f"{other} of policy and settings differ otherwise"] if other else []
    return f"{', '.join(words)}. " if words else ""


def _in_both(found: Comparison, first: str) -> Iterator[str]:
    """Each workflow that both have and that differs, counted once."""
    counts = Counter(_way(one) for one in found.differing if not one.only_in)
    ways = [way for way in _WAYS if counts[way]]
    for way in ways:
        yield f"is {way} than {first} in {counts[way]}" if way == ways[0] else f"{way} in {counts[way]}"
    if counts[None]:
        how = "otherwise different" if ways else f"differs from {first}, neither looser nor tighter,"
        yield f"{how} in {counts[None]}"


def _way(one: Contrast) -> str | None:
    """Nothing is netted out, and what cannot be told is never called tighter."""
    directions = {field.direction for field in one.fields}
    if LOOSENS in directions:
        return _BOTH if TIGHTENS in directions else _LOOSER
    if INDETERMINATE in directions:
        return _UNCLEAR
    return _TIGHTER if TIGHTENS in directions else None


def _contrast(one: Contrast) -> Iterator[str]:
    if one.only_in:
        yield f"  {one.address}  only in {inert(one.only_in)}"
        return
    yield f"  {one.address}  {one.direction}".removesuffix("  none")
    for field in worst_first(one.fields):
        way = "" if field.direction == "none" else f"  {field.direction}"
        before, after = pair(field.before, field.after)
        yield f"      {path(field.path)}  {before} -> {after}{way}"
