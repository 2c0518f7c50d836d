"""The command that looks at everything and changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from defendctl.cli.options import Command
from defendctl.render.json import doctor as doctor_json
from defendctl.render.text import doctor as doctor_text

if TYPE_CHECKING:
    from defendctl.cli.run import Run


@click.command("doctor", cls=Command)
@click.option("--format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_obj
def doctor(run: Run, format: str) -> int:
    """Check key, project, state, lock and schemas, and say what the server answers like."""
    from defendctl.operations.doctor import doctor as operation

    checkup = operation(run.workspace())
    of, paint = run.environment, run.console.paint
    run.console.out(doctor_json.json(checkup, of) if format == "json" else doctor_text.text(checkup, paint))
    return checkup.code
