"""The global options, which may stand before or after the command, and the commands that take them."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from defendctl import __version__
from defendctl.cli import completing
from defendctl.cli.completing import environments, folders, labels
from defendctl.cli.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable

    from defendctl.operations.progress import Progress


F = TypeVar("F", bound="Callable[..., Any]")


selector = click.option(
    "-l",
    "--selector",
    multiple=True,
    metavar="LABELS",
    shell_complete=labels,
    help="Only declared workflows with these labels: team=support, tier!=test, team, !team.",
)


def beginning(command: F) -> F:
    """The options of a command that may begin a state."""
    for option in (
        click.option(
            "--new-state",
            is_flag=True,
            expose_value=False,
            callback=_remember,
            allow_from_autoenv=False,
            help="Begin a new state where there is none.",
        ),
        click.option(
            "--no-pin",
            is_flag=True,
            expose_value=False,
            callback=_remember,
            help="Print the lineage of a new state instead of writing it into defendctl.yaml.",
        ),
    ):
        command = option(command)
    return command


older_checkout = click.option(
    "--older-checkout",
    is_flag=True,
    expose_value=False,
    callback=lambda ctx, param, value: _remember(ctx, param, value),
    allow_from_autoenv=False,
    help="Apply a checkout that is older than the one last applied.",
)


class Number(click.FloatRange):
    """One that can be reckoned with: `nan` is within every range, and a limit of `inf` is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number


class Duration(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions of click alone
    """Seconds: `90`, `90s`, `5m` or `1h`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)([smh]?)", str(value))
        if found is None:
            self.fail(f"{value!r} is no duration; write 90s, 5m or 1h.", param, ctx)
        return float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3_600}[found[2]]


offline_option = click.option(
    "--offline",
    is_flag=True,
    expose_value=False,
    callback=lambda ctx, param, value: _remember(ctx, param, value),
    help="Take a state that is elsewhere as it was read here last.",
)


class ManifestPath(click.Path):
    """A file or folder of manifests, or `-` for stdin; a file of that name is `./-`."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from defendctl.operations.stdin import STDIN

        return STDIN if value == "-" else super().convert(value, param, ctx)


class ResultPath(click.Path):
    """A file that a result goes to, and never stdout: that is what `--format` is for."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        refuse_stdout(value, param, ctx)
        return super().convert(value, param, ctx)


def refuse_stdout(value: Any, param: click.Parameter | None, ctx: click.Context | None) -> None:
    """Raises click's usage error for a dash, which would make a file of that name; one is `./-`."""
    if value == "-":
        raise click.BadParameter(
            "`-` does not mean stdout here: name a file, or leave the option out and use --format to choose "
            "what is printed",
            ctx,
            param,
        )


class _Shown(click.Command):
    """Whose help ends with examples, and with the address of its page."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from defendctl.cli.examples import examples_of
        from defendctl.documentation import page_of_command

        path = ctx.command_path.partition(" ")[2]
        with formatter.section("Examples"):
            for line in examples_of(path):
                formatter.write(f"{' ' * formatter.current_indent}{line}\n")
        formatter.write(f"\nMore: {page_of_command(path)}\n")


class _NothingEmpty(_Shown):
    """Refuses empty words: a variable that is not set must not read as "here" or "all"."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if ctx.resilient_parsing:
            return super().parse_args(ctx, args)
        try:
            self._refuse_empty(ctx, args)
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            from defendctl.cli.elsewhere import explained

            raise explained(error, ctx) from None

    def _refuse_empty(self, ctx: click.Context, args: list[str]) -> None:
        """Before a path makes the working directory of it. Raises click's usage errors."""
        given, _, _ = self.make_parser(ctx).parse_args(list(args))
        for param in self.get_params(ctx):
            value = given.get(param.name or "")
            if "" in (value if isinstance(value, list | tuple) else (value,)):
                raise click.BadParameter("the value is empty; is a variable not set?", ctx, param)


class Command(_NothingEmpty):
    """A command that also takes the global options."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params = [*self.params, *global_options(inner=True)]

    def invoke(self, ctx: click.Context) -> Any:
        ctx.ensure_object(Run).enter()
        return super().invoke(ctx)


class Group(_NothingEmpty, click.Group):
    command_class = Command
    group_class = type

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from defendctl.cli.elsewhere import explained_command

            raise explained_command(error, args[0], ctx) from None


def global_options(*, inner: bool) -> list[click.Parameter]:
    """`inner` ones stand after the command and are never read from the environment twice."""

    def option(*names: str, **kwargs: Any) -> click.Option:
        extra = {"allow_from_autoenv": False} if inner else {}
        return click.Option(names, callback=_remember, expose_value=False, **{**kwargs, **extra})

    return [
        option("--config", type=click.Path(path_type=Path), help="The project file to use."),
        option(
            "--env",
            metavar="NAME",
            shell_complete=environments,
            help="The environment to work in; needed if there are several.",
        ),
        option("-C", "--chdir", metavar="DIR", shell_complete=folders, help="Work in this folder."),
        option("--no-color", is_flag=True, help="Never use colour."),
        option("-q", "--quiet", is_flag=True, help="No progress and no warnings."),
        option("-v", "--verbose", is_flag=True, help="Log each request on stderr."),
        option("--timeout", type=Number(0.1, 86_400), help="Seconds that one request may take."),
        option(
            "--state-url",
            metavar="URL",
            help="Where the state is, instead of what defendctl.yaml says; its lineage is not written there.",
        ),
        option(
            "--lock-timeout",
            type=Duration(),
            metavar="DURATION",
            help="How long to wait for the lock of another run, like 5m. Default: not at all.",
        ),
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
        ctx.ensure_object(Run).remember(
            param.name, value, typed=ctx.get_parameter_source(param.name) == ParameterSource.COMMANDLINE
        )
    return value


def _version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        click.echo(f"defendctl {__version__}")
        ctx.exit()


PATH = click.Path(path_type=Path)
RESULT = ResultPath()


def subcommand(name: str) -> Callable[[Callable[..., Any]], Command]:
    return click.command(name, cls=Command)


files_option = click.option("-f", "--file", type=PATH, multiple=True, help="Read these manifests instead.")
parallelism_option = click.option(
    "--parallelism",
    type=click.IntRange(1, 256),
    default=10,
    show_default=True,
    help="How many requests run at once.",
)
target_option = click.option(
    "--target",
    multiple=True,
    metavar="ADDRESS",
    allow_from_autoenv=False,
    shell_complete=completing.addresses,
    help="Only this address.",
)
replace_option = click.option(
    "--replace",
    multiple=True,
    metavar="ADDRESS",
    allow_from_autoenv=False,
    shell_complete=completing.declared,
    help="Make a new workflow for this address; the old one stays live.",
)


def progress_of(run: Run) -> Progress:
    from defendctl.operations.progress import Progress

    return Progress(run.console.ticker.start, run.console.ticker.step)
