"""`defendctl import`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from defendctl.cli import completing
from defendctl.cli.import_many import how_to_paste, import_many
from defendctl.cli.options import (
    PATH,
    beginning,
    parallelism_option,
    subcommand,
)
from defendctl.diagnostics import DefendctlError, Usage
from defendctl.render.inert import inert

if TYPE_CHECKING:
    from pathlib import Path

    from defendctl.cli.run import Run


@subcommand("import")
@click.argument("address", required=False, shell_complete=completing.declared)
@click.argument("workflow_id", required=False)
@click.option(
    "--from",
    "source",
    envvar="DEFENDCTL_IMPORT_FROM",  # its own name, which Python keeps for itself, would give this one
    allow_from_autoenv=False,
    type=PATH,
    metavar="FILE",
    help="Import many at once: a CSV or JSON file with addresses and ids.",
)
@click.option(
    "--write",
    type=PATH,
    metavar="PATH",
    help="With --from: write manifests for addresses that are not declared, into a folder or one .yaml file.",
)
@click.option(
    "--now", is_flag=True, help="You looked in the console: bind also what has the name of another address."
)
@beginning
@parallelism_option
@click.pass_obj
def import_(
    run: Run,
    address: str | None,
    workflow_id: str | None,
    source: Path | None,
    write: Path | None,
    now: bool,
    parallelism: int,
) -> int:
    """Bind existing workflows to declared addresses."""
    if source and not address:
        return import_many(run, source, write, parallelism, now=now)
    if source or write or not (address and workflow_id):
        raise Usage("import takes ADDRESS and WORKFLOW_ID, or --from FILE [--write PATH]")
    return _import_one(run, address, workflow_id, now=now)


def _import_one(run: Run, address: str, workflow_id: str, *, now: bool) -> int:
    from defendctl.operations.adopt import Undeclared, import_workflow
    from defendctl.render.yaml import manifest

    try:
        binding = import_workflow(run.workspace(), address, workflow_id, now=now)
    except Undeclared as found:
        run.console.out(manifest(found.address, found.fields))
        raise DefendctlError(
            f"{address} is not declared, so nothing was bound", how_to_paste([found])
        ) from None
    run.console.out(f"{address} is bound to {inert(binding.workflow_id)}\n")
    if binding.assumed:
        fields = ", ".join(sorted(binding.assumed))
        run.console.warn(f"{fields} cannot be read back; they are assumed to be as the manifest says")
    return 0
