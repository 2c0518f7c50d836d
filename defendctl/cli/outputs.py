"""`defendctl outputs`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from defendctl.cli.delivery import append_to, deliver, format_option
from defendctl.cli.options import offline_option, subcommand
from defendctl.cli.options import selector as with_selector
from defendctl.render.registry import draw
from defendctl.render.setting import PLAIN

if TYPE_CHECKING:
    from defendctl.cli.run import Run


_WITH_RUN_MODES: Final = ("json", "text")
"""The other formats hold ids alone, and so read no manifest."""


@subcommand("outputs")
@format_option("outputs")
@with_selector
@offline_option
@click.pass_obj
def outputs(run: Run, format: str, selector: tuple[str, ...]) -> int:
    """Print address → workflow id, for the application that submits events, and its `run_mode`."""
    from defendctl.operations.show import outputs as operation

    told = operation(run.workspace(), selector, advised=format in _WITH_RUN_MODES)
    if format == "github":
        append_to("GITHUB_OUTPUT", draw("outputs", format, told, PLAIN))
    else:
        deliver(run, "outputs", told, format)
    return 0
