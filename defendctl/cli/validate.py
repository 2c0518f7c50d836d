"""`defendctl validate`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from defendctl.cli import completing
from defendctl.cli.delivery import deliver, format_option, report_option
from defendctl.cli.options import (
    ManifestPath,
    files_option,
    subcommand,
)

if TYPE_CHECKING:
    from pathlib import Path

    from defendctl.cli.run import Run
    from defendctl.operations.destinations import Destination
    from defendctl.schema.models_project import LintLevel


@subcommand("validate")
@click.argument("paths", nargs=-1, type=ManifestPath())
@files_option
@click.option(
    "-E",
    "--error",
    multiple=True,
    metavar="CODE",
    shell_complete=completing.lint_codes,
    help="Report this lint as an error.",
)
@click.option(
    "-W",
    "--warning",
    multiple=True,
    metavar="CODE",
    shell_complete=completing.lint_codes,
    help="Report this lint as a warning.",
)
@format_option("diagnostics")
@report_option("diagnostics")
@click.pass_obj
def validate(
    run: Run,
    /,
    paths: tuple[Path, ...],
    file: tuple[Path, ...],
    format: str,
    report: tuple[Destination, ...],
    warning: tuple[str, ...],
    error: tuple[str, ...],
) -> int:
    """Check every manifest and the project file, offline; `-` is stdin."""
    from defendctl.operations.validate import exits
    from defendctl.operations.validate import validate as operation

    workspace = run.workspace(choose=False)
    if report:
        from defendctl.operations.destinations import check_destinations

        check_destinations(workspace, report)
    levels: dict[str, LintLevel] = dict.fromkeys(warning, "warning")
    levels |= dict.fromkeys(error, "error")
    found = operation(workspace, [*paths, *file], levels)
    code = exits(found)
    deliver(run, "diagnostics", found, format, report, code)
    return code
