"""What commands say beside their result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.render.inert import inert
from defendctl.render.text import apply as apply_text
from defendctl.render.text import diagnostics as diagnostics_text
from defendctl.render.text import plan as plan_text

if TYPE_CHECKING:
    from defendctl.cli.run import Run
    from defendctl.operations.apply import Applied
    from defendctl.review import Review


def plan_shown(made: Review, run: Run) -> str:
    return plan_text.plan(made, run.console.paint)


def warn_about(made: Review, run: Run) -> None:
    if made.diagnostics and not run.console.quiet:
        run.console.err(diagnostics_text.diagnostics(made.diagnostics, run.console.paint_err))


def after(done: Applied, run: Run) -> None:
    """What must be on stderr whatever the format: unknown creates, and ids that are recorded nowhere."""
    for warning in done.warnings:
        run.console.err(inert(warning))
    for address, intent in done.unknown.items():
        run.console.err("\n".join(apply_text.unresolved(address, intent)))
    for receipt in done.result.receipts:
        run.console.err("\n".join(apply_text.receipt(receipt)))
