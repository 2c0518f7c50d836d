"""One result in the format of stdout, in those of the reports, and where GitHub Actions looks for it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from defendctl.diagnostics import DefendctlError
from defendctl.durable import append_whole
from defendctl.render import github
from defendctl.render.markdown import comment as comment_markdown
from defendctl.render.registry import FORMATS, Setting
from defendctl.render.text.paint import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from defendctl.cli.run import Run
    from defendctl.operations.destinations import Destination

_LEAST_ROOM: Final = 4_096
"""A step summary that has no more left is full."""


def report_option(kind: str) -> Callable[[Any], Any]:
    """`--report FORMAT:FILE`, of the formats that this kind of result has."""

    def parse(ctx: click.Context, param: click.Parameter, given: Sequence[str]) -> tuple[Destination, ...]:
        return tuple(_report(value, kind) for value in given)

    return click.option(
        "--report",
        callback=parse,
        multiple=True,
        metavar="FORMAT:FILE",
        help="Also write this format to a file; may be given more than once.",
    )


def _report(value: str, kind: str) -> Destination:
    """The first colon parts them, for a file may hold more of them. Raises click's usage error."""
    from defendctl.operations.destinations import Destination

    name, _, file = value.partition(":")
    known = FORMATS[kind]
    if name not in known:
        raise click.BadParameter(
            f"{name!r} is no format here; write FORMAT:FILE with one of {', '.join(known)}"
        )
    if not file:
        raise click.BadParameter(f"{value!r} names no file; write {name}:FILE")
    return Destination(f"--report {value}", Path(file), kind, name)


def deliver(run: Run, kind: str, result: Any, format: str, reports: Sequence[Destination], code: int) -> None:
    """Files first, so that they are there even if nobody reads stdout to its end; stdout whatever they do."""
    folder = _in_the_repository()
    shown = FORMATS[kind][format](kind, result, Setting(run.console.paint, folder, run.environment))
    try:
        for report in reports:
            setting = Setting(plain, folder, run.environment)
            report.write(FORMATS[kind][report.format](kind, result, setting))
        if format == "github":
            _tell_github(kind, result, code, run.environment)
    finally:
        run.console.out(shown)


def append_to(variable: str, content: str) -> None:
    """The files that a step of GitHub Actions is given. Raises DefendctlError where it is none."""
    path = os.environ.get(variable)
    if not path:
        raise DefendctlError(f"{variable} is not set: this format is for a GitHub Actions step")
    append_whole(Path(path), content.encode(errors="backslashreplace"))


def _tell_github(kind: str, result: Any, code: int, environment: str | None) -> None:
    """Outputs and summary of the step. Outside of one there are only the annotations."""
    if kind == "diagnostics":
        return
    if os.environ.get("GITHUB_OUTPUT"):
        outputs = github.plan_outputs if kind == "plan" else github.drift_outputs
        append_to("GITHUB_OUTPUT", outputs(result, code))
    if os.environ.get("GITHUB_STEP_SUMMARY"):
        _summarise(kind, result, environment)


def _summarise(kind: str, result: Any, environment: str | None) -> None:
    path = Path(os.environ["GITHUB_STEP_SUMMARY"])
    room = comment_markdown.SUMMARY - (path.stat().st_size if path.exists() else 0)
    if room > _LEAST_ROOM:
        plan = kind == "plan"
        shown = (
            comment_markdown.plan(result, room) if plan else comment_markdown.drift(result, room, environment)
        )
        append_to("GITHUB_STEP_SUMMARY", shown)


def _in_the_repository() -> str:
    """The working directory as GitHub names it, or nothing elsewhere."""
    root = os.environ.get("GITHUB_WORKSPACE")
    here, top = Path.cwd().resolve(), Path(root or "/").resolve()
    return here.relative_to(top).as_posix() if root and here.is_relative_to(top) else ""
