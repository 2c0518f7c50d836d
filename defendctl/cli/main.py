"""The commands in one group, and every failure as a message and an exit code."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final

import click

from defendctl import process
from defendctl.cli.options import Group, global_options
from defendctl.cli.run import Run
from defendctl.command import speak_with
from defendctl.diagnostics import DefendctlError, Invalid
from defendctl.exits import Exit, worst_exit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from defendctl.cli.console import Console


COMMANDS: Final = {
    "init": "init.init",
    "validate": "validate.validate",
    "fmt": "fmt.fmt",
    "plan": "plan.plan",
    "apply": "apply.apply",
    "drift": "drift.drift",
    "ci": "ci.group",
    "show": "show.show",
    "import": "import_.import_",
    "state": "state.group",
    "events": "events.group",
    "test": "suite.test",
    "tune": "tune.tune",
    "verify": "suite.verify",
    "outputs": "outputs.outputs",
    "render": "environments.render",
    "compare": "environments.compare",
    "schema": "schema.schema",
    "explain": "catalogue.explain",
    "report": "reports.report",
    "sandbox": "sandbox.sandbox",
    "doctor": "doctor.doctor",
    "completion": "completion.completion",
}
"""Name → module of `cli` and the name there: loaded when it is run or helped with, and not before."""


class Commands(Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module, _, name = COMMANDS.get(cmd_name, "").partition(".")
        found: click.Command | None = (
            getattr(import_module(f"defendctl.cli.{module}"), name) if module else None
        )
        return found


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def cli() -> None:
    """Keep DeepRails Defend workflows in git: see what a change does to a guardrail, then make it so."""


cli.params.extend(global_options(inner=False))


def run(arguments: Sequence[str]) -> int:
    """The exit code; never raises for anything but a defect, and that is told without its values."""
    context = Run()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    process.on_stop(signal.default_int_handler)
    try:
        code = _invoke(arguments, context)
        return worst_exit({code, Exit.FAILED}) if context.console.tell_lost() else code
    finally:
        speak_with(())  # the next run of this process has options of its own


def _invoke(arguments: Sequence[str], context: Run) -> int:
    try:
        code = cli.main(
            list(arguments),
            prog_name="defendctl",
            standalone_mode=False,
            auto_envvar_prefix="DEFENDCTL",
            obj=context,
        )
        return code if isinstance(code, int) else 0
    except BaseException as error:
        return _told(error, context.console)


def _told(error: BaseException, console: Console) -> int:
    match error:
        case click.ClickException():
            return _click(error, console)
        case Invalid():
            return _invalid(error, console)
        case DefendctlError():
            console.error(error)
            return error.exit_code
        case KeyboardInterrupt() | click.Abort():
            process.leave()
        case BrokenPipeError() if not error.filename:
            process.give_up(sys.stdout)
            return Exit.FAILED
        case OSError() if console.has_lost():
            return Exit.FAILED
        case OSError():
            where = f"{error.filename}: " if error.filename else ""
            said = error.strerror or str(error) or type(error).__name__
            console.error(DefendctlError(f"{where}{said}"))
            return Exit.FAILED
        case ImportError() if _starved():  # a module is loaded when it is needed, and could not be opened
            console.error(DefendctlError(os.strerror(errno.EMFILE), "raise the limit (`ulimit -n`)"))
            return Exit.FAILED
        case SystemExit():
            return error.code if isinstance(error.code, int) else Exit.FAILED
    return _defect(error, console)


def _starved() -> bool:
    """Whether this process may open no more files."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        return True
    return False


def _click(error: click.ClickException, console: Console) -> int:
    """Arguments and variables are quoted in it, and may hold anything."""
    from defendctl.render.inert import inert

    said = io.StringIO()
    error.show(said)
    console.err("\n".join(inert(line) for line in said.getvalue().rstrip("\n").split("\n")))
    return Exit.USAGE if isinstance(error, click.UsageError) else Exit.FAILED


def _invalid(error: Invalid, console: Console) -> int:
    from defendctl.render.setting import Setting
    from defendctl.render.text.diagnostics import diagnostics

    console.err(diagnostics(error.diagnostics, Setting(console.paint_err)))
    return error.exit_code


def _defect(error: BaseException, console: Console) -> int:
    """Type and place, but no values: those may be anybody's."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{os.path.basename(f.filename)}:{f.lineno} {f.name}" for f in frames]  # noqa: PTH119
    shown = places if console.verbose else places[-1:]
    hint = "this is a defect of defendctl, please report it with the line above"
    console.error(DefendctlError(f"{type(error).__name__} at {' < '.join(reversed(shown))}", hint))
    return Exit.FAILED
