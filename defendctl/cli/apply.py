"""`defendctl apply`, and what it asks for before."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

import click

from defendctl.cli.delivery import deliver, format_option
from defendctl.cli.options import (
    PATH,
    beginning,
    older_checkout,
    progress_of,
    subcommand,
)
from defendctl.cli.plan import Expected, expected
from defendctl.cli.selecting import selecting
from defendctl.cli.telling import after, plan_shown, tell_denied, warn_about
from defendctl.diagnostics import DefendctlError, Precondition, Usage
from defendctl.exits import worst_exit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from defendctl.cli.run import Run
    from defendctl.operations.apply import Consent
    from defendctl.operations.selection import Selection
    from defendctl.review import Review


@subcommand("apply")
@click.argument("plan_file", metavar="[PLAN]", required=False, type=PATH)
@selecting
@click.option(
    "--expect",
    metavar="DIGEST@SERIAL",
    callback=lambda ctx, param, value: expected(value),
    help="Apply only this plan, as the last line of `plan` names it.",
)
@click.option(
    "--reviewed",
    type=PATH,
    multiple=True,
    metavar="FILE",
    help="Apply only what these plans (plan --out) show, change by change; may be given more than once.",
)
@click.option("--yes", is_flag=True, allow_from_autoenv=False, help="Apply without asking.")
@beginning
@older_checkout
@format_option("apply")
@click.pass_obj
def apply(
    run: Run,
    /,
    plan_file: Path | None,
    expect: Expected | None,
    reviewed: tuple[Path, ...],
    yes: bool,
    format: str,
    chosen: Selection,
) -> int:
    """Plan, show the plan, ask, then create and update what differs."""
    from defendctl.operations.apply import apply as operation
    from defendctl.operations.policy import Denied
    from defendctl.operations.selection import choose_as_planned

    if plan_file and any(chosen.options.data().values()):
        raise Usage("--target, --replace, -l and --reassert are part of PLAN: leave them out")
    if reviewed and (plan_file or expect):
        raise Usage("--reviewed, PLAN and --expect each say what was reviewed: leave all but one of them out")
    consent = _consent_of(reviewed) if reviewed else _consent(run, plan_file, expect, yes)
    if consent.saved:
        chosen = choose_as_planned(chosen, consent.saved["options"])

    def on_plan(made: Review) -> None:
        warn_about(made, run)
        if consent.digest:
            return  # it was shown when it was reviewed
        if format == "text":
            run.console.show(plan_shown(made, run))
        elif not (yes or reviewed):
            run.console.err(plan_shown(made, run))

    try:
        done = operation(run.workspace(), chosen, consent, progress_of(run), on_plan)
    except Denied as denied:
        tell_denied(denied.findings, run)
        raise
    after(done, run)
    deliver(run, "apply", done.result, format)
    return worst_exit(done.result.exit_codes())


def _consent_of(reviewed: Sequence[Path]) -> Consent:
    from defendctl.operations.apply import Consent
    from defendctl.operations.reviewed import read_reviews

    return Consent(reviews=read_reviews(reviewed))


def _consent(run: Run, plan_file: Path | None, expect: Expected | None, yes: bool) -> Consent:
    from defendctl.operations.apply import Consent
    from defendctl.operations.planfile import read_plan

    if plan_file:
        saved = read_plan(plan_file)
        if saved["digest"] is None:
            raise Precondition(
                f"{plan_file} was made with --no-refresh, so it cannot be applied",
                "plan again without --no-refresh",
            )
        if expect and expect.digest != saved["digest"]:
            raise Usage("--expect and PLAN name different digests")
        return Consent(None, saved["digest"], saved["serial"], saved)
    if expect:
        return Consent(None, expect.digest, expect.serial)
    return Consent(None if yes else partial(_ask, run))


def _ask(run: Run, question: str) -> bool:
    if not sys.stdin.isatty():
        raise DefendctlError(
            "apply asks before it changes anything, and there is no terminal to ask on",
            "review the plan, then apply it with PLAN, --expect DIGEST@SERIAL or --yes",
        )
    return run.console.confirm(question)
