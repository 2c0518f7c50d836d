"""What users of other tools type, and what does that here."""

from __future__ import annotations

from typing import Final

import click

_NAMED = (
    "an environment is named by `--env NAME`, a manifest by `-f FILE`, one workflow by `--target ADDRESS`"
)
_UNASKED = "`apply --yes` does not ask"
HERE: Final = {
    ("", "destroy"): (
        "the API deletes nothing: take the workflow out of its manifest, and the next apply retires it; it "
        "stays live"
    ),
    ("", "refresh"): "`drift` says what was changed in the console; each plan reads what is live",
    ("state", "show"): "`state list` shows what is bound, `show ADDRESS` one workflow",
    ("plan", "-o"): "`--out FILE` saves the plan",
    ("plan", "--dry-run"): "`plan` only reads, always",
    ("plan", ""): _NAMED,
    ("drift", ""): _NAMED,
    ("apply", "--dry-run"): "`plan` shows what apply would do",
    ("apply", "--auto-approve"): _UNASKED,
    ("apply", "-a"): _UNASKED,
    ("fmt", "--diff"): "`fmt --check` names the files that it would change, and writes nothing",
}
"""Command, and a command or option that it has not (click reads `-out` as `-o`), or nothing for an argument
that it does not take."""


def explained_command(error: click.UsageError, name: str, ctx: click.Context) -> click.UsageError:
    """That there is no command of this name, with what does it here where that is known."""
    here = HERE.get((_path(ctx), name))
    return click.UsageError(f"No such command {name!r}: {here}.", ctx) if here else error


def explained(error: click.UsageError, ctx: click.Context) -> click.UsageError:
    """The same of an option, and of an argument too many, which alone has no type of its own."""
    if isinstance(error, click.NoSuchOption):
        here = HERE.get((_path(ctx), error.option_name))
        return click.UsageError(f"No such option {error.option_name!r}: {here}.", ctx) if here else error
    here = HERE.get((_path(ctx), "")) if type(error) is click.UsageError else None
    return click.UsageError(f"{error.message}: {here}.", ctx) if here else error


def _path(ctx: click.Context) -> str:
    """`state` of `defendctl state`."""
    return ctx.command_path.partition(" ")[2]
