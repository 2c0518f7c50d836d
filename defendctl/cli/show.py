"""`defendctl show`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from defendctl.cli import completing
from defendctl.cli.delivery import deliver, format_option
from defendctl.cli.options import subcommand
from defendctl.exits import Exit

if TYPE_CHECKING:
    from defendctl.cli.run import Run


@subcommand("show")
@click.argument("address", shell_complete=completing.addresses)
@format_option("workflow")
@click.option(
    "--provenance", is_flag=True, help="Also show where each value comes from; reads the newest event too."
)
@click.option("--stats", is_flag=True, help="Also show what the live workflow counts of itself.")
@click.pass_obj
def show(run: Run, address: str, format: str, provenance: bool, stats: bool) -> int:
    """Show one workflow: desired, live and applied, and how each value is known."""
    from defendctl.operations.show import show as operation

    if provenance and stats:
        raise click.UsageError(
            "--stats and --provenance are two looks at one workflow: leave one of them out"
        )
    if provenance:
        return _with_provenance(run, address, format)
    view = operation(run.workspace(), address, stats)
    deliver(run, "workflow", view, format)
    return Exit.FAILED if view.status == "missing" else Exit.OK


def _with_provenance(run: Run, address: str, format: str) -> int:
    from defendctl.operations.provenance import show_provenance

    shown = show_provenance(run.workspace(), address)
    deliver(run, "provenance", shown, format)
    return Exit.FAILED if shown.view.status == "missing" else Exit.OK
