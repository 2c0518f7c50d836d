"""`defendctl show`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from defendctl.cli import completing
from defendctl.cli.options import (
    format_option,
    subcommand,
)
from defendctl.exits import Exit
from defendctl.render.json import provenance as provenance_json
from defendctl.render.json import results as results_json
from defendctl.render.text import provenance as provenance_text
from defendctl.render.text import view as view_text

if TYPE_CHECKING:
    from defendctl.cli.run import Run


@subcommand("show")
@click.argument("address", shell_complete=completing.addresses)
@format_option("text", "json")
@click.option("--provenance", is_flag=True, help="Where each value comes from; also asks for an event.")
@click.pass_obj
def show(run: Run, address: str, format: str, provenance: bool) -> int:
    """Show one workflow: desired, live and applied, and how each value is known."""
    from defendctl.operations.show import show as operation

    if provenance:
        return _with_provenance(run, address, format)
    view = operation(run.workspace(), address)
    of = run.environment
    run.console.out(results_json.view(view, of) if format == "json" else view_text.view(view, of))
    return Exit.FAILED if view.status == "missing" else Exit.OK


def _with_provenance(run: Run, address: str, format: str) -> int:
    from defendctl.operations.provenance import show_provenance

    shown = show_provenance(run.workspace(), address)
    draw = provenance_json.json if format == "json" else provenance_text.text
    run.console.out(draw(shown.view, shown.known, shown.age, run.environment))
    return Exit.FAILED if shown.view.status == "missing" else Exit.OK
