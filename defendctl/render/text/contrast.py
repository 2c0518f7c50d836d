"""How two environments differ, as text and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.plan.direction import INDETERMINATE, LOOSENS, TIGHTENS, WORST_FIRST
from defendctl.render.inert import pair
from defendctl.render.setting import PLAIN
from defendctl.render.words import count, path, worst_first

if TYPE_CHECKING:
    from collections.abc import Iterator

    from defendctl.inspection.contrast import Comparison, Contrast
    from defendctl.render.setting import Setting


def contrast(found: Comparison, setting: Setting = PLAIN) -> str:
    """What is looser in the second comes first."""
    lines = [f"From {found.first} to {found.second}, as declared:"]
    ordered = sorted(found.differing, key=lambda one: (WORST_FIRST.index(one.direction), one.address))
    lines += [line for one in ordered for line in _contrast(one)]
    return "\n".join([*lines, verdict(found)]) + "\n"


def verdict(found: Comparison) -> str:
    """In one sentence; where something is looser, that is said first, whatever is tighter elsewhere."""
    if not found.differing:
        return f"{found.second} is as {found.first}: {count(found.alike, 'workflow')} alike."
    ways = (
        (LOOSENS, "looser"),
        (TIGHTENS, "tighter"),
        (INDETERMINATE, "looser or tighter, which cannot be told,"),
    )
    told = [f"{word} than {found.first} in {found.count(way)}" for way, word in ways if found.count(way)]
    said = f"is {', '.join(told)}" if told else "differs in names alone" if _both(found) else "differs"
    only = [
        f"{found.only_in(name)} only in {name}" for name in (found.first, found.second) if found.only_in(name)
    ]
    return "; ".join([f"{found.second} {said}", *only, f"{found.alike} alike"]) + "."


def _both(found: Comparison) -> bool:
    return any(one.only_in is None for one in found.differing)


def _contrast(one: Contrast) -> Iterator[str]:
    if one.only_in:
        yield f"  {one.address}  only in {one.only_in}"
        return
    yield f"  {one.address}  {one.direction}".removesuffix("  none")
    for field in worst_first(one.fields):
        way = "" if field.direction == "none" else f"  {field.direction}"
        before, after = pair(field.before, field.after)
        yield f"      {path(field.path)}  {before} -> {after}{way}"
