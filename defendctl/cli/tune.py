"""`defendctl tune`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from defendctl.cli import completing
from defendctl.cli.delivery import deliver, format_option, report_option
from defendctl.cli.options import PATH, progress_of, subcommand
from defendctl.cli.telling import tell_unwritten
from defendctl.diagnostics import DefendctlError, Usage
from defendctl.evidence.tuning import Aim, Prices
from defendctl.exits import Exit

if TYPE_CHECKING:
    from pathlib import Path

    from defendctl.cli.run import Run
    from defendctl.operations.destinations import Destination
    from defendctl.operations.tune import Asked, Writing


class Share(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions of click alone
    """A rate: `5%` or `0.05`."""

    name = "rate"

    def __init__(self, least: float, most: float) -> None:
        self.least, self.most = least, most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        found = re.fullmatch(r"(\d{1,3}(?:\.\d{1,6})?|\.\d{1,6})\s*(%?)", str(value))
        share = float(found[1]) / (100 if found[2] else 1) if found else -1.0
        if not self._holds(share):
            ends = f"{100 * self.least:g}% to {100 * self.most:g}%"
            bare = found is not None and not found[2]
            meant = f"did you mean {value}%?" if bare and self._holds(share / 100) else "write 5% or 0.05."
            self.fail(f"{str(value)[:50]!r} is not a rate from {ends}; {meant}", param, ctx)
        return round(share, 8)

    def _holds(self, share: float) -> bool:
        return self.least <= round(share, 8) <= self.most


class PricesOption(click.ParamType):  # type: ignore[type-arg]  # as above
    """What a false alarm costs, and what a miss does: `1:20`."""

    name = "costs"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Prices:
        found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,6})?):(\d{1,9}(?:\.\d{1,6})?)", str(value))
        if not found or not (float(found[1]) or float(found[2])):
            self.fail(f"{str(value)[:50]!r} is not FALSE:MISS, two numbers like 1:20.", param, ctx)
        return Prices(float(found[1]), float(found[2]))


RATE = Share(0.001, 0.999)


@subcommand("tune")
@click.argument("address", shell_complete=completing.bound)
@click.option("--metric", multiple=True, required=True, metavar="METRIC", help="Whose threshold may move.")
@click.option("--max-flag-rate", type=RATE, help="Goal: at most so many answers are flagged, by any metric.")
@click.option(
    "--max-false-alarms",
    type=RATE,
    help="Goal: of what should pass, at most so many are flagged. Needs labels drawn uniformly.",
)
@click.option(
    "--min-recall",
    type=RATE,
    help="Goal: of what should be flagged, at least so many are. Needs labels drawn uniformly.",
)
@click.option(
    "--catch",
    type=click.Choice(["tests", "found", "both"]),
    help="Goal: every known bad case is caught, of tests, of labels of what was found, or both.",
)
@click.option(
    "--cost",
    type=PricesOption(),
    metavar="FALSE:MISS",
    help="Goal: the cheapest, if a false alarm and a miss cost so much. An estimate. Needs labels drawn "
    "uniformly.",
)
@click.option(
    "--confidence", type=Share(0.5, 0.9999), default="95%", show_default=True, help="Of what is proven."
)
@click.option(
    "--looks",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    help="How often it is asked until the answer pleases; the promise then holds for all of them.",
)
@click.option("--run-mode", metavar="MODE", help="Only events of this run mode; needed if there are several.")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"]),
    metavar="TIME",
    help="Only events, and labels drawn uniformly, from this day or time (UTC) on.",
)
@click.option(
    "--replay",
    type=click.IntRange(1, 1000),
    default=100,
    show_default=True,
    metavar="N",
    help="Read the last N events.",
)
@click.option(
    "--tests",
    type=PATH,
    multiple=True,
    metavar="FILE",
    help="Results of `test --out FILE`, for --catch tests.",
)
@click.option(
    "--labels",
    type=click.IntRange(0, 10_000),
    default=500,
    show_default=True,
    metavar="N",
    help="How many labelled events may be read one by one, beside those listed.",
)
@click.option(
    "--recent-only", is_flag=True, help="Judge by the newer half of the events alone, and labels since."
)
@click.option("--write", is_flag=True, help="Write what is suggested into the manifests. Nothing is applied.")
@click.option("--allow-loosening", is_flag=True, help="With --write: also where that loosens the manifest.")
@click.option("--accept-estimate", is_flag=True, help="With --write: also what nothing proves.")
@format_option("tune")
@report_option("tune")
@click.pass_obj
def tune(
    run: Run,
    /,
    address: str,
    metric: tuple[str, ...],
    max_flag_rate: float | None,
    max_false_alarms: float | None,
    min_recall: float | None,
    catch: Any,
    cost: Prices | None,
    confidence: float,
    looks: int,
    run_mode: str | None,
    since: Any,
    replay: int,
    tests: tuple[Path, ...],
    labels: int,
    recent_only: bool,
    write: bool,
    allow_loosening: bool,
    accept_estimate: bool,
    format: str,
    report: tuple[Destination, ...],
) -> int:
    """Find the threshold that does what is asked, by what recent events prove. Writes only with --write.

    Exits 0 if today's threshold does it, 2 if another one does, and 5 if that is not proven of any.
    """
    from defendctl.operations.tune import Asked, Writing

    aim = Aim(max_flag_rate, max_false_alarms, min_recall, catch, cost)
    _check(aim == Aim(), catch, tests, write=write, needs=allow_loosening or accept_estimate)
    asked = Asked(
        address=address,
        metrics=tuple(dict.fromkeys(metric)),
        aim=aim,
        confidence=confidence,
        looks=looks,
        run_mode=run_mode,
        since=since.isoformat() if since else None,
        last=replay,
        tests=tests,
        recent_only=recent_only,
        most_labels=labels,
    )
    return _run(run, asked, Writing(allow_loosening, accept_estimate) if write else None, format, report)


def _check(aimless: bool, catch: str | None, tests: tuple[Path, ...], *, write: bool, needs: bool) -> None:
    if aimless:
        raise Usage("say what the threshold shall do, like --max-flag-rate 5% or --catch tests")
    if (catch in ("tests", "both")) != bool(tests):
        raise Usage("--catch tests (or both) and --tests FILE go together: it holds the scores of the cases")
    if needs and not write:
        raise Usage("--allow-loosening and --accept-estimate need --write")


def _run(run: Run, asked: Asked, may: Writing | None, format: str, report: tuple[Destination, ...]) -> int:
    from defendctl.operations import tune as operation
    from defendctl.operations.destinations import check_destinations

    workspace = run.workspace()
    check_destinations(workspace, report)
    desired = workspace.desired(None) if may or asked.aim.needs_labels else None
    if desired and may:
        operation.check_declared(desired, asked)
    if desired and asked.aim.needs_labels:
        asked = operation.with_labels(workspace, desired, asked)
    found = operation.tune(workspace, asked, progress_of(run))
    code, refused = found.exit_code, None
    if desired and may and found.suggests:
        try:
            found, left = operation.write_tuned(workspace, desired, found, may)
            tell_unwritten(left, run)
            code = code if left else Exit.OK
        except DefendctlError as error:
            refused = error
    deliver(run, "tune", found, format, report, code)
    if refused:
        run.console.error(refused)
    return code
