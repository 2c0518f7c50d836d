"""One workflow as text: declared, bound and live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.render.inert import inert
from defendctl.render.setting import PLAIN
from defendctl.render.text.plan import ALIGNED, sides_of
from defendctl.render.words import (
    named,
    path,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from defendctl.inspection.view import View
    from defendctl.render.setting import Setting


def view(shown: View, setting: Setting = PLAIN) -> str:
    head = f"{named(setting.environment)}{inert(shown.address)}  {inert(shown.workflow_id or 'not bound')}"
    head += f"  {inert(shown.status)}" if shown.status else ""
    rows = [("field", "desired", "live", "applied", "known by")]
    rows += [
        (path(row.path), *sides_of(row, row.path in shown.unmanaged), row.basis or "-")
        for row in shown.fields
    ]
    return "\n".join([head, *_table(rows), *_stats(shown)]) + "\n"


def _stats(shown: View) -> Iterator[str]:
    if shown.stats is not None and not shown.stats:
        yield "  the API tells no stats of it"
    for key, number in (shown.stats or {}).items():
        yield f"  {key.replace('_', ' ')}: {number:g}"


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(n for row in rows if (n := len(row[i])) <= ALIGNED) for i in range(len(rows[0]))]
    return [
        "  " + "  ".join(f"{cell:<{w}}" for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
