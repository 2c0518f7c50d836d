"""The commands that look at the state and repair it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from defendctl.cli import completing
from defendctl.cli.delivery import deliver, format_option
from defendctl.cli.options import Command, Group, offline_option
from defendctl.cli.options import selector as with_selector
from defendctl.diagnostics import Usage
from defendctl.render.inert import inert

if TYPE_CHECKING:
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

    deliver(run, "state", state_list(run.workspace(), selector), format)
    return 0


@group.command("resolve", cls=Command)
@click.argument("address", shell_complete=completing.unresolved)
@click.option("--id", metavar="WORKFLOW_ID", help="This is the workflow it created.")
@click.option("--not-created", is_flag=True, help="It created nothing.")
@click.option("--now", is_flag=True, help="The console was looked at: do not check age, name and time.")
@click.pass_obj
def resolve(run: Run, address: str, id: str | None, not_created: bool, now: bool) -> int:
    """Settle a create whose outcome is unknown."""
    from defendctl.operations.adopt import resolve_id, resolve_not_created

    if bool(id) == not_created:
        raise Usage("say either --id WORKFLOW_ID or --not-created")
    if id:
        binding = resolve_id(run.workspace(), address, id, now=now)
        run.console.out(f"{address} is bound to {inert(binding.workflow_id)}\n")
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

    for workflow_id in operation(run.workspace(), address):
        run.console.out(f"{inert(workflow_id)}\n")
    return 0


@group.command("unlock", cls=Command)
@click.argument("lock_id")
@click.pass_obj
def unlock(run: Run, lock_id: str) -> int:
    """Break the lock of a run that is gone."""
    from defendctl.operations.repair import unlock as operation

    owner = operation(run.workspace(), lock_id)
    run.console.out(f"unlocked; it was held by {inert(str(owner))}\n")
    return 0
