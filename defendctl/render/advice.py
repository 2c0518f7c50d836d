"""What a person at a terminal does next, in one line. Pure; never part of a result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.command import command
from defendctl.exits import Exit, worst_exit

if TYPE_CHECKING:
    from defendctl.review import Review


def after_plan(review: Review, saved: str | None) -> str:
    """`saved` is where the plan was kept."""
    if review.denied:
        return "undo the change, or paste the waiver above and fill it in; until then apply does nothing."
    if review.plan.blocked_exits():
        return "see what is blocked: the plan names each way out."
    if worst_exit(review.exit_codes()) != Exit.OK:
        return "settle what is said above, then plan again."
    if review.plan.empty:
        return f"nothing is to be done. `{command('drift')}` tells when somebody edits in the console."
    if saved:
        return f"have it reviewed, then `{command('apply {}', saved)}` does this and nothing else."
    keep = command("plan --out plan.json")
    return f"`{command('apply')}` shows this again and asks; `{keep}` keeps it for a review."
