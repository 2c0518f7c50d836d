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
    from defendctl.replay.labels import Drawn

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
    """List, draw, show, submit and watch events. Prompts and outputs are shown only with --show-content."""


@group.command("list", cls=Command)
@click.argument("address", shell_complete=completing.bound)
@click.option(
    "--limit",
    type=click.IntRange(1, 100),
    default=10,
    show_default=True,
    help="How many events to show at most.",
)
@click.option("--since", metavar="TIME", help="Of the last 100 events those from this day or time on (UTC).")
@click.option("--until", metavar="TIME", help="Of the last 100 events those up to this day or time (UTC).")
@click.option(
    "--nametag", metavar="TAG", help="Of the last 100 events those that were submitted with this one."
)
@click.option("--flagged", is_flag=True, help="Of the last 100 events those whose submitted output failed.")
@_content
@format_option("events")
@click.pass_obj
def list_(
    run: Run,
    /,
    address: str,
    limit: int,
    since: str | None,
    until: str | None,
    nametag: str | None,
    flagged: bool,
    show_content: bool,
    format: str,
) -> int:
    """The last events of a workflow, the newest first."""
    from defendctl.operations.event_filter import wanted
    from defendctl.operations.events import listed

    asks = wanted(since, until, nametag, flagged)
    found = listed(run.workspace(), address, limit, show_content, asks)
    deliver(run, "events", found, format)
    return 0


@group.command("sample", cls=Command)
@click.argument("address", shell_complete=completing.bound)
@click.option(
    "--count",
    type=click.IntRange(1, 10_000),
    default=100,
    show_default=True,
    help="How many events to draw at most.",
)
@click.option(
    "--drawn",
    type=click.Choice(["uniform", "flagged"]),
    default="uniform",
    show_default=True,
    help="By lot among all events, or among the flagged ones.",
)
@click.option(
    "--seed", metavar="TEXT", help="What decides the draw; the same seed draws the same. Default: ADDRESS."
)
@click.pass_obj
def sample(run: Run, address: str, count: int, drawn: Drawn, seed: str | None) -> int:
    """Print a label file with events drawn by lot, by their ids alone."""
    from defendctl.operations.sample import sample as operation

    run.console.out(operation(run.workspace(), address, count, drawn, seed))
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
