"""The command line as click knows it, whatever is loaded late."""

from __future__ import annotations

import click

from defendctl.cli.main import cli


def children(group: click.Group) -> dict[str, click.Command]:
    """Name → command of one group."""
    ctx = click.Context(group)
    found = {name: group.get_command(ctx, name) for name in group.list_commands(ctx)}
    return {name: command for name, command in found.items() if command}


def every_command(group: click.Group = cli, prefix: str = "") -> dict[str, click.Command]:
    """Whole name → command, without the groups themselves."""
    found: dict[str, click.Command] = {}
    for name, command in children(group).items():
        if isinstance(command, click.Group):
            found |= every_command(command, f"{prefix}{name} ")
        else:
            found[prefix + name] = command
    return found
