"""The commands about environments: what one is in the end, and how two differ. Offline."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from defendctl.cli import completing
from defendctl.cli.delivery import deliver, format_option
from defendctl.cli.options import Command
from defendctl.exits import Exit

if TYPE_CHECKING:
    from defendctl.cli.run import Run


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
@click.argument("first", metavar="ENV", shell_complete=completing.environments)
@click.argument("second", metavar="ENV", shell_complete=completing.environments)
@format_option("comparison")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 if they differ.")
@click.pass_obj
def compare(run: Run, first: str, second: str, format: str, detailed_exitcode: bool) -> int:
    """Show how the second environment differs from the first, and in which direction."""
    from defendctl.operations.environments import compare as operation
    from defendctl.operations.workspace import open_workspace

    in_none = open_workspace(replace(run.settings(), env=None), choose=False)
    found = operation(in_none, first, second)
    deliver(run, "comparison", found, format)
    return Exit.FOUND if detailed_exitcode and found.differing else Exit.OK
