"""The commands that look at events, and submit them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from defendctl.cli import completing
from defendctl.cli.delivery import deliver, format_option
from defendctl.cli.options import Command, Group, Number
from defendctl.command import command
from defendctl.diagnostics import DefendctlError
from defendctl.exits import Exit
from defendctl.render.inert import inert

if TYPE_CHECKING:
    from defendctl.cli.run import Run
    from defendctl.event import Event

_content = click.option(
    "--show-content", is_flag=True, help="Also show prompts, outputs, rationales and the nametag."
)
wait = click.option(
    "--wait",
    type=Number(0, 86_400),
    default=300.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for an evaluation to end.",
)


@click.group("events", cls=Group)
def group() -> None:
    """List, show, submit and watch events. Prompts and outputs are shown only with --show-content."""


@group.command("list", cls=Command)
@click.argument("address", shell_complete=completing.bound)
@click.option(
    "--limit",
    type=click.IntRange(1, 100),
    default=10,
    show_default=True,
    help="How many events to show at most.",
)
@_content
@format_option("events")
@click.pass_obj
def list_(run: Run, address: str, limit: int, show_content: bool, format: str) -> int:
    """The last events of a workflow, the newest first."""
    from defendctl.operations.events import listed

    found = listed(run.workspace(), address, limit, show_content)
    deliver(run, "events", found, format)
    return 0


@group.command("show", cls=Command)
@click.argument("address", shell_complete=completing.bound)
@click.argument("event_id")
@_content
@format_option("event")
@click.pass_obj
def show(run: Run, address: str, event_id: str, show_content: bool, format: str) -> int:
    """One event: its scores against their thresholds, and the chain of improvement attempts."""
    from defendctl.operations.events import shown

    found = shown(run.workspace(), address, event_id, show_content)
    deliver(run, "event", found, format)
    return 0


@group.command("submit", cls=Command)
@click.argument("address", shell_complete=completing.bound)
@click.option(
    "--input",
    type=click.Path(path_type=Path),
    required=True,
    help="A YAML or JSON file that holds the event.",
)
@format_option("submission")
@click.pass_obj
def submit(run: Run, address: str, input: Path, format: str) -> int:
    """Submit one event and print its id. It is sent once, and its evaluation costs money."""
    from defendctl.operations.events import submitted

    done = submitted(run.workspace(), address, input)
    deliver(run, "submission", done, format, paid=True)
    if done.why:
        told = {"refused": "refused", "not_sent": "not sent", "unknown": "the outcome is unknown"}
        hint = f"`{command('events list {}', address)}` may show it" if done.outcome == "unknown" else None
        run.console.error(DefendctlError(f"{address}: {told[done.outcome]}: {done.why}", hint))
    return done.exit_code


@group.command("watch", cls=Command)
@click.argument("address", shell_complete=completing.bound)
@click.argument("event_id")
@wait
@_content
@format_option("event")
@click.pass_obj
def watch(run: Run, address: str, event_id: str, wait: float, show_content: bool, format: str) -> int:
    """Wait until an event is evaluated, then show it. Exits 1 if that takes too long or breaks off."""
    from defendctl.operations.events import watched

    def on_poll(event: Event) -> None:
        run.console.ticker.tell(inert(f"waiting for {event_id}: {event.status.replace('_', ' ')}"))

    found = watched(run.workspace(), address, event_id, wait, show_content, on_poll)
    deliver(run, "event", found, format)
    if not found.event.ended:
        run.console.error(DefendctlError(f"the evaluation of {event_id} did not end within {wait:g} s"))
    return Exit.OK if found.event.status == "completed" else Exit.FAILED
