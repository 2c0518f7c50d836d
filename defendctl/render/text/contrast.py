"""How two environments differ, as text."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from defendctl.plan.direction import INDETERMINATE, LOOSENS, TIGHTENS, WORST_FIRST
from defendctl.render.inert import pair
from defendctl.render.setting import PLAIN
from defendctl.render.words import count, path, worst_first

if TYPE_CHECKING:
    from collections.abc import Iterator

    from defendctl.inspection.contrast import Comparison, Contrast
    from defendctl.render.setting import Setting


_LOOSER: Final = "looser"
_BOTH: Final = "both looser and tighter"
_UNCLEAR: Final = "looser or tighter (which cannot be told)"
_TIGHTER: Final = "tighter"
_WAYS: Final = (_LOOSER, _BOTH, _UNCLEAR, _TIGHTER)


def contrast(found: Comparison, setting: Setting = PLAIN) -> str:
    """What is looser in the second comes first."""
    lines = [f"From {found.first} to {found.second}, as declared:"]
    ordered = sorted(found.differing, key=lambda one: (WORST_FIRST.index(one.direction), one.address))
    lines += [line for one in ordered for line in _contrast(one)]
    return "\n".join([*lines, verdict(found)]) + "\n"


def verdict(found: Comparison) -> str:
    """In one sentence; where something is looser, that is said first, whatever is tighter elsewhere."""
    if not found.differing:
        return f"{found.second} does not differ from {found.first}: {count(found.alike, 'workflow')} alike."
    told = list(_in_both(found))
    only = [
        f"{found.only_in(name)} only in {name}" for name in (found.first, found.second) if found.only_in(name)
    ]
    said = [f"{found.second} {', '.join(told)}"] if told else [f"{found.second} differs from {found.first}"]
    return "; ".join([*said, *only, f"{found.alike} alike"]) + "."


def _in_both(found: Comparison) -> Iterator[str]:
    """Each workflow that both have and that differs, counted once."""
    counts = Counter(_way(one) for one in found.differing if not one.only_in)
    ways = [way for way in _WAYS if counts[way]]
    for way in ways:
        yield f"is {way} than {found.first} in {counts[way]}" if way == ways[0] else f"{way} in {counts[way]}"
    if counts[None]:
        how = "otherwise different" if ways else f"differs from {found.first}, neither looser nor tighter,"
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
        yield f"  {one.address}  only in {one.only_in}"
        return
    yield f"  {one.address}  {one.direction}".removesuffix("  none")
    for field in worst_first(one.fields):
        way = "" if field.direction == "none" else f"  {field.direction}"
        before, after = pair(field.before, field.after)
        yield f"      {path(field.path)}  {before} -> {after}{way}"
