"""What commands say beside their result, on stderr whatever the format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.render.inert import inert
from defendctl.render.registry import draw
from defendctl.render.setting import Setting
from defendctl.render.text import apply as apply_text
from defendctl.render.text import diagnostics as diagnostics_text
from defendctl.render.text import plan as plan_text
from defendctl.render.text import state as state_text
from defendctl.render.words import path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from defendctl.cli.run import Run
    from defendctl.diagnostics import Diagnostic
    from defendctl.operations.apply import Applied
    from defendctl.plan.drift import Drifted
    from defendctl.policy.findings import Finding
    from defendctl.review import Review
    from defendctl.suite.models import Suite


def plan_shown(made: Review, run: Run) -> str:
    return draw("plan", "text", made, Setting(run.console.paint))


def warn_about(made: Review, run: Run) -> None:
    if made.diagnostics and not run.console.quiet:
        run.console.err(diagnostics_text.listing(made.diagnostics, run.console.paint_err))


def tell_denied(findings: Sequence[Finding], run: Run) -> None:
    run.console.err(plan_text.findings(findings, run.console.paint_err))


def tell_invalid(found: Sequence[Diagnostic], run: Run) -> None:
    run.console.err(diagnostics_text.listing(found, run.console.paint_err))


def annotate(title: str, lines: Sequence[str], run: Run) -> None:
    """An error of the step for each line, where GitHub Actions looks for them."""
    from defendctl.render.github import refusals

    run.console.out(refusals(title, lines))


def tell_pending(done: Suite, run: Run) -> None:
    """What was submitted and not seen to its end: it is being paid for."""
    if done.pending:
        from defendctl.render.text import suite as suite_text

        run.console.err("\n".join(suite_text.pending(done)))


def tell_unwritten(entries: Sequence[Drifted], run: Run) -> None:
    """What drift --write left to people."""
    for entry in entries:
        for change in entry.remaining:
            reason = entry.fates[change.path].reason
            run.console.warn(f"{entry.address} {path(change.path)} was not written: {reason}")


def after(done: Applied, run: Run) -> None:
    """What must be on stderr whatever the format: unknown creates, and ids that are recorded nowhere."""
    for warning in done.warnings:
        run.console.err(inert(warning))
    for address, intent in done.unknown.items():
        run.console.err("\n".join(state_text.unresolved(address, intent)))
    for receipt in done.result.receipts:
        run.console.err("\n".join(apply_text.receipt(receipt)))
