"""How two environments, or one at two revisions, differ, as a comment: what is looser first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from defendctl.plan.direction import LOOSENS, NONE, WORST_FIRST
from defendctl.render.inert import pair
from defendctl.render.markdown.fit import Item, Section, fit
from defendctl.render.markdown.markup import code, coded, table
from defendctl.render.plural import count
from defendctl.render.setting import PLAIN
from defendctl.render.text.contrast import in_words, riskiest
from defendctl.render.words import path, worst_first

if TYPE_CHECKING:
    from defendctl.inspection.contrast import Comparison, Contrast, Difference
    from defendctl.render.setting import Setting


_MOVES: Final = 20
"""So many renames are named."""


def contrast(found: Comparison, setting: Setting = PLAIN) -> str:
    of = f" of {code(setting.environment)}" if setting.environment else ""
    head = f"## Guardrails{of} as declared, from {code(found.first)} to {code(found.second)}\n\n"
    head += in_words(found, code) + "\n"
    head += "".join(f"\n{code(old)} is renamed to {code(new)}.\n" for old, new in found.renamed[:_MOVES])
    head += f"\nAnd {len(found.renamed) - _MOVES} more are renamed.\n" if len(found.renamed) > _MOVES else ""
    ordered = sorted(found.differing, key=lambda one: (WORST_FIRST.index(one.direction), one.address))
    groups = (
        ("Looser", [_workflow(one) for one in ordered if one.direction == LOOSENS], False),
        ("Policy and settings", [_beside(one) for one in riskiest(found.besides)], False),
        ("Other differences", [_workflow(one) for one in ordered if one.direction != LOOSENS], True),
    )
    sections = [
        Section(f"{title}: {len(items)}", tuple(items), fold) for title, items, fold in groups if items
    ]
    return fit(head, sections, "", setting.limit)


def _way(direction: str) -> str:
    return {LOOSENS: f"**{LOOSENS}**", NONE: ""}.get(direction, direction)


def _workflow(one: Contrast) -> Item:
    name = code(one.address)
    if one.only_in:
        return Item((f"**{name}** only in {code(one.only_in)}\n", f"- {name}\n", ""))
    rows = [
        (code(path(f.path)), " → ".join(map(code, pair(f.before, f.after))), _way(f.direction))
        for f in worst_first(one.fields)
    ]
    whole = f"**{name}** {_way(one.direction)}\n\n" + table(("field", "change", "direction"), rows)
    return Item((whole, f"- {name} {_way(one.direction)}: {count(len(rows), 'field')}\n", ""))


def _beside(one: Difference) -> Item:
    change = f"{coded(one.before)} → {coded(one.after)}"
    return Item((f"**{code(one.what)}** {_way(one.direction)}\n\n{change}\n", f"- {code(one.what)}\n", ""))
