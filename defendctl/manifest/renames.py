"""`renamed_from`, `import` and `unmanaged`: what no model says of them, in one workflow and across all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.command import command
from defendctl.yamltext.quote import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from defendctl.diagnostics import Span
    from defendctl.manifest.declared import Declared
    from defendctl.yamltext.report import Report


def across(kept: Mapping[str, Declared], report: Report) -> None:
    """What contradicts another workflow, wherever that stands."""
    old_names: dict[str, str] = {}
    ids: dict[str, str] = {}
    for address, one in sorted(kept.items()):
        if one.renamed_from:
            message = _rename(address, one.renamed_from, old_names, kept)
            if message:
                report.error("invalid-rename", message, _at(one, "renamed_from"))
        if one.imports:
            first = ids.setdefault(one.imports, address)
            if first != address:
                message = f"{quoted(one.imports)} is imported by {first} already; an id has one address."
                report.error("duplicate-id", message, _at(one, "import"))


def _rename(address: str, old: str, seen: dict[str, str], kept: Mapping[str, Declared]) -> str | None:
    first = seen.setdefault(old, address)
    if first != address:
        return f"{first} is renamed from {old} already; only one of them can be."
    if old not in kept:
        return None
    further = kept[old].renamed_from
    if further and _leads_to(address, old, kept):
        return (
            f"{address} and {old} are renamed in a circle; "
            f"move them with `{command('state mv OLD NEW')}`, one of them by way of a third address"
        )
    way = (
        f"; {old} itself is renamed from {further}: apply that first, then rename once more"
        if further
        else ""
    )
    return f"{old} is still declared, so nothing can be renamed from it{way or '; take one of the two out'}."


def _leads_to(address: str, start: str, kept: Mapping[str, Declared]) -> bool:
    """Whether the renames from `start` on come to `address` again; each is looked at once."""
    passed: set[str] = set()
    while start in kept and start not in passed:
        passed.add(start)
        start = kept[start].renamed_from
    return start == address or address in passed


def _at(one: Declared, key: str) -> Span:
    return one.placed.of(key)
