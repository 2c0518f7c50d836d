"""`defendctl ci`: what a pipeline runs, and what it tells its forge."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, Final

import click

from defendctl.ci.forge import FORGES
from defendctl.cli.completing import environments as complete_environments
from defendctl.cli.delivery import append_summary, append_to, in_the_repository
from defendctl.cli.options import PATH, Command, Group, parallelism_option, progress_of
from defendctl.cli.plan import Expected, expected
from defendctl.cli.telling import after, annotate, plan_shown, tell_denied, tell_invalid, warn_about
from defendctl.diagnostics import DefendctlError, Invalid, Usage
from defendctl.exits import worst_exit
from defendctl.render.inert import inert
from defendctl.render.registry import draw
from defendctl.render.setting import Setting
from defendctl.render.words import consent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from defendctl.cli.run import Run
    from defendctl.operations.ci import Pipeline
    from defendctl.operations.ci_apply import AppliedIn
    from defendctl.operations.ci_plan import PlannedIn
    from defendctl.operations.workspace import Workspace
    from defendctl.review import Review

_SECONDS: Final = {"": 1, "s": 1, "m": 60, "h": 3600}


class SeveralEnvironments(Command):
    """A command that takes `--env` more than once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params = [one for one in self.params if one.name != "env" or one.multiple]


@click.group("ci", cls=Group)
def group() -> None:
    """In a pipeline: plan under a request, apply what was looked at there, and tell of drift."""


def pipeline_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option(
            "--env",
            multiple=True,
            metavar="NAME",
            shell_complete=complete_environments,
            help="This environment, and those after it, in order; without it all of them.",
        ),
        click.option(
            "--forge",
            type=click.Choice(FORGES),
            default="auto",
            show_default=True,
            help="Where requests are; `auto` goes by the variables of the runner.",
        ),
    ):
        command = option(command)
    return command


offline_option = click.option(
    "--offline", is_flag=True, help="No key and no API: what was last applied stands for what is live."
)


@group.command("plan", cls=SeveralEnvironments)
@pipeline_options
@offline_option
@click.option("--no-comment", is_flag=True, help="Write no comment.")
@click.option("--no-check", is_flag=True, help="Keep no record: then nothing of it counts as reviewed.")
@click.option("--out-dir", type=PATH, metavar="DIR", help="Also write each plan as JSON and Markdown.")
@click.option("--replay", type=click.IntRange(1, 1000), metavar="N", help="As of `plan`.")
@click.pass_obj
def plan(
    run: Run,
    env: tuple[str, ...],
    forge: str,
    offline: bool,
    no_comment: bool,
    no_check: bool,
    out_dir: Path | None,
    replay: int | None,
) -> int:
    """Plan each environment, and tell it under the pull or merge request. Exits as the worst plan does."""
    from defendctl.operations.ci_plan import PlanOptions, plan_each

    workspaces, pipeline = _begin(run, env, forge)
    options = PlanOptions(not offline, not no_comment, not no_check, out_dir, replay)
    done = []
    for one in plan_each(workspaces, pipeline, options, progress_of(run)):
        _show_plan(run, one, pipeline)
        append_summary(one.text)
        done.append(one)
    code = worst_exit(one.exit_code for one in done)
    _outputs(_of_plans(done, out_dir, code))
    return code


def _show_plan(run: Run, one: PlannedIn, pipeline: Pipeline) -> None:
    if one.error:
        _show_error(run, one.error, "no plan", one.environment, pipeline)
    elif one.review:
        warn_about(one.review, run)
        on_github = pipeline.forge.name == "GitHub"
        shown = draw("plan", "github", one.review, Setting(folder=in_the_repository())) if on_github else ""
        run.console.out(shown or plan_shown(one.review, run))


def _show_error(
    run: Run, error: DefendctlError, title: str, environment: str | None, pipeline: Pipeline
) -> None:
    if isinstance(error, Invalid):
        tell_invalid(error.diagnostics, run)
    run.console.error(error)
    if pipeline.forge.name == "GitHub":
        where = f" in {environment}" if environment else ""
        annotate(f"{title}{where}", [error.message.split("\n")[0]], run)


def _of_plans(done: Sequence[PlannedIn], folder: Path | None, code: int) -> dict[str, object]:
    reviews = [one.review for one in done if one.review]
    alone = reviews[0] if len(done) == 1 and reviews else None
    path = done[0].path if len(done) == 1 else folder
    return {
        "digest": consent(alone.plan) if alone else "none",
        "changes": sum(
            sum(change.action != "none" for change in each.plan.changes) + len(each.plan.moves)
            for each in reviews
        ),
        "loosens": sum(each.plan.summary()["loosens"] for each in reviews),
        "denied": sum(finding.verdict == "denied" for each in reviews for finding in each.findings),
        "comment-url": next((one.url for one in done if one.url), ""),
        "plan-path": path or "",
        "exit-code": code,
    }


@group.command("apply", cls=SeveralEnvironments)
@pipeline_options
@click.option("--reviewed", is_flag=True, help="Apply what was looked at under requests: the default.")
@click.option("--gate", is_flag=True, help="Apply what an earlier job planned: name it with --approve.")
@click.option(
    "--approve",
    metavar="DIGEST@SERIAL",
    callback=lambda ctx, param, value: expected(value),
    help="Apply this very plan, whoever reviewed what.",
)
@click.option(
    "--unreviewed",
    type=click.Choice(["refuse", "allow-tightening"]),
    default="refuse",
    show_default=True,
    help="What becomes of a plan with changes that nobody saw.",
)
@click.option("--approved-after-plan", is_flag=True, help="A review counts if somebody approved after it.")
@click.option(
    "--wait-lock",
    metavar="TIME",
    default="0",
    callback=lambda ctx, param, value: seconds(value),
    help="Wait so long for the lock of another run: 90s, 5m.",
)
@parallelism_option
@click.pass_obj
def apply(
    run: Run,
    env: tuple[str, ...],
    forge: str,
    reviewed: bool,
    gate: bool,
    approve: Expected | None,
    unreviewed: str,
    approved_after_plan: bool,
    wait_lock: float,
    parallelism: int,
) -> int:
    """Apply what was merged, if each change of it was looked at. On the default branch alone."""
    from defendctl.operations.ci_apply import ApplyOptions, apply_each

    if reviewed and gate:
        raise Usage("--reviewed and --gate each say what was looked at: leave one of them out")
    if gate and not approve:
        raise Usage("--gate needs --approve DIGEST@SERIAL: the plan that its approvers saw")
    workspaces, pipeline = _begin(run, env, forge)
    if approve and len(workspaces) > 1:
        raise Usage("--approve names the plan of one environment: say which one with --env")
    options = ApplyOptions(
        approve.digest if approve else None,
        approve.serial if approve else None,
        unreviewed == "allow-tightening",
        approved_after_plan,
        wait_lock,
        parallelism,
    )
    done = []

    def on_plan(made: Review) -> None:
        warn_about(made, run)
        run.console.show(plan_shown(made, run))

    for one in apply_each(workspaces, pipeline, options, progress_of(run), on_plan):
        _show_applied(run, one, pipeline)
        done.append(one)
    code = worst_exit(one.exit_code for one in done)
    _outputs({"comment-url": next((one.url for one in done if one.url), ""), "exit-code": code})
    return code


def _show_applied(run: Run, one: AppliedIn, pipeline: Pipeline) -> None:
    from defendctl.operations.ci_apply import headline_of, outcome, unreviewed_lines
    from defendctl.operations.policy import Denied
    from defendctl.operations.reviewed import NotReviewed

    if isinstance(one.error, Denied):
        tell_denied(one.error.findings, run)
    if isinstance(one.error, Invalid):
        tell_invalid(one.error.diagnostics, run)
    if one.error:
        run.console.error(one.error)
        if pipeline.forge.name == "GitHub":
            where = f" in {one.environment}" if one.environment else ""
            title = "not reviewed" if isinstance(one.error, NotReviewed) else "not applied"
            annotate(f"{title}{where}", unreviewed_lines(one), run)
    if one.applied:
        after(one.applied, run)
        run.console.out(draw("apply", "text", one.applied.result, Setting(run.console.paint)))
    run.console.out(f"{headline_of(one)}\n")
    append_summary(outcome(one))


@group.command("check", cls=SeveralEnvironments)
@pipeline_options
@offline_option
@click.pass_obj
def check(run: Run, env: tuple[str, ...], forge: str, offline: bool) -> int:
    """Whether `ci apply` would find each change reviewed; for a merge queue. Applies nothing."""
    from defendctl.operations.ci_apply import check_each

    workspaces, pipeline = _begin(run, env, forge)
    done = []
    for one in check_each(workspaces, pipeline, progress_of(run), refresh=not offline):
        _show_applied(run, one, pipeline)
        done.append(one)
    return worst_exit(one.exit_code for one in done)


@group.command("drift", cls=SeveralEnvironments)
@pipeline_options
@click.option("--issue", is_flag=True, help="Keep one issue for each environment that drifted.")
@click.option(
    "--fail-on",
    type=click.Choice(["any", "indeterminate", "loosens"]),
    default="any",
    show_default=True,
    help="Exit 2 only if a difference is at least so bad; loosens is the worst.",
)
@click.pass_obj
def drift(run: Run, env: tuple[str, ...], forge: str, issue: bool, fail_on: str) -> int:
    """Look for edits behind our back in each environment."""
    from defendctl.operations.ci_drift import drift_each

    workspaces, pipeline = _begin(run, env, forge)
    at_least = None if fail_on == "any" else fail_on
    codes = []
    for one in drift_each(workspaces, pipeline, progress_of(run), issue=issue, at_least=at_least):
        codes.append(one.exit_code)
        if one.error:
            _show_error(run, one.error, "drift", one.environment, pipeline)
            continue
        format = "github" if pipeline.forge.name == "GitHub" else "text"
        setting = Setting(run.console.paint, in_the_repository(), one.environment)
        run.console.out(draw("drift", format, one.entries, setting))
        append_summary(draw("drift", "markdown", one.entries, setting))
    return worst_exit(codes)


@group.command("comment", cls=Command)
@click.option("--marker", required=True, metavar="TEXT", help="By which the comment is found again.")
@click.option(
    "--forge", type=click.Choice(FORGES), default="auto", show_default=True, help="Where requests are."
)
@click.argument("file", type=PATH)
@click.pass_obj
def comment(run: Run, marker: str, forge: str, file: Path) -> int:
    """Put FILE under the pull or merge request, in place of the one with this marker."""
    from defendctl.operations.ci import read_comment, write_comment

    text = read_comment(file)
    url = write_comment(_pipeline(run, forge), marker, text)
    run.console.out(f"{inert(url)}\n" if url else "")
    return 0


@group.command("keep-state", cls=Command)
@click.option("--branch", required=True, metavar="NAME", help="The branch that keeps the files.")
@click.option("--begin", is_flag=True, help="Before an apply: push an empty commit, to see that it is taken.")
@click.pass_obj
def keep_state(run: Run, branch: str, begin: bool) -> int:
    """Commit and push a state that is a file in git, journals included. The last resort."""
    from defendctl.operations.keep_state import keep_state as operation

    run.console.out(f"{inert(operation(run.workspace(choose=False), branch, begin=begin))}\n")
    return 0


def _begin(run: Run, names: Sequence[str], forge: str) -> tuple[list[Workspace], Pipeline]:
    from defendctl.operations.ci import environments

    opened = run.workspace(choose=False)
    return environments(opened, names), _pipeline(run, forge)


def _pipeline(run: Run, forge: str) -> Pipeline:
    from defendctl.ci.choose import open_forge
    from defendctl.operations.ci import Pipeline

    found = open_forge(forge, os.environ)
    return Pipeline(found, found.context(), run.console.warn)


def _outputs(values: dict[str, object]) -> None:
    """Each on one line: a path or an address of the forge may hold anything but an end of line."""
    if os.environ.get("GITHUB_OUTPUT"):
        append_to("GITHUB_OUTPUT", "".join(f"{name}={inert(str(value))}\n" for name, value in values.items()))


def seconds(value: str) -> float:
    """Raises click's usage error."""
    found = re.fullmatch(r"([0-9]{1,5})([smh]?)", value)
    if not found:
        raise click.BadParameter(f"{value[:20]!r} is no time; write 90s or 5m")
    return float(int(found[1]) * _SECONDS[found[2]])
