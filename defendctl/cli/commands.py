"""One wrapper a command. Each imports its operation when it runs."""

from __future__ import annotations

import re
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from defendctl.cli import completing
from defendctl.cli.console import Ticker
from defendctl.cli.delivery import append_to, deliver, report_option
from defendctl.cli.edit import tell_unwritten
from defendctl.cli.formats import FORMATS
from defendctl.cli.options import Command, Group, ManifestPath, Run, beginning, older_checkout
from defendctl.cli.options import selector as with_selector
from defendctl.command import command
from defendctl.diagnostics import DefendctlError, Precondition, Usage, errors, worst_exit
from defendctl.model import FIELDS
from defendctl.render.inert import inert

if TYPE_CHECKING:
    from collections.abc import Callable

    from defendctl.manifest.models import LintLevel
    from defendctl.operations.apply import Applied, Consent
    from defendctl.operations.destinations import Destination
    from defendctl.operations.plan import Progress, Selection
    from defendctl.plan.changes import Plan

F = TypeVar("F", bound="Callable[..., Any]")
_PATH = click.Path(path_type=Path)
_OF_THE_PLAN = ("target", "replace", "selector", "reassert")
"""Options that a saved plan brings along."""


def _command(name: str) -> Callable[[Callable[..., Any]], Command]:
    return click.command(name, cls=Command)


def _format(*choices: str) -> Callable[[F], F]:
    return click.option("--format", type=click.Choice(choices), default=choices[0], show_default=True)


_files = click.option("-f", "--file", type=_PATH, multiple=True, help="Read these manifests instead.")
_parallelism = click.option(
    "--parallelism", type=click.IntRange(1, 256), default=10, show_default=True, help="Requests at once."
)
_target = click.option(
    "--target",
    multiple=True,
    metavar="ADDRESS",
    allow_from_autoenv=False,
    shell_complete=completing.addresses,
    help="Only this address.",
)
_replace = click.option(
    "--replace",
    multiple=True,
    metavar="ADDRESS",
    allow_from_autoenv=False,
    shell_complete=completing.declared,
    help="Make a new workflow for this address; the old one stays live.",
)

_reassert = click.option(
    "--reassert",
    type=click.Choice(FIELDS),
    multiple=True,
    metavar="FIELD",
    help="Write this field where it is only assumed, for it cannot be read back.",
)


@_command("init")
@beginning
@click.pass_obj
def init(run: Run) -> int:
    """Write a project that plans: defendctl.yaml, empty state, a first manifest, the schema.

    With --env NAME, begin the state of that environment.
    """
    from defendctl.operations import init as operation

    settings = run.settings(env=run.typed("env"))
    done = operation.init_environment(settings) if settings.env else operation.init(Path.cwd(), settings)
    for name in done.written:
        run.console.out(f"wrote  {name}\n")
    for name in done.left:
        run.console.out(f"left   {name} (it exists)\n")
    for warning in done.warnings:
        run.console.warn(warning)
    run.console.out(f"Next: edit workflows/, then `{command('validate')}` and `{command('plan')}`.\n")
    return 0


@_command("validate")
@click.argument("paths", nargs=-1, type=ManifestPath())
@_files
@click.option(
    "-E",
    "--error",
    multiple=True,
    metavar="CODE",
    shell_complete=completing.lint_codes,
    help="Take this lint for an error.",
)
@click.option(
    "-W",
    "--warning",
    multiple=True,
    metavar="CODE",
    shell_complete=completing.lint_codes,
    help="Take this lint for a warning.",
)
@_format(*FORMATS["diagnostics"])
@report_option("diagnostics")
@click.pass_obj
def validate(
    run: Run,
    /,
    paths: tuple[Path, ...],
    file: tuple[Path, ...],
    format: str,
    report: tuple[Destination, ...],
    **chosen: Any,
) -> int:
    """Check every manifest and the project file, offline; `-` is stdin."""
    from defendctl.operations.destinations import check_destinations
    from defendctl.operations.inspect import validate as operation
    from defendctl.operations.policy import exits

    workspace = run.workspace(choose=False)
    check_destinations(workspace, report)
    levels: dict[str, LintLevel] = dict.fromkeys(chosen["warning"], "warning")
    levels |= dict.fromkeys(chosen["error"], "error")
    found = operation(workspace, [*paths, *file], levels)
    code = exits(found)
    deliver(run, "diagnostics", found, format, report, code)
    return code


@_command("plan")
@_format(*FORMATS["plan"])
@report_option("plan")
@_files
@click.option("--out", type=_PATH, help="Also save the plan, for `apply PLAN`.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 if there is anything to do.")
@click.option(
    "--refresh/--no-refresh",
    default=True,
    help="Without: no key and no network; what was last applied stands for what is live.",
)
@click.option(
    "--replay",
    type=click.IntRange(1, 1000),
    is_flag=False,
    flag_value=50,
    metavar="[N]",
    help="Also show what new thresholds would have done to the last N events (50) of each workflow.",
)
@click.option("--tests", type=_PATH, metavar="FILE", help="Also show what `test --out FILE` recorded.")
@_target
@_replace
@with_selector
@_reassert
@_parallelism
@click.pass_obj
def plan(
    run: Run,
    /,
    format: str,
    report: tuple[Destination, ...],
    out: Path | None,
    detailed_exitcode: bool,
    **chosen: Any,
) -> int:
    """Show what apply would do, and what that does to each guardrail. Reads only."""
    from defendctl.operations.destinations import Destination, check_destinations
    from defendctl.operations.plan import plan as operation

    workspace = run.workspace()
    saved = [Destination(f"--out {out}", out, "plan", "json")] if out else []
    files = [*saved, *report]
    check_destinations(workspace, files)
    ticker = Ticker(run.console)
    made = operation(workspace, _selection(chosen), _progress(ticker))
    ticker.end()
    _warn_about(made, run)
    found = {2} if detailed_exitcode and not made.empty else set()
    found |= {5} if made.denied else set()
    found |= {1} if errors(made.diagnostics) else set()
    code = worst_exit(found | (made.blocked_exits() - {5}))
    deliver(run, "plan", made, format, files, code)
    return code


@_command("apply")
@click.argument("plan_file", metavar="[PLAN]", required=False, type=_PATH)
@_files
@click.option(
    "--expect",
    metavar="DIGEST@SERIAL",
    callback=lambda ctx, param, value: _expected(value),
    help="Apply only this plan, as the last line of `plan` names it.",
)
@click.option("--yes", is_flag=True, allow_from_autoenv=False, help="Do not ask.")
@beginning
@older_checkout
@_format("text", "json")
@_target
@_replace
@with_selector
@_reassert
@_parallelism
@click.pass_obj
def apply(
    run: Run, /, plan_file: Path | None, expect: Expected | None, yes: bool, format: str, **chosen: Any
) -> int:
    """Make it so: plan, ask, create and update, and report what may not be changed."""
    from defendctl.operations.apply import apply as operation
    from defendctl.operations.policy import Denied
    from defendctl.render import json, text

    if plan_file and any(chosen[name] for name in _OF_THE_PLAN):
        raise Usage("--target, --replace, -l and --reassert are part of PLAN: leave them out")
    ticker = Ticker(run.console)
    consent = _consent(run, plan_file, expect, yes, chosen)

    def on_plan(made: Plan) -> None:
        ticker.end()
        _warn_about(made, run)
        if consent.digest:
            return  # it was shown when it was reviewed
        if format == "text":
            run.console.show(_plan_text(made, run))
        elif not yes:
            run.console.err(_plan_text(made, run))

    try:
        done = operation(run.workspace(), _selection(chosen), consent, _progress(ticker), on_plan)
    except Denied as denied:
        run.console.err(text.findings(denied.findings, run.console.paint_err))
        raise
    ticker.end()
    after(done, run)
    run.console.out(
        json.apply(done.result, run.environment)
        if format == "json"
        else text.apply(done.result, run.console.paint, run.environment)
    )
    return worst_exit(done.result.exit_codes())


@_command("drift")
@_format(*FORMATS["drift"])
@report_option("drift")
@click.option("--write", is_flag=True, help="Put what is live into the manifests, one line for one value.")
@click.option(
    "--overwrite",
    multiple=True,
    metavar="ADDRESS",
    shell_complete=completing.bound,
    help="With --write: also where git says something new.",
)
@click.option(
    "--ignore",
    multiple=True,
    metavar="FIELD",
    shell_complete=completing.fields,
    help="Leave this field (or path) out.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["any", "indeterminate", "loosens"]),
    default="any",
    show_default=True,
    help="Exit 2 only if a difference is at least so bad; loosens is the worst.",
)
@_files
@with_selector
@_parallelism
@click.pass_obj
def drift(
    run: Run,
    /,
    format: str,
    report: tuple[Destination, ...],
    write: bool,
    overwrite: tuple[str, ...],
    ignore: tuple[str, ...],
    fail_on: str,
    **chosen: Any,
) -> int:
    """Show what was changed behind our back, and exit 2 if anything was. Writes nothing without --write."""
    from defendctl.operations import writeback
    from defendctl.operations.destinations import check_destinations
    from defendctl.operations.plan import drift as operation
    from defendctl.plan.drift import exit_codes, ignoring

    workspace = run.workspace()
    check_destinations(workspace, report)
    if overwrite and not write:
        raise Usage("--overwrite says what --write may write: give both")
    writeback.check_ignored(workspace, ignore)
    ticker = Ticker(run.console)
    files = chosen["file"]
    entries = ignoring(operation(workspace, _selection(chosen), _progress(ticker)), ignore)
    ticker.end()
    if write:
        writeback.check_overwritten(entries, overwrite)
        entries = writeback.write_back(workspace, files, entries, overwrite)
        tell_unwritten(run.console, entries)
    code = worst_exit(exit_codes(entries, None if fail_on == "any" else fail_on))
    deliver(run, "drift", entries, format, report, code)
    return code


@_command("show")
@click.argument("address", shell_complete=completing.addresses)
@_format("text", "json")
@click.option("--provenance", is_flag=True, help="Where each value comes from; also asks for an event.")
@click.pass_obj
def show(run: Run, address: str, format: str, provenance: bool) -> int:
    """Show one workflow: desired, live and applied, and how each value is known."""
    from defendctl.operations.inspect import show as operation
    from defendctl.render import json, text

    if provenance:
        return _with_provenance(run, address, format)
    view = operation(run.workspace(), address)
    of = run.environment
    run.console.out(json.view(view, of) if format == "json" else text.view(view, of))
    return 1 if view.status == "missing" else 0


def _with_provenance(run: Run, address: str, format: str) -> int:
    from defendctl.operations.provenance import show_provenance
    from defendctl.render import provenance as render

    shown = show_provenance(run.workspace(), address)
    draw = render.json if format == "json" else render.text
    run.console.out(draw(shown.view, shown.known, shown.age, run.environment))
    return 1 if shown.view.status == "missing" else 0


@_command("import")
@click.argument("address", required=False, shell_complete=completing.declared)
@click.argument("workflow_id", required=False)
@click.option("--from", type=_PATH, metavar="FILE", help="Many at once: CSV or JSON with addresses and ids.")
@click.option(
    "--write",
    type=_PATH,
    metavar="PATH",
    help="With --from: write manifests of those that are not declared, into a folder or one .yaml file.",
)
@beginning
@_parallelism
@click.pass_obj
def import_(
    run: Run,
    /,
    address: str | None,
    workflow_id: str | None,
    write: Path | None,
    parallelism: int,
    **given: Path | None,
) -> int:
    """Bind existing workflows to declared addresses."""
    source = given["from"]  # a word of Python, so no parameter can be called so
    if source and not address:
        from defendctl.cli.adoption import import_many

        return import_many(run, source, write, parallelism)
    if source or write or not (address and workflow_id):
        raise Usage("import takes ADDRESS and WORKFLOW_ID, or --from FILE [--write PATH]")
    return _import_one(run, address, workflow_id)


def _import_one(run: Run, address: str, workflow_id: str) -> int:
    from defendctl.cli.adoption import how_to_paste
    from defendctl.operations.adopt import Undeclared, import_workflow
    from defendctl.render.yaml import manifest

    try:
        binding = import_workflow(run.workspace(), address, workflow_id)
    except Undeclared as found:
        run.console.out(manifest(found.address, found.fields))
        raise DefendctlError(
            f"{address} is not declared, so nothing was bound", how_to_paste([found])
        ) from None
    run.console.out(f"{address} is bound to {inert(binding.workflow_id)}\n")
    if binding.assumed:
        fields = ", ".join(sorted(binding.assumed))
        run.console.warn(f"{fields} cannot be read back; they are assumed to be as the manifest says")
    return 0


@_command("outputs")
@_format("json", "env", "github", "dotenv")
@with_selector
@click.pass_obj
def outputs(run: Run, format: str, selector: tuple[str, ...]) -> int:
    """Print address → workflow id, for the application that submits events. Offline."""
    from defendctl.operations.inspect import environment
    from defendctl.operations.inspect import outputs as operation
    from defendctl.render import json, shell

    ids = operation(run.workspace(), selector)
    if format == "github":
        append_to("GITHUB_OUTPUT", "".join(f"{name}={workflow_id}\n" for name, workflow_id in ids.items()))
    elif format == "env":
        run.console.out(shell.assignments(environment(ids)))
    elif format == "dotenv":
        run.console.out(_dotenv(environment(ids)))
    else:
        run.console.out(json.outputs(ids, run.environment))
    return 0


@_command("schema")
@click.argument(
    "kind",
    type=click.Choice(["manifest", "overlay", "project", "policy", "tests", "plan"]),
    default="manifest",
)
@click.option("--output", type=_PATH, help="Write to this file instead of stdout.")
@click.pass_obj
def schema(run: Run, kind: str, output: Path | None) -> int:
    """Print a JSON Schema; inside a project the manifest's knows its custom metrics."""
    from defendctl.operations.destinations import Destination, check_destinations
    from defendctl.operations.schema import schema as operation

    workspace = run.workspace(choose=False)
    content = operation(kind, workspace.project.custom_metrics)
    if output is None:
        run.console.out(content)
        return 0
    file = Destination(f"--output {output}", output, kind, "schema")
    check_destinations(workspace, [file])
    file.write(content)
    return 0


@_command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> int:
    """Print the completion script of a shell: eval "$(defendctl completion bash)"."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found
    ctx.obj.console.out(
        found(ctx.find_root().command, {}, "defendctl", "_DEFENDCTL_COMPLETE").source() + "\n"
    )
    return 0


_SCORES_HELP = (
    "YAML or JSON with scripted scores, {TEXT: {METRIC: SCORE}}, for events whose output, prompt or nametag"
    " contains TEXT. SCORE is 0 to 1, true, false or null (not scored); a list of such maps: one an attempt."
)


@click.group("sandbox", cls=Group)
def sandbox() -> None:
    """The embedded Defend API."""


@sandbox.command("serve", cls=Command)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0 takes a free one.")
@click.option(
    "--generation",
    default="2025-12-07",
    shell_complete=completing.generations,
    show_default=True,
    help="What it accepts.",
)
@click.option(
    "--answers",
    default=None,
    shell_complete=completing.generations,
    help="What reads are answered in, if that differs.",
)
@click.option("--data", type=_PATH, default=None, help="An SQLite file; in memory by default.")
@click.option("--api-key", default=None, help="The only key it takes; any by default.")
@click.option("--scores", type=_PATH, default=None, help=_SCORES_HELP)
@click.pass_obj
def serve(
    run: Run,
    port: int,
    generation: str,
    answers: str | None,
    data: Path | None,
    api_key: str | None,
    scores: Path | None,
) -> int:
    """Serve the embedded Defend API on loopback; the first line on stdout is its base URL."""
    from defendctl.model import GENERATIONS
    from defendctl.operations.workspace import sandbox_server

    for given in (generation, answers):
        if given not in (None, *GENERATIONS):
            raise Usage(f"there is no generation {given!r}; there are {', '.join(GENERATIONS)}")
    server = sandbox_server()
    try:
        scripts = server.read_scores(scores) if scores else None
    except server.BadScores as error:
        raise Usage(str(error), f"the form of --scores: {_SCORES_HELP}") from error
    server.serve(
        port,
        generation,
        answers,
        str(data or ":memory:"),
        api_key,
        lambda url: run.console.show(url + "\n"),
        scripts,
    )
    return 0


def _dotenv(values: dict[str, str]) -> str:
    from defendctl.render import dotenv

    try:
        return dotenv.assignments(values)
    except ValueError as error:
        raise DefendctlError(str(error), "`--format json` can hold every id") from None


ALL = (init, validate, plan, apply, drift, show, import_, outputs, schema, completion)


def _selection(chosen: dict[str, Any]) -> Selection:
    from defendctl.operations.plan import Selection

    return Selection(files=chosen.pop("file"), **chosen)


def _progress(ticker: Ticker) -> Progress:
    from defendctl.operations.plan import Progress

    return Progress(ticker.start, ticker.step)


def _consent(
    run: Run, plan_file: Path | None, expect: Expected | None, yes: bool, chosen: dict[str, Any]
) -> Consent:
    from defendctl.operations.apply import Consent
    from defendctl.operations.planfile import read_plan

    if plan_file:
        saved = read_plan(plan_file)
        if saved["digest"] is None:
            raise Precondition(
                f"{plan_file} was made without reading what is live", "make one without --no-refresh"
            )
        if expect and expect.digest != saved["digest"]:
            raise Usage("--expect names another digest than PLAN")
        chosen.update({name: tuple(saved["options"].get(name, ())) for name in _OF_THE_PLAN})
        return Consent(None, saved["digest"], saved["serial"], saved)
    if expect:
        return Consent(None, expect.digest, expect.serial)
    return Consent(None if yes else partial(_ask, run))


class Expected(NamedTuple):
    """What `--expect` names: a plan, and the serial of the state that it was made from."""

    digest: str
    serial: int | None


def _expected(value: str | None) -> Expected | None:
    """Raises click's usage error for a serial that is none."""
    if value is None:
        return None
    digest, at, serial = value.partition("@")
    if at and not re.fullmatch(r"[0-9]{1,9}", serial):
        raise click.BadParameter(f"{value[:100]!r} is not DIGEST@SERIAL, as the last line of `plan` has it")
    return Expected(digest, int(serial) if at else None)


def _ask(run: Run, question: str) -> bool:
    if not sys.stdin.isatty():
        raise DefendctlError(
            "there is no terminal to ask on", "review the plan, then apply PLAN, --expect DIGEST or --yes"
        )
    return run.console.confirm(question)


def _plan_text(made: Plan, run: Run) -> str:
    from defendctl.render import text

    return text.plan(made, run.console.paint)


def _warn_about(made: Plan, run: Run) -> None:
    from defendctl.render import text

    if made.diagnostics and not run.console.quiet:
        run.console.err(text.diagnostics(made.diagnostics, run.console.paint_err))


def after(done: Applied, run: Run) -> None:
    """What must be on stderr whatever the format: unknown creates, and ids that are recorded nowhere."""
    from defendctl.render import text

    for warning in done.warnings:
        run.console.err(inert(warning))
    for address, intent in done.unknown.items():
        run.console.err("\n".join(text.unresolved(address, intent)))
    for receipt in done.result.receipts:
        run.console.err("\n".join(text.receipt(receipt)))
