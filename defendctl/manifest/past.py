"""`renamed_from`, `import` and `unmanaged`: what no model says of them, in one workflow and across all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from defendctl.command import command
from defendctl.manifest.texts import ADDRESS_RULE
from defendctl.manifest.words import quoted
from defendctl.model import ADDRESS, DEFAULTS, usable_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from defendctl.diagnostics import Span
    from defendctl.manifest.report import Report
    from defendctl.manifest.validate import Declared

Fault = tuple[tuple[str | int, ...], str, str]

_OLD_NAMES = {"max_retries": ("max_retries", "max_improvement_attempts")}


def of_one(address: str, body: dict[str, Any]) -> Iterator[Fault]:
    """Path, code and message of each fault in one workflow."""
    old = body.get("renamed_from")
    if isinstance(old, str) and old == address:
        yield ("renamed_from",), "invalid-rename", f"{quoted(old)} is this very address."
    elif isinstance(old, str) and not ADDRESS.fullmatch(old):
        message = f"{quoted(old, 'This')} cannot have been an address: {ADDRESS_RULE}."
        yield ("renamed_from",), "invalid-rename", message
    taken = body.get("import")
    workflow_id = taken.get("workflow_id") if isinstance(taken, dict) else None
    if isinstance(workflow_id, str) and not usable_id(workflow_id):
        message = "A workflow id has 1 to 256 characters without blanks."
        yield ("import", "workflow_id"), "unusable-id", message
    yield from _set_and_unmanaged(body)


def _set_and_unmanaged(body: dict[str, Any]) -> Iterator[Fault]:
    left = body.get("unmanaged")
    for name in dict.fromkeys(n for n in left if isinstance(n, str)) if isinstance(left, list) else ():
        for key in _OLD_NAMES.get(name, (name,)) if name in DEFAULTS else ():
            if key in body:
                message = f"`{key}` has a value here and is `unmanaged` too; keep one of them."
                yield (key,), "conflicting-keys", message


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
            f"move them with `{command('state mv OLD NEW')}`, one of them over a third address"
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
