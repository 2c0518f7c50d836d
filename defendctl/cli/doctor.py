"""The command that looks at everything and changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from defendctl.cli.delivery import deliver, format_option
from defendctl.cli.options import Command

if TYPE_CHECKING:
    from defendctl.cli.run import Run


@click.command("doctor", cls=Command)
@format_option("doctor")
@click.pass_obj
def doctor(run: Run, format: str) -> int:
    """Check key, project, state, lock and schemas, and show how the server answers."""
    from defendctl.operations.doctor import doctor as operation

    checkup = operation(run.workspace())
    deliver(run, "doctor", checkup, format)
    return checkup.code
