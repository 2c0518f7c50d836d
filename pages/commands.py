"""A page for each command, from click."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from defendctl.cli.examples import EXAMPLES
from defendctl.cli.main import cli
from defendctl.cli.options import global_options
from pages.markdown import code, fenced, prose, table

if TYPE_CHECKING:
    from collections.abc import Iterator

_GLOBAL: Final = {option.name for option in global_options(inner=True)}


def pages() -> dict[str, str]:
    """`reference/commands/NAME.md` → text."""
    ctx = click.Context(cli, info_name="defendctl")
    return {f"reference/commands/{name}.md": _page(ctx, name) for name in cli.list_commands(ctx)}


def _page(ctx: click.Context, name: str) -> str:
    command = cli.get_command(ctx, name)
    assert command is not None
    title = f"# defendctl {name}\n\n"
    if not isinstance(command, click.Group):
        return title + _command(ctx, command, name)
    told = "".join(
        f"\n## defendctl {path} {{ #{path.replace(' ', '-')} }}\n\n{_command(ctx, one, path)}"
        for path, one in _members(ctx, command, name)
    )
    return f"{title}{_help(command)}\n{told}"


def _members(ctx: click.Context, group: click.Group, prefix: str) -> Iterator[tuple[str, click.Command]]:
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        if isinstance(command, click.Group):
            yield from _members(ctx, command, f"{prefix} {name}")
        elif command:
            yield f"{prefix} {name}", command


def _command(ctx: click.Context, command: click.Command, path: str) -> str:
    inner = click.Context(command, info_name=path, parent=ctx)
    usage = fenced(" ".join(["defendctl", path, *command.collect_usage_pieces(inner)]), "text")
    example = fenced("\n".join(EXAMPLES[path]), "sh")
    return f"{_help(command)}\n\n{usage}\nFor example:\n\n{example}\n{_options(inner, command)}"


def _help(command: click.Command) -> str:
    return prose((command.help or "").replace("\b\n", ""))


def _options(ctx: click.Context, command: click.Command) -> str:
    own = [
        p for p in command.params if isinstance(p, click.Option) and p.name not in _GLOBAL and not p.hidden
    ]
    rows = [[code(_spelling(ctx, one)), _words(ctx, one)] for one in own]
    others = "The [global options](../commands.md#options-of-all-commands) may stand here too.\n"
    return (table(["option", "meaning"], rows) + "\n" if rows else "") + others


def _spelling(ctx: click.Context, option: click.Option) -> str:
    record = option.get_help_record(ctx)
    return record[0] if record else option.opts[0]


def _words(ctx: click.Context, option: click.Option) -> str:
    record: Any = option.get_help_record(ctx)
    return prose(record[1] if record else option.help or "")


def global_table() -> str:
    """The options that every command takes."""
    ctx = click.Context(cli, info_name="defendctl")
    options = [one for one in global_options(inner=False) if isinstance(one, click.Option)]
    return table(["option", "meaning"], [[code(_spelling(ctx, one)), _words(ctx, one)] for one in options])
