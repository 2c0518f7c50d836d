"""`defendctl init`."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from defendctl.cli.delivery import deliver, format_option
from defendctl.cli.options import beginning, subcommand
from defendctl.command import command
from defendctl.diagnostics import Usage
from defendctl.documentation import page_url
from defendctl.exits import Exit
from defendctl.pipelines.wanted import JobsWanted

if TYPE_CHECKING:
    from defendctl.cli.run import Run

_OF_CI: Final = ("trusting", "no_queue", "pin", "branch", "check", "format")


def _commit(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Raises click's usage error: a tag moves, and a short hash may come to mean two commits."""
    if value is not None and not re.fullmatch(r"[0-9a-f]{40}", value):
        raise click.BadParameter(f"{value[:50]!r} is no commit; write all 40 characters of its hash")
    return value


@subcommand("init")
@beginning
@click.option("--ci", type=click.Choice(["github", "gitlab"]), help="Write the jobs of a pipeline instead.")
@click.option(
    "--trusting", is_flag=True, help="Give jobs of requests the key: they plan against what is live."
)
@click.option("--no-queue", is_flag=True, help="For a GitHub that does not know `queue: max` yet.")
@click.option("--pin", metavar="SHA", callback=_commit, help="Install by this commit of the action.")
@click.option(
    "--branch", default="main", metavar="NAME", show_default=True, help="What is merged is applied here."
)
@click.option("--check", is_flag=True, help="Write nothing; exit 2 if the files are behind this version.")
@format_option("pipelines")
@click.pass_context
def init(
    ctx: click.Context,
    /,
    ci: str | None,
    trusting: bool,
    no_queue: bool,
    pin: str | None,
    branch: str,
    check: bool,
    format: str,
) -> int:
    """Start a project: write defendctl.yaml, an empty state, a first manifest and the schema.

    With --env NAME, begin the state of that environment. With --ci, write the jobs of a pipeline for all
    environments of defendctl.yaml: plans of requests, applies of what was looked at there, drift.
    """
    run: Run = ctx.obj
    if ci is None:
        _refuse_options_of_ci(ctx)
        return _begin(run)
    from defendctl.operations.pipelines import init_pipelines

    if run.typed("env"):
        raise Usage("--ci writes jobs for all environments: leave --env out")
    if pin and ci == "gitlab":
        raise Usage("--pin names a commit of the GitHub action: leave it out, and jobs install by a lock")
    wanted = JobsWanted(ci, (), trusting=trusting, queue=not no_queue, pin=pin, branch=branch)
    done = init_pipelines(replace(run.settings(), env=None), wanted, check=check)
    deliver(run, "pipelines", done, format)
    return Exit.FOUND if check and done.behind else Exit.OK


def _refuse_options_of_ci(ctx: click.Context) -> None:
    given = click.core.ParameterSource.COMMANDLINE
    for name in _OF_CI:
        if ctx.get_parameter_source(name) == given:
            raise Usage(f"--{name.replace('_', '-')} belongs to --ci: say --ci github or --ci gitlab with it")


def _begin(run: Run) -> int:
    from defendctl.operations import init as operation

    settings = replace(run.settings(), env=run.typed("env"))
    done = operation.init_environment(settings) if settings.env else operation.init(Path.cwd(), settings)
    for name in done.written:
        run.console.out(f"wrote  {name}\n")
    for name in done.left:
        run.console.out(f"left   {name} (it exists)\n")
    for warning in done.warnings:
        run.console.warn(warning)
    run.console.out(_next(settings.env, anew=done.anew))
    return 0


def _next(environment: str | None, *, anew: bool) -> str:
    """What to do with what was written. A new state of a project that was there binds nothing."""
    if anew:
        return (
            "Next: bind each workflow that is live already, for plan and apply would make all of them anew:\n"
            f"`{command('import ADDRESS WORKFLOW_ID')}`, or `{command('import --from FILE')}` for many.\n"
            f"Then `{command('plan')}`, and commit what was written.\n"
        )
    if environment:
        return f"Next: commit what was written, then `{command('plan')}`.\n"
    return (
        f"Next: edit workflows/, then `{command('validate')}` and `{command('plan')}`.\n"
        "Without a key: `defendctl --sandbox plan`, against an embedded API.\n"
        f"Five minutes to learn it: {page_url('tutorial/sandbox')}\n"
        "Commit what was written; it holds no secret.\n"
    )
