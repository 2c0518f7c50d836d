"""A plan or drift as a comment on a pull request: what loosens first, what is harmless folded.

It holds no text from outside but in code (`markup.py`), and it fits into a comment (`fit.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from defendctl.plan.direction import LOOSENS
from defendctl.render.markdown import review as review_markdown
from defendctl.render.markdown.fit import Item, Section, fit
from defendctl.render.markdown.markup import block, code, coded, marker, table
from defendctl.render.plural import count
from defendctl.render.setting import PLAIN
from defendctl.render.words import (
    HEADINGS,
    consent,
    declared,
    drifted,
    edit,
    headline,
    no_state,
    notes,
    path,
    place,
    remark,
    riskiest_first,
    section,
    sides,
    work,
    worst_first,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from defendctl.diagnostics import Diagnostic
    from defendctl.plan.changes import Change, Plan
    from defendctl.plan.compare import FieldChange
    from defendctl.plan.drift import Drifted, FieldEdit
    from defendctl.render.setting import Setting
    from defendctl.review import Review


_FOLDED: Final = ("lateral", "tightens", "none")
_OPEN: Final = tuple(name for name in HEADINGS if name not in _FOLDED)
_FEW: Final = 3
_MOVES: Final = 20
"""So many fields are named where there is one line for a workflow."""


def plan(result: Review, setting: Setting = PLAIN) -> str:
    made = result.plan
    sections = [
        *review_markdown.denied(result.findings),
        *_changes(made, _OPEN),
        *review_markdown.replays(result.replays),
        *review_markdown.tests(result.tests),
        *review_markdown.warned(result.findings),
        *review_markdown.waived(result.findings),
        *_diagnostics(result.diagnostics),
        *_changes(made, _FOLDED),
    ]
    for_ = f" for {code(made.environment)}" if made.environment else ""
    title = f"## Guardrail plan{for_}: {headline(result)}{setting.remark}\n\n"
    head = marker("plan", made.lineage or made.environment) + title + _about(made)
    return fit(head, sections, f"Digest: `{consent(made)}`\n", setting.limit)


def drift(entries: Sequence[Drifted], setting: Setting = PLAIN) -> str:
    of = f" of {code(setting.environment)}" if setting.environment else ""
    head = marker("drift", setting.environment) + f"## Guardrail drift{of}\n\n"
    if not entries:
        return head + "No drift: nothing was changed behind our back.\n"
    ordered = riskiest_first(entries)
    loosened = [_edited(entry) for entry in ordered if entry.direction == LOOSENS]
    other = [_edited(entry) for entry in ordered if entry.direction != LOOSENS]
    sections = [*_section("Loosened in the console", loosened), *_section("Edited in the console", other)]
    return fit(head + drifted(entries) + "\n", sections, "", setting.limit)


def _about(result: Plan) -> str:
    where = f"For {place(result, code)}, generation {code(result.generation)}, state serial {result.serial}."
    lines = [f"{no_state(result)}\n\n"] if result.is_first else []
    lines.append(f"{work(result)} {where}\n")
    if not result.refreshed:
        lines.append(
            "\n**Live was not read.** What stands here as before is what was last applied, "
            "and this plan cannot be applied.\n"
        )
    if result.moves:
        shown = ", ".join(f"{code(m.old)} → {code(m.new)}" for m in result.moves[:_MOVES])
        more = f" and {len(result.moves) - _MOVES} more" if len(result.moves) > _MOVES else ""
        lines.append(f"\nRenamed (nothing is sent for this): {shown}{more}.\n")
    if result.options.target:
        lines.append(f"\n`--target` limits it to {len(result.options.target)} of the addresses.\n")
    if result.options.selector:
        lines.append(f"\n`-l` limits it to {count(len(result.changes), 'workflow')} by their labels.\n")
    return "".join(lines)


def _changes(result: Plan, names: Sequence[str]) -> list[Section]:
    found = []
    for name in names:
        items = [_change(change) for change in result.listed if section(change) == name]
        found += _section(HEADINGS[name], items, folded=name in _FOLDED)
    return found


def _section(title: str, items: list[Item], *, folded: bool = False) -> list[Section]:
    """Of workflows; nothing where there is none."""
    return [Section(f"{title}: {count(len(items), 'workflow')}", tuple(items), folded)] if items else []


def _change(change: Change) -> Item:
    name, done = code(change.address), change.action if change.action != "none" else "left as it is"
    known = f" ({code(change.workflow_id)})" if change.workflow_id else ""
    rows = [(*_row(field), remark(field, change, coded)) for field in worst_first(change.fields)]
    told = [f"**{name}** {done}{known}\n"]
    told += [table(("field", "change", "direction", "note"), rows)] if rows else []
    told += [block(notes(change))] if notes(change) else []
    least = "" if section(change) in _FOLDED else f"- {name}\n"
    return Item(("\n".join(told), f"- {name} {done}{_briefly(change.fields)}\n", least))


def _row(field: FieldChange) -> tuple[str, str, str]:
    change = " → ".join(code(side) for side in sides(field))
    return code(path(field.path)), change, _way(field)


def _way(field: FieldChange | FieldEdit) -> str:
    return "" if field.direction == "none" else _strong(field.direction)


def _strong(direction: str) -> str:
    return f"**{direction}**" if direction == LOOSENS else direction


def _briefly(fields: Sequence[FieldChange]) -> str:
    """The worst few of them in one line."""
    told = [" ".join(_row(field)[:2]) for field in worst_first(fields)[:_FEW]]
    more = [f"and {len(fields) - _FEW} more"] if len(fields) > _FEW else []
    return ": " + ", ".join(told + more) if told else ""


def _edited(entry: Drifted) -> Item:
    name = f"{code(entry.address)}"
    if entry.missing:
        whole = f"**{name}** ({code(entry.workflow_id)}): the API answers 404 for it\n"
        return Item((whole, f"- {name}\n"))
    rows = [
        (
            code(path(field.path)),
            " → ".join(code(side) for side in edit(field)),
            _way(field),
            declared(field, entry, coded, code),
        )
        for field in worst_first(entry.fields)
    ]
    whole = f"**{name}** ({code(entry.workflow_id)}) {_strong(entry.direction)}\n\n"
    return Item((whole + table(("field", "applied → live", "direction", "note"), rows), f"- {name}\n"))


def _diagnostics(found: Sequence[Diagnostic]) -> list[Section]:
    items = tuple(
        Item((f"**{code(one.code)}**{review_markdown.at(one.span)}\n\n{block([one.message])}", ""))
        for one in found
    )
    return [Section(count(len(items), "warning"), items)] if items else []
