"""The command that looks at everything and changes nothing."""

from __future__ import annotations

import click

from defendctl.cli.options import Command, Run


@click.command("doctor", cls=Command)
@click.option("--format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_obj
def doctor(run: Run, format: str) -> int:
    """Check key, project, state, lock and schemas, and say what the server answers like."""
    from defendctl.operations.doctor import doctor as operation
    from defendctl.render import doctor as render

    checkup = operation(run.workspace())
    of, paint = run.environment, run.console.paint
    run.console.out(render.json(checkup, of) if format == "json" else render.text(checkup, paint))
    return checkup.code
