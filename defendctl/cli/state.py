"""The commands that look at the state and repair it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from defendctl.cli import completing
from defendctl.cli.delivery import deliver, format_option
from defendctl.cli.options import PATH, Command, Group, offline_option
from defendctl.cli.options import selector as with_selector
from defendctl.command import command
from defendctl.diagnostics import Usage
from defendctl.exits import Exit
from defendctl.render.inert import inert

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from defendctl.cli.run import Run


@click.group("state", cls=Group)
def group() -> None:
    """Look at the bindings and repair them. None of these changes a workflow."""


@group.command("list", cls=Command)
@format_option("state")
@with_selector
@offline_option
@click.pass_obj
def list_(run: Run, format: str, selector: tuple[str, ...]) -> int:
    """Bindings, creates with an unknown outcome, and retired workflows."""
    from defendctl.operations.repair import state_list

    state, left = state_list(run.workspace(), selector)
    deliver(run, "state", state, format)
    for each in left:
        run.console.err(inert(each))
    return Exit.UNKNOWN if left else 0


@group.command("resolve", cls=Command)
@click.argument("address", shell_complete=completing.unresolved)
@click.option("--id", metavar="WORKFLOW_ID", help="The create made this workflow.")
@click.option("--not-created", is_flag=True, help="The create made nothing.")
@click.option("--now", is_flag=True, help="You looked in the console: skip the checks of age, name and time.")
@click.pass_obj
def resolve(run: Run, address: str, id: str | None, not_created: bool, now: bool) -> int:
    """Settle a create whose outcome is unknown."""
    from defendctl.operations.adopt import resolve_id, resolve_not_created

    if bool(id) == not_created:
        raise Usage("give either --id WORKFLOW_ID or --not-created")
    if id:
        bound = resolve_id(run.workspace(), address, id, now=now)
        then = "is bound to" if bound else "remembers"
        run.console.out(f"{address} {then} {inert(id)}\n")
    else:
        resolve_not_created(run.workspace(), address, now=now)
        run.console.out(f"{address}: the create is settled as not created; the next apply may try again\n")
    return 0


@group.command("mv", cls=Command)
@click.argument("old", shell_complete=completing.remembered)
@click.argument("new", shell_complete=completing.declared)
@click.pass_obj
def move(run: Run, old: str, new: str) -> int:
    """Give a binding another address."""
    from defendctl.operations.repair import move as operation

    workflow_id = operation(run.workspace(), old, new)
    run.console.out(f"{new} is bound to {inert(workflow_id)}\n")
    return 0


@group.command("rm", cls=Command)
@click.argument("address", shell_complete=completing.remembered)
@click.pass_obj
def remove(run: Run, address: str) -> int:
    """Forget an address, and print the ids that it had: they stay live."""
    from defendctl.operations.repair import remove as operation

    ids = operation(run.workspace(), address)
    for workflow_id in ids:
        run.console.out(f"{inert(workflow_id)}\n")
    if ids != [address]:  # or an id was forgotten that is bound to nothing
        run.console.warn(_still_live(address, ids))
    return 0


def _still_live(address: str, ids: Sequence[str]) -> str:
    """What becomes of workflows whose address is forgotten; the newest stands last."""
    those, newest = ("it is", "it") if len(ids) == 1 else ("they are", "the last one")
    again = command("import {} {}", address, ids[-1])
    return (
        f"{those} still live, and forgotten: while a manifest declares {address}, "
        f"the next apply would create another. `{again}` binds {newest} again"
    )


@group.command("unlock", cls=Command)
@click.argument("lock_id")
@click.pass_obj
def unlock(run: Run, lock_id: str) -> int:
    """Break the lock of a run that is gone."""
    from defendctl.operations.repair import unlock as operation

    owner = operation(run.workspace(), lock_id)
    run.console.out(f"unlocked; it was held by {inert(str(owner))}\n")
    return 0


@group.command("pull", cls=Command)
@click.option("--output", type=PATH, help="Write to this file instead of stdout.")
@click.pass_obj
def pull(run: Run, output: Path | None) -> int:
    """Print the state as it is kept, with what a run recorded last folded in. Takes no lock."""
    from defendctl.operations.destinations import Destination, check_destinations
    from defendctl.operations.transfer import pull as operation

    workspace = run.workspace()
    file = Destination(f"--output {output}", output, "state", "state") if output else None
    check_destinations(workspace, [file] if file else [])
    document = operation(workspace)
    if file:
        file.write(document)
    else:
        run.console.out(document)
    return 0


@group.command("push", cls=Command)
@click.argument("file", type=PATH)
@click.option("--restore", is_flag=True, help="Also an older one, or where the state is damaged or missing.")
@format_option("push")
@click.pass_obj
def push(run: Run, file: Path, restore: bool, format: str) -> int:
    """Put a state that was pulled into the place of the one that is kept."""
    from defendctl.operations.transfer import push as operation

    deliver(run, "push", operation(run.workspace(), file, restore=restore), format)
    return 0


@group.command("migrate", cls=Command)
@click.option("--to", metavar="URL", required=True, help="A place as `state.url` says it, or FILE.json.")
@click.option("--option", metavar="NAME=VALUE", multiple=True, help="What `state.options` is to say of it.")
@format_option("migration")
@click.pass_obj
def migrate(run: Run, to: str, option: tuple[str, ...], format: str) -> int:
    """Move the state to another place; nobody goes on with the old one."""
    from defendctl.operations.migrate import migrate as operation

    deliver(run, "migration", operation(run.workspace(), to, dict(map(_named, option))), format)
    return 0


def _named(given: str) -> tuple[str, str]:
    name, equals, value = given.partition("=")
    if not (name and equals and value):
        raise Usage("--option: write NAME=VALUE, like region=eu-central-1")
    return name, value


@group.command("versions", cls=Command)
@format_option("versions")
@click.pass_obj
def versions(run: Run, format: str) -> int:
    """List what the place keeps of earlier states, and how each is restored."""
    from defendctl.operations.transfer import versions as operation

    deliver(run, "versions", operation(run.workspace()), format)
    return 0


@group.command("schema", cls=Command)
@click.pass_obj
def schema(run: Run) -> int:
    """Print the SQL of the tables that a state in PostgreSQL needs, for whoever may create them."""
    from defendctl.operations.transfer import sql_schema

    run.console.out(sql_schema())
    return 0


@group.command("paths", cls=Command)
@click.option("--all-envs", is_flag=True, help="Of every environment.")
@format_option("paths")
@click.pass_obj
def paths(run: Run, all_envs: bool, format: str) -> int:
    """List the files that hold the state, for a job that commits them. None where it is elsewhere."""
    from defendctl.operations.transfer import state_paths
    from defendctl.operations.workspace import in_none

    workspace = run.workspace(choose=not all_envs)
    deliver(run, "paths", state_paths(in_none(workspace) if all_envs else workspace), format)
    return 0
