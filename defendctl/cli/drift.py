"""`defendctl drift`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from defendctl.cli import completing
from defendctl.cli.delivery import deliver, format_option, report_option
from defendctl.cli.options import (
    files_option,
    parallelism_option,
    progress_of,
    subcommand,
)
from defendctl.cli.options import selector as with_selector
from defendctl.cli.telling import tell_unwritten
from defendctl.diagnostics import Usage
from defendctl.exits import worst_exit
from defendctl.plan.drift import exit_codes, ignoring

if TYPE_CHECKING:
    from pathlib import Path

    from defendctl.cli.run import Run
    from defendctl.operations.destinations import Destination


@subcommand("drift")
@format_option("drift")
@report_option("drift")
@click.option(
    "--write",
    is_flag=True,
    help="Write what is live into the manifests, and change only the lines that differ.",
)
@click.option(
    "--overwrite",
    multiple=True,
    metavar="ADDRESS",
    shell_complete=completing.bound,
    help="With --write: take what is live for this address, even where git changed too.",
)
@click.option(
    "--ignore",
    multiple=True,
    metavar="FIELD",
    shell_complete=completing.fields,
    help="Ignore this field or path.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["any", "indeterminate", "loosens"]),
    default="any",
    show_default=True,
    help="Exit 2 only if a difference is at least this bad; loosens is the worst.",
)
@files_option
@with_selector
@parallelism_option
@click.pass_obj
def drift(
    run: Run,
    /,
    format: str,
    report: tuple[Destination, ...],
    write: bool,
    overwrite: tuple[str, ...],
    ignore: tuple[str, ...],
    fail_on: str,
    file: tuple[Path, ...],
    selector: tuple[str, ...],
    parallelism: int,
) -> int:
    """Show what was changed behind our back, and exit 2 if anything was. Writes nothing without --write."""
    from defendctl.operations import drift_write
    from defendctl.operations.destinations import check_destinations
    from defendctl.operations.drift import drift as operation
    from defendctl.operations.selection import Selection

    workspace = run.workspace()
    check_destinations(workspace, report)
    if overwrite and not write:
        raise Usage("--overwrite needs --write")
    drift_write.check_ignored(workspace, ignore)
    selection = Selection(files=file, selector=selector, parallelism=parallelism)
    desired = workspace.desired(file or None)
    entries = ignoring(operation(workspace, desired, selection, progress_of(run)), ignore)
    if write:
        drift_write.check_overwritten(entries, overwrite)
        entries = drift_write.write_back(workspace, file, desired, entries, overwrite)
        tell_unwritten(entries, run)
    code = worst_exit(exit_codes(entries, None if fail_on == "any" else fail_on))
    deliver(run, "drift", entries, format, report, code)
    return code
