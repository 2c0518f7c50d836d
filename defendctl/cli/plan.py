"""One wrapper a command. Each imports its operation when it runs."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import click

from defendctl.cli.delivery import deliver, format_option, report_option
from defendctl.cli.options import (
    PATH,
    RESULT,
    progress_of,
    subcommand,
)
from defendctl.cli.selecting import selecting
from defendctl.cli.telling import warn_about
from defendctl.exits import Exit, worst_exit
from defendctl.render.advice import after_plan

if TYPE_CHECKING:
    from pathlib import Path

    from defendctl.cli.run import Run
    from defendctl.operations.destinations import Destination
    from defendctl.operations.selection import Selection


@subcommand("plan")
@format_option("plan")
@report_option("plan")
@selecting
@click.option("--out", type=RESULT, help="Also save the plan, for `apply PLAN`.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 if there is anything to do.")
@click.option(
    "--refresh/--no-refresh",
    default=True,
    help="--no-refresh compares with what was last applied, not with what is live: no key, no network.",
)
@click.option(
    "--replay",
    type=click.IntRange(1, 1000),
    is_flag=False,
    flag_value=50,
    metavar="[N]",
    help="Also show what new thresholds would have done to the last N events (50) of each workflow.",
)
@click.option(
    "--labels",
    type=click.IntRange(0, 10_000),
    is_flag=False,
    flag_value=500,
    metavar="[N]",
    help="With --replay: also say which flags were right, by the label files; reads N labelled events (500) "
    "of each workflow besides the last ones.",
)
@click.option("--tests", type=PATH, metavar="FILE", help="Also show what `test --out FILE` recorded.")
@click.pass_obj
def plan(
    run: Run,
    /,
    format: str,
    report: tuple[Destination, ...],
    out: Path | None,
    detailed_exitcode: bool,
    refresh: bool,
    replay: int | None,
    labels: int | None,
    tests: Path | None,
    chosen: Selection,
) -> int:
    """Show what apply would do, and what that does to each guardrail. Reads only."""
    from defendctl.operations.destinations import Destination, check_destinations
    from defendctl.operations.plan import plan as operation

    workspace = run.workspace()
    saved = [Destination(f"--out {out}", out, "plan", "json")] if out else []
    files = [*saved, *report]
    check_destinations(workspace, files)
    chosen = replace(chosen, refresh=refresh, last_events=replay, labels=labels, tests=tests)
    made = operation(workspace, chosen, progress_of(run))
    warn_about(made, run)
    found = {Exit.FOUND} if detailed_exitcode and not made.plan.empty else set()
    code = worst_exit(found | made.exit_codes())
    deliver(run, "plan", made, format, files, code)
    if format == "text":
        run.console.advise(after_plan(made, str(out) if out else None))
    return code


class Expected(NamedTuple):
    """What `--expect` names: a plan, and the serial of the state that it was made from."""

    digest: str
    serial: int | None


def expected(value: str | None) -> Expected | None:
    """Raises click's usage error for a serial that is none."""
    if value is None:
        return None
    digest, at, serial = value.partition("@")
    if at and not re.fullmatch(r"[0-9]{1,9}", serial):
        raise click.BadParameter(f"{value[:100]!r} is not DIGEST@SERIAL, as the last line of `plan` shows it")
    return Expected(digest, int(serial) if at else None)
