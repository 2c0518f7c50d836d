"""`defendctl explain`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from defendctl.cli import completing
from defendctl.cli.delivery import deliver, format_option
from defendctl.cli.options import subcommand
from defendctl.exits import Exit

if TYPE_CHECKING:
    from defendctl.cli.run import Run


@subcommand("explain")
@click.argument("code", required=False, shell_complete=completing.codes)
@format_option("explanation")
@click.pass_obj
def explain(run: Run, code: str | None, format: str) -> int:
    """Explain the code of a diagnostic, with an example; list all codes without one. Offline."""
    from defendctl.operations.catalogue import explain as operation

    deliver(run, "explanation", operation(code), format)
    return Exit.OK
