"""`defendctl init`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from defendctl.cli.options import beginning, subcommand
from defendctl.command import command
from defendctl.documentation import page_url

if TYPE_CHECKING:
    from defendctl.cli.run import Run


@subcommand("init")
@beginning
@click.pass_obj
def init(run: Run) -> int:
    """Start a project: write defendctl.yaml, an empty state, a first manifest and the schema.

    With --env NAME, begin the state of that environment.
    """
    from defendctl.operations import init as operation

    settings = replace(run.settings(), env=run.typed("env"))
    done = operation.init_environment(settings) if settings.env else operation.init(Path.cwd(), settings)
    for name in done.written:
        run.console.out(f"wrote  {name}\n")
    for name in done.left:
        run.console.out(f"left   {name} (it exists)\n")
    for warning in done.warnings:
        run.console.warn(warning)
    run.console.out(_next(settings.env))
    return 0


def _next(environment: str | None) -> str:
    """What to do with what was written."""
    if environment:
        return f"Next: commit what was written, then `{command('--env {} plan', environment)}`.\n"
    return (
        f"Next: edit workflows/, then `{command('validate')}` and `{command('plan')}`.\n"
        "Without a key: `defendctl --sandbox plan`, against an embedded API.\n"
        f"Five minutes to learn it: {page_url('tutorial/sandbox')}\n"
        "Commit what was written; it holds no secret.\n"
    )
