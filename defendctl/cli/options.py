"""The global options, which may stand before or after the command, and the commands that take them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from defendctl import __version__
from defendctl.cli.console import Console
from defendctl.diagnostics import DefendctlError

if TYPE_CHECKING:
    from defendctl.operations.workspace import Settings, Workspace


class Run:
    """What the global options said, gathered from both places."""

    def __init__(self) -> None:
        self.said: dict[str, Any] = {}
        self.console = Console()
        self.environment: str | None = None
        """The one that the command works in, once its workspace was opened."""

    def enter(self) -> None:
        self.console.no_color = bool(self.said.get("no_color"))
        self.console.quiet = bool(self.said.get("quiet"))
        self.console.verbose = bool(self.said.get("verbose"))
        folder = self.said.get("chdir")
        try:
            os.chdir(folder or ".")
        except OSError as error:
            raise DefendctlError(f"cannot work in {folder}: {error.strerror}") from error

    def settings(self) -> Settings:
        from defendctl.operations.workspace import Settings

        return Settings(
            config=self.said.get("config"),
            env=self.said.get("env"),
            sandbox=bool(self.said.get("sandbox")),
            timeout=self.said.get("timeout"),
            warn=self.console.warn,
            log=self.console.log,
        )

    def workspace(self, *, choose: bool = True) -> Workspace:
        """Without `choose`, that of a project with several environments may be in none of them."""
        from defendctl.operations.workspace import open_workspace

        opened = open_workspace(self.settings(), choose=choose)
        self.environment = opened.project.environment
        return opened


selector = click.option(
    "-l",
    "--selector",
    multiple=True,
    metavar="LABELS",
    help="Only declared workflows with these labels: team=support, tier!=test, team, !team.",
)


class Command(click.Command):
    """A command that also takes the global options."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params = [*self.params, *global_options(inner=True)]

    def invoke(self, ctx: click.Context) -> Any:
        ctx.ensure_object(Run).enter()
        return super().invoke(ctx)


class Group(click.Group):
    command_class = Command
    group_class = type


def global_options(*, inner: bool) -> list[click.Parameter]:
    """`inner` ones stand after the command and are never read from the environment twice."""

    def option(*names: str, **kwargs: Any) -> click.Option:
        extra = {"allow_from_autoenv": False} if inner else {}
        return click.Option(names, callback=_remember, expose_value=False, **{**kwargs, **extra})

    return [
        option("--config", type=click.Path(path_type=Path), help="The project file to use."),
        option("--env", metavar="NAME", help="The environment to work in; needed if there are several."),
        option("-C", "--chdir", metavar="DIR", help="Work in this folder."),
        option("--no-color", is_flag=True, help="Never use colour."),
        option("-q", "--quiet", is_flag=True, help="No progress and no warnings."),
        option("-v", "--verbose", is_flag=True, help="Tell each request on stderr."),
        option("--timeout", type=click.FloatRange(min=0.1), help="Seconds that one request may take."),
        option("--sandbox", is_flag=True, help="Use an embedded API: no key, no network."),
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            allow_from_autoenv=False,
            callback=_version,
            help="Print the version.",
        ),
    ]


def _remember(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    if value not in (None, False) and param.name:
        ctx.ensure_object(Run).said[param.name] = value
    return value


def _version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        click.echo(f"defendctl {__version__}")
        ctx.exit()
