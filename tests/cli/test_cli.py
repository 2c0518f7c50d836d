"""The command line as a surface: options in both places, the environment, exit codes, streams."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import click
import httpx
import pytest

from defendctl.command import command as spoken
from defendctl.process import stop_signals
from tests.conftest import Project, Ran, Server
from tests.every_command import every_command

DEFENDCTL = Path(sys.executable).with_name("defendctl")
MANIFEST = """\
version: 1
workflows:
  bot:
    type: custom
    metrics: {completeness: 0.8}
    improvement_action: none
"""
NOBODY = Server("", httpx.Client(verify=False, trust_env=False))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "bot.yaml").write_text(MANIFEST)
    (tmp_path / "defendctl.yaml").write_text("version: 1\n")
    return tmp_path


def run(cwd: Path, *arguments: str, **env: str) -> Ran:
    """In this process, with no more of its environment than a user has, and `env`."""
    with patch.dict(os.environ, clean(), clear=True):
        return Project(cwd, NOBODY, env).run_alone(*arguments)


def start(cwd: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """The program that was installed."""
    return subprocess.run(
        [DEFENDCTL, *arguments],
        cwd=cwd,
        env=clean() | env,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )


@pytest.mark.parametrize(
    ("typed", "here"),
    [
        ("destroy", "out of its manifest"),
        ("refresh", "`drift`"),
        ("state show", "`state list`"),
        ("plan -out plan.json", "`--out FILE`"),
        ("plan production", "`--env NAME`"),
        ("drift production", "`--env NAME`"),
        ("plan --dry-run", "only reads"),
        ("apply --dry-run", "`plan`"),
        ("apply --auto-approve", "`apply --yes`"),
        ("apply -auto-approve", "`apply --yes`"),
        ("fmt --diff", "`fmt --check`"),
    ],
)
def test_what_other_tools_call_so(typed: str, here: str, folder: Path) -> None:
    ran = run(folder, *typed.split())
    assert ran.code == 64
    assert here in ran.err
    assert "Did you mean" not in ran.err


def test_what_is_known_from_nowhere_is_as_it_was(folder: Path) -> None:
    assert "No such command 'pulll'" in run(folder, "state", "pulll").err
    assert "No such option" in run(folder, "plan", "--nothing").err


def clean() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith(("DEEP", "DEFENDCTL", "NO_COLOR"))}


def test_version_goes_to_stdout(tmp_path: Path) -> None:
    ran = start(tmp_path, "--version")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("defendctl 0.")


@pytest.mark.parametrize(
    "arguments",
    [
        ["plan", "--no-such-option"],
        ["no-such-command"],
        ["plan", "--parallelism", "0"],
        ["plan", "--parallelism", "many"],
        ["plan", "--target", "nowhere"],
        ["plan", "--replace", "nowhere"],
        ["plan", "--format", "toml"],
        ["show"],
        ["state", "resolve", "bot"],
        ["state", "resolve", "bot", "--id", "x", "--not-created"],
        ["state", "mv", "bot", "Not An Address"],
        ["sandbox", "serve", "--generation", "1999-01-01"],
        ["--timeout", "0", "plan"],
        ["--timeout", "nan", "plan"],
        ["--timeout", "inf", "plan"],
        ["test", "--max-cost", "nan"],
        ["test", "--max-cost", "inf"],
        ["events", "watch", "a", "e", "--wait", "nan"],
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_exits_64(folder: Path, arguments: list[str]) -> None:
    """Not 2, click's choice: a typo in CI must never read as "changes present"."""
    ran = run(folder, *arguments)
    assert ran.code == 64
    assert ran.out == ""
    assert ran.err.strip()
    assert "Traceback" not in ran.err


def test_an_unknown_target_is_answered_with_the_nearest(folder: Path) -> None:
    assert 'Did you mean "bot"?' in run(folder, "plan", "--target", "bott").err
    assert "There are: bot" in run(folder, "plan", "--target", "something-else").err


@pytest.mark.parametrize("order", ["before", "after"])
def test_global_options_stand_before_or_after_the_command(folder: Path, order: str) -> None:
    options = ["-C", str(folder), "--sandbox", "-q"]
    command = ["plan", "--format", "json"]
    ran = run(folder.parent, *(options + command if order == "before" else command + options))
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["summary"]["create"] == 1


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DEFENDCTL_SANDBOX", "1"),
        ("DEFENDCTL_PLAN_FORMAT", "json"),
        ("DEFENDCTL_PLAN_DETAILED_EXITCODE", "1"),
    ],
)
def test_options_come_from_the_environment(folder: Path, variable: str, value: str) -> None:
    ran = run(folder, "plan", **{variable: value})
    assert ran.code == (2 if "EXITCODE" in variable else 0)
    assert ran.out.startswith("{") == ("FORMAT" in variable)
    assert ("sandbox" in ran.out) == ("SANDBOX" in variable)


def options() -> list[click.Option]:
    params = [param for command in every_command().values() for param in command.params]
    return [param for param in params if isinstance(param, click.Option)]


def test_every_option_is_named_as_its_variable() -> None:
    """click makes DEFENDCTL_<COMMAND>_<OPTION> from the parameter's name, not from the option; one whose
    parameter has another name says its variable, and takes no second."""
    for option in options():
        longest = max(option.opts, key=len).lstrip("-").replace("-", "_")
        if option.name != longest:
            assert str(option.envvar).endswith(f"_{longest.upper()}")
            assert not option.allow_from_autoenv


@pytest.mark.parametrize(
    "variable", ["DEFENDCTL_APPLY_YES", "DEFENDCTL_APPLY_TARGET", "DEFENDCTL_APPLY_REPLACE"]
)
def test_consent_and_scope_never_come_from_the_environment(folder: Path, variable: str) -> None:
    ran = run(folder, "apply", "--sandbox", **{variable: "bot"})
    assert ran.code == 1
    assert "--yes" in ran.err


def test_the_config_option_names_the_project_file(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    ran = run(elsewhere, "validate", "--config", str(folder / "defendctl.yaml"))
    assert ran.code == 0, ran.out
    assert run(elsewhere, "validate", "--config", "missing.yaml").code == 1


def test_the_project_file_is_found_in_a_parent_folder(folder: Path) -> None:
    deep = folder / "workflows" / "deep"
    deep.mkdir()
    assert run(deep, "plan", "--sandbox").code == 0


@pytest.mark.parametrize(
    "command",
    ["validate", "plan", "apply --yes", "drift", "show bot", "import bot wkfl_1", "outputs", "state list"],
)
def test_in_an_empty_folder_commands_say_init(tmp_path: Path, command: str) -> None:
    ran = run(tmp_path, *command.split(), DEEPRAILS_API_KEY="k")
    assert ran.code == 1
    assert "run `defendctl init`" in ran.out + ran.err
    assert list(tmp_path.iterdir()) == []


def test_colour_is_for_terminals_or_for_who_asks(folder: Path) -> None:
    escape = "\x1b["
    assert escape not in run(folder, "plan").out
    assert escape in run(folder, "plan", FORCE_COLOR="1").out
    assert escape not in run(folder, "plan", FORCE_COLOR="1", NO_COLOR="1").out
    assert escape not in run(folder, "plan", "--no-color", FORCE_COLOR="1").out


def test_a_plan_with_nothing_to_read_needs_neither_key_nor_network(folder: Path) -> None:
    ran = run(folder, "plan", DEEP_RAILS_BASE_URL="https://api.example.invalid")
    assert ran.code == 0, ran.err
    assert "api.example.invalid" in ran.out


def test_apply_without_a_key_says_so_and_changes_nothing(folder: Path) -> None:
    before = sorted(folder.rglob("*"))
    ran = run(folder, "apply", "--yes", "--new-state")
    assert ran.code == 1
    assert "DEEPRAILS_API_KEY" in ran.err
    assert [p for p in sorted(folder.rglob("*")) if ".defendctl" not in str(p)] == before


@pytest.mark.parametrize(
    "url", ["http://api.example.com", "ftp://api.example.com", "https://", "https://user:pw@api.example.com"]
)
def test_a_base_url_that_would_show_the_key_is_refused(folder: Path, url: str) -> None:
    ran = run(folder, "plan", DEEP_RAILS_BASE_URL=url)
    assert ran.code == 1
    assert "base URL" in ran.err


def test_the_newer_name_of_the_base_url_wins(folder: Path) -> None:
    ran = run(folder, "plan", DEEP_RAILS_BASE_URL="https://new.test", DEEPRAILS_BASE_URL="https://old.test")
    assert "new.test" in ran.out
    assert ran.err.count("differ") == 1


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(tmp_path: Path, shell: str) -> None:
    ran = run(tmp_path, "completion", shell)
    assert ran.code == 0, ran.err
    assert "_DEFENDCTL_COMPLETE" in ran.out


def test_outputs_for_a_shell_refuse_two_addresses_of_one_name(folder: Path) -> None:
    second = MANIFEST.replace("bot:", "a.b:") + MANIFEST.split("workflows:\n")[1].replace("bot:", "a-b:")
    (folder / "workflows" / "bot.yaml").write_text(second)
    assert run(folder, "apply", "--sandbox", "--yes").code == 0
    ran = run(folder, "outputs", "--sandbox", "--format", "env")
    assert ran.code == 1
    assert "DEFEND_WORKFLOW_A_B" in ran.err


def test_outputs_are_appended_for_github(folder: Path) -> None:
    run(folder, "apply", "--sandbox", "--yes")
    target = folder / "github_output"
    target.write_text("before=1\n")
    ran = run(folder, "outputs", "--sandbox", "--format", "github", GITHUB_OUTPUT=str(target))
    assert (ran.code, ran.out) == (0, "")
    first, second = target.read_text().splitlines()
    assert first == "before=1"
    assert second.startswith("bot=wkfl_")
    assert run(folder, "outputs", "--sandbox", "--format", "github").code == 1


def test_without_the_extra_the_sandbox_says_what_to_install(folder: Path) -> None:
    blocker = folder / "block" / "starlette"
    blocker.mkdir(parents=True)
    (blocker / "__init__.py").write_text("raise ImportError('no starlette here', name='starlette')\n")
    ran = start(folder, "apply", "--sandbox", "--yes", PYTHONPATH=str(blocker.parent))
    assert ran.returncode == 1
    assert "pip install 'defendctl[sandbox]'" in ran.stderr


def test_a_file_that_is_no_sandbox_is_named(folder: Path) -> None:
    ran = run(folder, "sandbox", "serve", "--data", "defendctl.yaml")
    assert (ran.code, ran.out) == (64, "")
    assert "--data: defendctl.yaml cannot be used for the sandbox" in ran.err
    (folder / ".defendctl").mkdir(exist_ok=True)
    (folder / ".defendctl/sandbox.sqlite").write_text("junk" * 99)
    ran = run(folder, "apply", "--sandbox", "--yes")
    assert ran.code == 1
    assert "remove that file; the sandbox then begins empty" in ran.err


def test_the_sandbox_asks_for_no_new_state(folder: Path) -> None:
    assert run(folder, "plan").out.startswith("No state yet: the first apply begins one if it is run")
    ran = run(folder, "plan", "--sandbox")
    assert ran.out.startswith("No state yet: the first apply begins one.\n")


def test_a_closed_stdout_is_no_traceback(folder: Path) -> None:
    code = f"exec {DEFENDCTL} schema manifest | true"
    ran = subprocess.run(["/bin/sh", "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("command", ["plan", "validate", "nonsense", "import"])
def test_a_run_leaves_nothing_to_the_next_one_of_its_process(folder: Path, command: str) -> None:
    """Its options would stand in every command that is printed afterwards."""

    def left() -> tuple[object, ...]:
        handlers = [signal.getsignal(number) for number in stop_signals()]
        return spoken("plan"), os.environ.copy(), Path.cwd(), handlers, gc.isenabled(), gc.get_threshold()

    before = left()
    assert before[0] == "defendctl plan"
    run(folder.parent, "-C", folder.name, "--sandbox", command)
    assert left() == before


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(28, "No space left on device", "a.yaml"), "a.yaml: No space left on device"),
        (OSError("an earlier write to the journal failed"), "an earlier write to the journal failed"),
        (OSError(), "OSError"),
    ],
)
def test_what_the_system_refuses_is_told_in_its_words(folder: Path, error: OSError, said: str) -> None:
    with patch("defendctl.operations.workspace.load_project", side_effect=error):
        ran = run(folder, "plan")
    assert (ran.code, ran.err) == (1, f"error: {said}\n")
