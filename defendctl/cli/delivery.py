"""One result in the format of stdout, in those of the reports, and where GitHub Actions looks for it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from defendctl.cli.options import refuse_stdout
from defendctl.diagnostics import DefendctlError
from defendctl.durable import append_whole
from defendctl.render.markdown.fit import SUMMARY, shorten
from defendctl.render.registry import FORMATS, OUTPUTS, draw, load
from defendctl.render.setting import Setting
from defendctl.render.text.paint import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from defendctl.cli.run import Run
    from defendctl.operations.destinations import Destination

_LEAST_ROOM: Final = 4_096
"""A step summary that has no more left is full."""
_REST: Final = "\n… the rest does not fit: it is in the log.\n"


def format_option(kind: str) -> Callable[[Any], Any]:
    """`--format`, of those that this kind of result has; the first is the default."""

    def prepare(ctx: click.Context, param: click.Parameter, chosen: str) -> str:
        """Before the run: a result that was paid for must not wait for a file to be opened."""
        if not ctx.resilient_parsing:
            load(FORMATS[kind][chosen])
        return chosen

    choices = list(FORMATS[kind])
    return click.option(
        "--format",
        callback=prepare,
        type=click.Choice(choices),
        default=choices[0],
        show_default=True,
        help="What is printed.",
    )


def report_option(kind: str) -> Callable[[Any], Any]:
    """`--report FORMAT:FILE`, of the formats that this kind of result has."""

    def parse(ctx: click.Context, param: click.Parameter, given: Sequence[str]) -> tuple[Destination, ...]:
        return tuple(_report(value, kind, param, ctx) for value in given)

    return click.option(
        "--report",
        callback=parse,
        multiple=True,
        metavar="FORMAT:FILE",
        help="Also write this format to a file; may be given more than once.",
    )


def _report(value: str, kind: str, param: click.Parameter, ctx: click.Context) -> Destination:
    """The first colon parts them, for a file may hold more of them. Raises click's usage error."""
    from defendctl.operations.destinations import Destination

    name, _, file = value.partition(":")
    known = FORMATS[kind]
    if name not in known:
        raise click.BadParameter(
            f"{name!r} is not a format of this command; write FORMAT:FILE with one of {', '.join(known)}"
        )
    if not file:
        raise click.BadParameter(f"{value!r} names no file; write {name}:FILE")
    refuse_stdout(file, param, ctx)
    return Destination(f"--report {value}", Path(file), kind, name)


def deliver(
    run: Run,
    kind: str,
    result: Any,
    format: str,
    reports: Sequence[Destination] = (),
    code: int = 0,
    *,
    origins: bool = False,
    paid: bool = False,
) -> None:
    """Files first, so that they are there even if nobody reads stdout to its end; stdout whatever they do.

    `code` is what the command exits with, and `paid` what `Console.out` makes of it.
    """
    setting = Setting(run.console.paint, in_the_repository(), run.environment, origins=origins)
    try:
        for report in reports:
            report.write(draw(kind, report.format, result, replace(setting, paint=plain)))
        if format == "github" and kind in OUTPUTS:
            _tell_github(kind, result, code, setting)
    finally:
        run.console.out(draw(kind, format, result, setting), paid=paid)


def append_summary(text: str) -> None:
    """To that of the step, if this is one and as far as it has room left."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if path and (room := _summary_room(Path(path))) > _LEAST_ROOM:
        append_to("GITHUB_STEP_SUMMARY", shorten(text, room - 1, _REST) + "\n")


def append_to(variable: str, content: str) -> None:
    """The files that a step of GitHub Actions is given. Raises DefendctlError where it is none."""
    path = os.environ.get(variable)
    if not path:
        raise DefendctlError(f"{variable} is not set: this format is for a GitHub Actions step")
    append_whole(Path(path), content.encode(errors="backslashreplace"))


def _tell_github(kind: str, result: Any, code: int, setting: Setting) -> None:
    """Outputs and summary of the step. Outside of one there are only the annotations."""
    if os.environ.get("GITHUB_OUTPUT"):
        append_to("GITHUB_OUTPUT", load(OUTPUTS[kind])(result, code))
    if os.environ.get("GITHUB_STEP_SUMMARY"):
        _summarise(kind, result, setting)


def _summarise(kind: str, result: Any, setting: Setting) -> None:
    room = _summary_room(Path(os.environ["GITHUB_STEP_SUMMARY"]))
    if room > _LEAST_ROOM:
        append_to("GITHUB_STEP_SUMMARY", draw(kind, "markdown", result, replace(setting, limit=room)))


def _summary_room(path: Path) -> int:
    return SUMMARY - (path.stat().st_size if path.exists() else 0)


def in_the_repository() -> str:
    """The working directory as GitHub names it, or nothing elsewhere."""
    root = os.environ.get("GITHUB_WORKSPACE")
    if not root:
        return ""
    here, top = Path.cwd().resolve(), Path(root).resolve()
    return here.relative_to(top).as_posix() if here.is_relative_to(top) else ""
