"""How two environments, or one at two revisions, differ, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.plan.direction import INDETERMINATE, LOOSENS, NONE, TIGHTENS, WORST_FIRST
from defendctl.render.inert import inert, pair, value
from defendctl.render.setting import PLAIN
from defendctl.render.words import count, named, path, worst_first

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from defendctl.inspection.contrast import Comparison, Contrast, Difference
    from defendctl.render.setting import Setting


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
    only = [f"{found.only_in(one)} only in {name(one)}" for one in (found.first, found.second)]
    parts = [f"{second} {_differs(found, first)}", *(each for each in only if not each.startswith("0 "))]
    whole = "; ".join([*parts, f"{found.alike} alike"])
    if not found.differing:
        whole = f"{second} is as {first}: {count(found.alike, 'workflow')} alike"
    return f"{_besides(found)}{whole}."


def _differs(found: Comparison, first: str) -> str:
    ways = (
        (LOOSENS, "looser"),
        (TIGHTENS, "tighter"),
        (INDETERMINATE, "looser or tighter, which cannot be told,"),
    )
    told = [f"{word} than {first} in {found.count(way)}" for way, word in ways if found.count(way)]
    if told:
        return f"is {', '.join(told)}"
    return "differs in names alone" if _both(found) else "differs"


def _besides(found: Comparison) -> str:
    """What lets more pass is said before anything else."""
    looser = sum(one.direction == LOOSENS for one in found.besides)
    other = len(found.besides) - looser
    words = [f"{looser} of the policy's rules and waivers let more pass"] if looser else []
    words += [f"{other} of policy and settings differ otherwise"] if other else []
    return f"{', '.join(words)}. " if words else ""


def _both(found: Comparison) -> bool:
    return any(one.only_in is None for one in found.differing)


def _contrast(one: Contrast) -> Iterator[str]:
    if one.only_in:
        yield f"  {one.address}  only in {inert(one.only_in)}"
        return
    yield f"  {one.address}  {one.direction}".removesuffix("  none")
    for field in worst_first(one.fields):
        way = "" if field.direction == "none" else f"  {field.direction}"
        before, after = pair(field.before, field.after)
        yield f"      {path(field.path)}  {before} -> {after}{way}"
