"""`defendctl report`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from defendctl.cli.delivery import deliver, format_option, report_option
from defendctl.cli.options import PATH, parallelism_option, progress_of, subcommand
from defendctl.diagnostics import Usage
from defendctl.exits import Exit

if TYPE_CHECKING:
    from pathlib import Path

    from defendctl.cli.run import Run
    from defendctl.operations.destinations import Destination


@subcommand("report")
@click.argument("files", nargs=-1, type=PATH, metavar="[FILE]...")
@format_option("report")
@report_option("report")
@click.option(
    "--fleet", is_flag=True, help="Every workflow on one page, the worst first: reads what is live."
)
@click.option(
    "--last",
    type=click.IntRange(1, 1000),
    default=50,
    show_default=True,
    help="With --fleet: so many events of each workflow.",
)
@click.option("--tests", type=PATH, metavar="FILE", help="With --fleet: what `test --out FILE` recorded.")
@parallelism_option
@click.pass_obj
def report(
    run: Run,
    /,
    files: tuple[Path, ...],
    format: str,
    report: tuple[Destination, ...],
    fleet: bool,
    last: int,
    tests: Path | None,
    parallelism: int,
) -> int:
    """Draw what plan, drift, test or tune saved as JSON. Offline, but with --fleet. Reads only."""
    from defendctl.operations.destinations import check_destinations
    from defendctl.operations.reports import read_reports

    if fleet == bool(files):
        raise Usage("name saved FILEs, or ask for --fleet" if not fleet else "--fleet takes no FILE")
    if not fleet:
        if report:
            check_destinations(run.workspace(choose=False), report)
        deliver(run, "report", read_reports(files), format, report)
        return Exit.OK
    from defendctl.operations.fleet import fleet as operation

    workspace = run.workspace()
    check_destinations(workspace, report)
    made = operation(workspace, last, tests, parallelism, progress_of(run))
    deliver(run, "report", made, format, report)
    return Exit.OK
