"""What was changed behind our back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.plan.direction import WORST_FIRST
from defendctl.render.inert import pair
from defendctl.render.page.blocks import Facts, Foreign, Page, Paragraph, Part, Table, shown, way
from defendctl.render.plural import count

if TYPE_CHECKING:
    from defendctl.render.json.documents import DriftDocument, DriftedDocument, EditDocument
    from defendctl.render.page.blocks import Block, Words


def drift(document: DriftDocument) -> Page:
    environment = document.get("environment")
    entries = sorted(
        document["workflows"], key=lambda one: (WORST_FIRST.index(one["direction"]), one["address"])
    )
    loosened = sum(one["direction"] == "loosens" for one in entries)
    said = f"{count(len(entries), 'workflow')} edited, {loosened} loosened" if entries else "no drift"
    headline: Words = (Foreign(environment), ": ", said) if environment else (said,)
    none = Paragraph(("Nothing was changed behind our back.",))
    return Page("drift", "Guardrail drift", headline, tuple(map(_card, entries)) or (none,))


def _card(one: DriftedDocument) -> Part:
    title: Words = (Foreign(one["address"]), " ", way(one["direction"]))
    facts = Facts((("workflow", (Foreign(one["workflow_id"]),)), ("status", (Foreign(one["status"]),))))
    if one["status"] == "missing":
        return Part(title, (facts, Paragraph(("The API answers 404 for it.",))), one["address"], card=True)
    head = ("field", "applied", "live", "declared", "direction", "note")
    rows = tuple(map(_row, sorted(one["fields"], key=lambda f: WORST_FIRST.index(f["direction"]))))
    edits: tuple[Block, ...] = (Table("What was edited", head, rows),) if rows else ()
    return Part(title, (facts, *edits), one["address"], card=True)


def _row(field: EditDocument) -> tuple[Words, ...]:
    was, now = pair(field["applied"], field["before"])
    return (
        (Foreign(field["path"]),),
        (Foreign(was),),
        (Foreign(now),),
        (shown(field["after"]),),
        (way(field["direction"]),),
        _note(field),
    )


def _note(field: EditDocument) -> Words:
    if note := field.get("note"):
        return (Foreign(note),)
    if written := field.get("written"):
        return "written to ", Foreign(f"{written['file']}:{written['line']}")
    why = field.get("not_written")
    return ("not written: ", Foreign(why)) if why else ()
