"""`defendctl completion`."""

from __future__ import annotations

import click

from defendctl.cli.options import subcommand


@subcommand("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> int:
    """Print the completion script of a shell: eval "$(defendctl completion bash)"."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found
    ctx.obj.console.out(
        found(ctx.find_root().command, {}, "defendctl", "_DEFENDCTL_COMPLETE").source() + "\n"
    )
    return 0
