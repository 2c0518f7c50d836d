"""The commands about environments: what one is in the end, and how two differ. Offline."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from defendctl.cli import completing
from defendctl.cli.delivery import deliver, format_option
from defendctl.cli.options import Command
from defendctl.diagnostics import Usage
from defendctl.exits import Exit

if TYPE_CHECKING:
    from defendctl.cli.run import Run
    from defendctl.inspection.contrast import Comparison


@click.command("render", cls=Command)
@format_option("manifest")
@click.option("--origins", is_flag=True, help="Show the file and line that each value comes from.")
@click.pass_obj
def render(run: Run, format: str, origins: bool) -> int:
    """Print the effective manifests: with defaults filled in and the overlays of --env applied."""
    from defendctl.operations.environments import render as operation

    deliver(run, "manifest", operation(run.workspace()), format, origins=origins)
    return 0


@click.command("compare", cls=Command)
@click.argument("first", metavar="[ENV]", required=False, shell_complete=completing.environments)
@click.argument("second", metavar="[ENV]", required=False, shell_complete=completing.environments)
@click.option(
    "--against",
    metavar="REV",
    help="Compare what this environment declares with what it declared at this revision of git.",
)
@format_option("comparison")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 if they differ.")
@click.pass_obj
def compare(
    run: Run, first: str | None, second: str | None, against: str | None, format: str, detailed_exitcode: bool
) -> int:
    """Show how an environment differs from another, or from what it was, and in which direction."""
    found = _before_and_now(run, first, second, against) if against else _two(run, first, second)
    deliver(run, "comparison", found, format)
    return Exit.FOUND if detailed_exitcode and found.differs else Exit.OK


def _two(run: Run, first: str | None, second: str | None) -> Comparison:
    from defendctl.operations.environments import compare as operation
    from defendctl.operations.workspace import open_workspace

    if not (first and second):
        raise click.MissingParameter("name two, or --against REV", param_hint="ENV", param_type="argument")
    in_none = open_workspace(replace(run.settings(), env=None), choose=False)
    return operation(in_none, first, second)


def _before_and_now(run: Run, name: str | None, second: str | None, against: str) -> Comparison:
    from defendctl.operations.environments import compare_with
    from defendctl.operations.workspace import open_workspace

    if second:
        raise Usage("--against compares one environment with what it was: leave the second one out")
    settings = run.settings()
    opened = open_workspace(replace(settings, env=name or settings.env))
    run.environment = opened.project.environment
    return compare_with(opened, against)
