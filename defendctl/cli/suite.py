"""The commands that put guardrails to the test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from defendctl.cli import completing
from defendctl.cli.delivery import deliver, format_option, report_option
from defendctl.cli.events import wait
from defendctl.cli.options import RESULT, Command, Number, beginning, selector
from defendctl.cli.telling import after, tell_pending
from defendctl.diagnostics import Usage
from defendctl.exits import Exit, worst_exit
from defendctl.render.registry import FORMATS, load

if TYPE_CHECKING:
    from pathlib import Path

    from defendctl.cli.run import Run
    from defendctl.operations.destinations import Destination
    from defendctl.suite.models import CaseResult


@click.command("verify", cls=Command)
@click.argument("address", shell_complete=completing.bound)
@click.option("--canary", is_flag=True, help="Submit one event, which costs money, and look at that one.")
@wait
@format_option("proof")
@click.pass_obj
def verify(run: Run, address: str, canary: bool, wait: float, format: str) -> int:
    """Check whether the newest event was judged as the manifest says. Submits nothing without --canary.

    Exits 2 if they differ, 1 if no event is recent enough to tell.
    """
    from defendctl.operations.verify import verify as operation

    found = operation(run.workspace(), address, wait if canary else None)
    deliver(run, "proof", found, format)
    return {"proven": Exit.OK, "differs": Exit.FOUND, "not_yet": Exit.FAILED}[found.answer]


@click.command("test", cls=Command)
@selector
@beginning
@click.option(
    "--target",
    multiple=True,
    metavar="ADDRESS",
    allow_from_autoenv=False,
    shell_complete=completing.declared,
    help="Only cases of this address.",
)
@click.option("--tag", multiple=True, metavar="TAG", help="Only cases with this tag.")
@click.option(
    "--max-cost",
    type=Number(min=0),
    metavar="USD",
    help="Do not start, or stop, if the cost would exceed this.",
)
@click.option("--one-sided", is_flag=True, help="Run even if every case expects the same.")
@click.option("--candidate", is_flag=True, help="Test what the manifests declare, on the canary.")
@click.option(
    "--create-canary",
    is_flag=True,
    allow_from_autoenv=False,
    help="Create the one workflow that --candidate tests on. It stays, because the API has no delete.",
)
@wait
@click.option(
    "--parallelism",
    type=click.IntRange(1, 32),
    default=4,
    show_default=True,
    help="How many events run at once.",
)
@click.option("--out", type=RESULT, help="Also save the results as JSON.")
@format_option("test-results")
@report_option("test-results")
@click.pass_obj
def test(
    run: Run,
    /,
    out: Path | None,
    format: str,
    report: tuple[Destination, ...],
    create_canary: bool,
    target: tuple[str, ...],
    selector: tuple[str, ...],
    tag: tuple[str, ...],
    max_cost: float | None,
    one_sided: bool,
    candidate: bool,
    wait: float,
    parallelism: int,
) -> int:
    """Submit the cases under `tests:` and compare the verdicts with what they expect. Costs money.

    Exits 2 if a case failed or is flaky, 1 if one was not judged, 5 if the budget is too small.
    """
    from defendctl.operations.destinations import Destination, check_destinations
    from defendctl.operations.suite import run_suite as operation
    from defendctl.operations.testing import Chosen

    if create_canary:
        return _create_canary(run, format)
    workspace = run.workspace()
    saved = [Destination(f"--out {out}", out, "test-results", "json")] if out else []
    files = [*saved, *report]
    check_destinations(workspace, files)

    def on_result(result: CaseResult) -> None:
        run.console.ticker.step()

    chosen = Chosen(
        target=target,
        selector=selector,
        tag=tag,
        max_cost=max_cost,
        wait=wait,
        parallelism=parallelism,
        one_sided=one_sided,
        candidate=candidate,
    )
    done = operation(workspace, chosen, on_result, lambda count: run.console.ticker.start("Testing", count))
    deliver(run, "test-results", done, format, files, paid=True)
    if format != "text":
        tell_pending(done, run)
    return worst_exit(done.exit_codes())


def _create_canary(run: Run, format: str) -> int:
    from defendctl.operations.candidate import create_canary

    known = FORMATS["apply"]
    if format not in known:
        raise Usage(f"--create-canary knows the formats {' and '.join(known)}, not {format}")
    load(known[format])
    done = create_canary(run.workspace())
    after(done, run)
    deliver(run, "apply", done.result, format)
    return worst_exit(done.result.exit_codes())
