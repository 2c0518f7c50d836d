"""`defendctl outputs`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from defendctl.cli.delivery import append_to
from defendctl.cli.options import (
    format_option,
    subcommand,
)
from defendctl.cli.options import selector as with_selector
from defendctl.diagnostics import DefendctlError
from defendctl.render import dotenv, shell
from defendctl.render.json import results as results_json

if TYPE_CHECKING:
    from defendctl.cli.run import Run


@subcommand("outputs")
@format_option("json", "env", "github", "dotenv")
@with_selector
@click.pass_obj
def outputs(run: Run, format: str, selector: tuple[str, ...]) -> int:
    """Print address → workflow id, for the application that submits events. Offline."""
    from defendctl.operations.show import environment
    from defendctl.operations.show import outputs as operation

    ids = operation(run.workspace(), selector)
    if format == "github":
        append_to("GITHUB_OUTPUT", "".join(f"{name}={workflow_id}\n" for name, workflow_id in ids.items()))
    elif format == "env":
        run.console.out(shell.assignments(environment(ids)))
    elif format == "dotenv":
        run.console.out(_dotenv(environment(ids)))
    else:
        run.console.out(results_json.outputs(ids, run.environment))
    return 0


def _dotenv(values: dict[str, str]) -> str:
    try:
        return dotenv.assignments(values)
    except ValueError as error:
        raise DefendctlError(str(error), "`--format json` can hold every id") from None
