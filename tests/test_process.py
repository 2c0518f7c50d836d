"""Streams, signals, locales, folders and users of real services: no traceback, nothing lost unsaid."""

from __future__ import annotations

import gc
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from defendctl.cli.console import wants_colour
from defendctl.process import uncollected
from tests.conftest import custom, few_quick

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.conftest import Project

DEFENDCTL = Path(sys.executable).with_name("defendctl")
FAULTS = re.compile(
    r"Traceback|Exception ignored|defect of defendctl|Fatal Python|AttributeError|cannot work in None"
)
COMMANDS = [
    "--version",
    "--help",
    "no-such-command",
    "validate",
    "plan",
    "plan --format json",
    "apply --yes --new-state",
    "apply --yes --new-state --format json",
    "apply --new-state",
    "drift",
    "show a",
    "doctor",
    "outputs",
    "state list",
    "schema manifest",
    "fmt --check",
    "events list a",
    "init",
]


def shell(
    project: Project, command: str, how: str = "", env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """`defendctl` with this after it, as a shell does it."""
    return subprocess.run(
        ["/bin/sh", "-c", f"{DEFENDCTL} {command} {how}"],
        cwd=project.root,
        env={**os.environ, **project.env} if env is None else dict(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
        timeout=120,
    )


@pytest.fixture
def declared(project: Project) -> Project:
    project.declare({"a": custom()})
    return project


CLOSED = ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"]
FULL = [">/dev/full", "2>/dev/full", ">/dev/full 2>/dev/full"]
READING, WRITING = "plan", "apply --yes --new-state --format json"
"""What `make test` looks at: each command is a process of its own, several times over."""


@pytest.mark.parametrize("command", few_quick(COMMANDS))
def test_a_closed_stream_is_as_dev_null(declared: Project, command: str) -> None:
    """Nothing else changes; and no file that is opened later takes the place of a stream."""
    usual = shell(declared, command)
    for how in CLOSED:
        _begin_anew(declared)
        ran = shell(declared, command, how)
        assert not FAULTS.search(ran.stderr), (how, ran.stderr)
        if not command.startswith(("init", "apply")):
            assert ran.returncode == usual.returncode, (how, ran.stderr)
    assert not list(declared.root.glob("*.tmp"))


@pytest.mark.parametrize("command", few_quick(COMMANDS, READING))
def test_a_full_stream(declared: Project, command: str) -> None:
    """Of stdout the exit code says it, and stderr if that works; of stderr, nothing changes."""
    usual = shell(declared, command)
    for how in FULL:
        _begin_anew(declared)
        ran = shell(declared, command, how)
        assert not FAULTS.search(ran.stderr), (how, ran.stderr)
        assert ran.returncode not in (120, -signal.SIGPIPE)
        if how.startswith(">") and usual.stdout:
            assert ran.returncode not in (0, 2), how
        if how == ">/dev/full" and usual.stdout:
            assert "No space left on device" in ran.stderr
        if how == "2>/dev/full" and not command.startswith(("apply", "init")):
            assert (ran.returncode, ran.stdout) == (usual.returncode, usual.stdout)


@pytest.mark.parametrize("command", ["--version", "--help", "fmt - < workflows/all.yaml"])
def test_what_a_full_stdout_leaves_in_the_buffer_does_not_end_in_120(declared: Project, command: str) -> None:
    ran = shell(declared, command, ">/dev/full")
    assert (ran.returncode, FAULTS.search(ran.stderr)) == (1, None)
    assert "the result could not be written to stdout: No space left on device" in ran.stderr


def _begin_anew(project: Project) -> None:
    """As if no command had run before."""
    for written in (project.state_file, project.root / "defendctl.yaml"):
        written.unlink(missing_ok=True)
    subprocess.run(["rm", "-rf", project.root / ".defendctl"], check=True)


def test_an_apply_that_cannot_show_its_plan_does_nothing(declared: Project) -> None:
    ran = shell(declared, "apply --yes --new-state", ">/dev/full")
    assert (ran.returncode, ran.stderr) == (1, "error: stdout: No space left on device\n  nothing was done\n")
    assert declared.server.workflows() == []


def test_an_apply_that_cannot_print_its_result_has_done_its_work_and_says_so(declared: Project) -> None:
    ran = shell(declared, "apply --yes --new-state --format json", ">/dev/full")
    assert ran.returncode == 1
    assert ran.stderr.endswith(
        "error: the result could not be written to stdout: No space left on device\n"
        "  what the command did is not undone\n"
    )
    assert declared.bound("a")


def test_what_counts_more_than_a_full_stdout_stays_the_exit_code(declared: Project) -> None:
    declared.server.fault("lost-after", "POST", times=None)
    ran = shell(declared, "apply --yes --new-state --format json", ">/dev/full")
    assert ran.returncode == 7
    assert "state resolve a --not-created" in ran.stderr
    assert "could not be written to stdout" in ran.stderr


def test_the_id_of_an_event_that_was_paid_for_goes_to_stderr_where_stdout_is_full(declared: Project) -> None:
    declared.apply()
    (declared.root / "event.yaml").write_text(
        "model_input: {user_prompt: hi}\nmodel_output: ho\nmodel_used: m\n"
    )
    ran = shell(declared, "events submit a --input event.yaml", ">/dev/full")
    assert ran.returncode == 1
    assert "evnt_" in ran.stderr or "evt_" in ran.stderr, ran.stderr


@pytest.mark.parametrize("command", ["--help", "plan --format json", "schema manifest", "state list"])
def test_a_reader_that_goes_away_is_told_nothing(declared: Project, command: str) -> None:
    ran = shell(declared, command, "| true")
    assert ran.stderr == ""


def test_no_file_takes_the_place_of_a_closed_stream(declared: Project) -> None:
    """The state would get the result as its last line."""
    ran = shell(declared, "apply --yes --new-state --format json", "<&- >&- 2>&-")
    assert ran.returncode == 0
    assert declared.bound("a")
    declared.assert_settled()


_INTERRUPTED = """
import os, sys
from importlib.abc import MetaPathFinder

class Interrupts(MetaPathFinder):
    left, number = int(sys.argv.pop(1)), int(sys.argv.pop(1))

    def find_spec(self, *_):
        Interrupts.left -= 1
        if Interrupts.left == 0:
            os.kill(os.getpid(), self.number)

import defendctl.__main__, signal
sys.meta_path.insert(0, Interrupts())
defendctl.__main__.main()
"""


def interrupted(
    project: Project, imports: int, number: int, *arguments: str, **env: str
) -> subprocess.CompletedProcess[str]:
    """A run that gets this signal while it looks for its so-many-th module."""
    return subprocess.run(
        [sys.executable, "-c", _INTERRUPTED, str(imports), str(number), *arguments],
        cwd=project.root,
        env={**os.environ, **project.env, **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("imports", few_quick([1, 2, 40, 90, 150, 250], 90))
def test_a_signal_during_the_imports(declared: Project, imports: int, number: int) -> None:
    ran = interrupted(declared, imports, number, "plan")
    assert (ran.returncode, ran.stdout, ran.stderr.lstrip("\n")) == (130, "", "interrupted\n")


@pytest.mark.parametrize("imports", [1, 40, 60])
def test_a_ctrl_c_during_a_tab_says_nothing(declared: Project, imports: int) -> None:
    completing = {"_DEFENDCTL_COMPLETE": "bash_complete", "COMP_WORDS": "defendctl pl", "COMP_CWORD": "1"}
    ran = interrupted(declared, imports, signal.SIGINT, **completing)
    assert (ran.returncode, ran.stdout, ran.stderr) == (130, "", "")


def test_the_end_looks_for_no_cycles_among_what_was_loaded(declared: Project) -> None:
    """It takes longer than the validation before it."""
    code = (
        "import atexit, gc, sys; from defendctl.__main__ import main\n"
        "atexit.register(lambda: print(gc.get_freeze_count() > 10_000, gc.get_count()[2])); main()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, "validate"],
        cwd=declared.root,
        env={**os.environ, **declared.env},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert ran.stdout.splitlines()[-1] == "True 0"


@pytest.mark.parametrize("ignored", ["HUP", "INT"])
def test_a_signal_that_nohup_or_a_shell_ignores_stays_ignored(declared: Project, ignored: str) -> None:
    number = getattr(signal, f"SIG{ignored}")
    code = _INTERRUPTED.replace(
        "import os, sys", f"import os, signal, sys; signal.signal({int(number)}, signal.SIG_IGN)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, "90", str(int(number)), "plan"],
        cwd=declared.root,
        env={**os.environ, **declared.env},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr


SURROUNDINGS: dict[str, dict[str, str | None]] = {
    "no HOME": {"HOME": None},
    "a HOME that is not there": {"HOME": "/nonexistent/home"},
    "LANG=C": {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": None},
    "LC_ALL=POSIX, no coercion": {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    "an unknown locale": {"LC_ALL": "xx_YY.KOI7"},
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "latin-1, strict": {"PYTHONIOENCODING": "latin-1:strict"},
    "a TMPDIR that is not there": {"TMPDIR": "/nonexistent/tmp"},
    "a TMPDIR that takes nothing": {"TMPDIR": "/proc"},
    "no PATH": {"PATH": None},
    "dumb": {"TERM": "dumb"},
    "no USER": {"USER": None, "LOGNAME": None},
}


@pytest.mark.parametrize("name", few_quick(SURROUNDINGS))
def test_surroundings(declared: Project, name: str) -> None:
    (declared.root / "workflows" / "b.yaml").write_text(
        "version: 1\nworkflows:\n  b: {name: Grüße 😀, type: custom, metrics: {completeness: 0.8},"
        " improvement_action: none}\n",
        encoding="utf-8",
    )
    env = {**os.environ, **declared.env, **SURROUNDINGS[name]}
    _works(declared, {key: value for key, value in env.items() if value is not None})


@pytest.mark.slow
def test_an_empty_environment(declared: Project) -> None:
    _works(declared, {key: value for key, value in declared.env.items() if key.startswith("DEEP")})


def _works(project: Project, env: Mapping[str, str]) -> None:
    """The usual commands, each with its usual exit code."""
    for command, code in [
        ("validate", 0),
        ("plan", 0),
        ("apply --yes --new-state", 0),
        ("drift", 0),
        ("doctor", 0),
        ("outputs", 0),
        ("plan --out p.json", 0),
        ("fmt --check", 2),
    ]:
        ran = shell(project, command, env=env)
        assert not FAULTS.search(ran.stderr), ran.stderr
        assert ran.returncode == code or command.startswith("fmt"), (command, ran.stdout, ran.stderr)


@pytest.mark.parametrize("mask", few_quick(["077", "000", "777"], "077"))
@pytest.mark.parametrize(
    "command",
    few_quick(
        ["plan", "apply --yes --new-state", "plan --out p.json", "init"],
        "apply --yes --new-state",
        "plan --out p.json",
    ),
)
def test_an_umask(declared: Project, mask: str, command: str) -> None:
    ran = _prepared(declared, f"umask {mask}", command)
    assert not FAULTS.search(ran.stderr), ran.stderr
    if mask != "777":
        assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("descriptors", few_quick([6, 8, 12, 20], 8))
@pytest.mark.parametrize(
    "command",
    few_quick(["validate", "plan", "apply --yes --new-state", "doctor"], "apply --yes --new-state", "plan"),
)
def test_few_descriptors(declared: Project, descriptors: int, command: str) -> None:
    ran = _prepared(declared, f"ulimit -n {descriptors}", command)
    assert not FAULTS.search(ran.stderr), ran.stderr
    assert ran.returncode == 0 or ran.stderr or "failed" in ran.stdout


@pytest.mark.parametrize(
    "command",
    few_quick(
        ["--version", "validate", "plan", "apply --yes --new-state", "init", "doctor"], "--version", READING
    ),
)
def test_a_working_folder_that_is_gone(declared: Project, command: str) -> None:
    ran = _prepared(declared, "mkdir gone && cd gone && rmdir ../gone", command)
    assert not FAULTS.search(ran.stderr), ran.stderr
    assert ran.returncode == (0 if command == "--version" else 1)


_STRANGER = """
import pwd

def unknown(uid):
    raise KeyError(f"getpwuid(): uid not found: {uid}")

pwd.getpwuid = unknown
from defendctl.__main__ import main
main()
"""


@pytest.mark.parametrize(
    "command", few_quick(["validate", "plan", "apply --yes --new-state", "doctor"], "apply --yes --new-state")
)
def test_a_user_id_that_nobody_has(declared: Project, command: str) -> None:
    """As in a container that runs as any user."""
    env = {k: v for k, v in {**os.environ, **declared.env}.items() if k not in ("USER", "LOGNAME", "HOME")}
    ran = subprocess.run(
        [sys.executable, "-c", _STRANGER, *command.split()],
        cwd=declared.root,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr


def test_nohup(declared: Project) -> None:
    ran = subprocess.run(
        ["nohup", DEFENDCTL, "apply", "--yes", "--new-state"],
        cwd=declared.root,
        env={**os.environ, **declared.env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr


def _prepared(project: Project, before: str, command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "-c", f"{before}; exec {DEFENDCTL} {command}"],
        cwd=project.root,
        env={**os.environ, **project.env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("env", "piped", "terminal"),
    [
        ({}, False, True),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": "0"}, False, False),
        ({"NO_COLOR": ""}, False, True),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": "3"}, True, True),
        ({"FORCE_COLOR": "0"}, False, False),
        ({"FORCE_COLOR": ""}, False, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
        ({"CLICOLOR_FORCE": "1"}, True, True),
        ({"CLICOLOR_FORCE": "0"}, False, True),
        ({"CLICOLOR_FORCE": ""}, False, True),
        ({"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, False, False),
        ({"CLICOLOR_FORCE": "1", "FORCE_COLOR": "0"}, False, False),
        ({"CLICOLOR_FORCE": "0", "FORCE_COLOR": "1"}, True, True),
        ({"CLICOLOR": "0"}, False, False),
        ({"CLICOLOR": "1"}, False, True),
        ({"CLICOLOR": "0", "CLICOLOR_FORCE": "1"}, True, True),
        ({"TERM": "dumb"}, False, False),
        ({"TERM": "xterm-256color"}, False, True),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, True, True),
    ],
    ids=str,
)
def test_colour_as_its_conventions_say(env: dict[str, str], piped: bool, terminal: bool) -> None:
    """no-color.org; force-color.org, with node's 0; bixense.com/clicolors, whose forcing 0 forces nothing."""
    assert (wants_colour(env, False), wants_colour(env, True)) == (piped, terminal)


@pytest.mark.parametrize(("many", "promoted"), [(10, False), (5_000, True)])
def test_only_a_lot_that_was_read_is_old_at_once(many: int, promoted: bool) -> None:
    """Many small files one after the other must not keep the collector from ever looking."""
    before = gc.get_threshold()
    gc.collect()
    gc.set_threshold(1_000)
    try:
        with uncollected():
            values = [[number] for number in range(many)]
            assert not gc.isenabled()
        young = gc.get_objects(generation=0)
    finally:
        gc.set_threshold(*before)
    assert gc.isenabled()
    assert len(values) == many
    assert any(each is values[0] for each in young) != promoted
