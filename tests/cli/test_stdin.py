"""Edges of the command line: `-` is stdin, an empty word is a usage error, a TAB offers and never speaks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from unittest.mock import patch

import pytest

from tests.conftest import Project, custom

MANIFEST = """\
version: 1
workflows:
  bot:
    improvement_action: none
    type: custom
    metrics: {completeness: 0.8}  # é
"""


def fed(project: Project, text: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    """A real process with that text on stdin."""
    return subprocess.run(
        [sys.executable, "-m", "defendctl", *arguments],
        cwd=project.root,
        input=text.encode(),
        capture_output=True,
        env={**os.environ, **project.env, **env},
        check=False,
    )


def test_validate_reads_stdin_and_names_its_lines(offline: Project) -> None:
    assert fed(offline, MANIFEST, "validate", "-").returncode == 0
    ran = fed(offline, MANIFEST.replace("0.8", "8"), "validate", "-")
    assert ran.returncode == 1
    assert b"<stdin>:6:" in ran.stdout + ran.stderr
    assert b"not valid UTF-8" not in ran.stdout
    both = fed(offline, MANIFEST.replace("bot", "Bot"), "validate", "-", "workflows")
    assert b"<stdin>:3:3" in both.stdout + both.stderr
    assert not (offline.root / "<stdin>").exists()


def test_fmt_prints_what_stdin_holds_in_canonical_spelling(offline: Project) -> None:
    ran = fed(offline, MANIFEST, "fmt", "-", PYTHONUTF8="0", LC_ALL="C")
    assert ran.returncode == 0, ran.stderr
    file = offline.root / "workflows" / "bot.yaml"
    file.write_text(MANIFEST)
    offline.ok("fmt")
    assert ran.stdout == file.read_bytes() != MANIFEST.encode()
    assert fed(offline, MANIFEST, "fmt", "--check", "-").returncode == 2
    assert fed(offline, ran.stdout.decode(), "fmt", "--check", "-").returncode == 0
    again = fed(offline, ran.stdout.decode(), "fmt", "-")
    assert (again.returncode, again.stdout) == (0, ran.stdout)


def test_fmt_refuses_what_is_no_manifest_and_what_is_not_alone(offline: Project) -> None:
    ran = fed(offline, "version: 1\nworkflows: 3", "fmt", "-")
    assert (ran.returncode, ran.stdout) == (1, b"")
    assert b"<stdin>:2:" in ran.stderr
    assert fed(offline, MANIFEST, "fmt", "-", "workflows").returncode == 64


def test_a_file_called_dash_is_named_with_its_folder(offline: Project) -> None:
    (offline.root / "-").write_text(MANIFEST)
    assert fed(offline, "no: manifest", "validate", "./-").returncode == 0


@pytest.mark.parametrize(
    "words",
    [
        ["validate", ""],
        ["fmt", ""],
        ["plan", "-f", ""],
        ["plan", "--out="],
        ["plan", "--out", ""],
        ["plan", "--report", ""],
        ["plan", "--report", "text:"],
        ["plan", "--target", ""],
        ["plan", "-l", ""],
        ["plan", "--tests", ""],
        ["apply", ""],
        ["apply", "--expect", ""],
        ["--env", "", "plan"],
        ["plan", "--env", ""],
        ["-C", "", "plan"],
        ["--config", "", "plan"],
        ["show", ""],
        ["import", "a", ""],
        ["import", "--from", ""],
        ["state", "resolve", "a", "--id", ""],
        ["state", "mv", "a", ""],
        ["state", "unlock", ""],
        ["schema", "--output", ""],
        ["events", "list", ""],
        ["sandbox", "serve", "--data", ""],
    ],
    ids=" ".join,
)
def test_an_empty_word_is_a_usage_error_that_names_it(offline: Project, words: list[str]) -> None:
    """Never "here", "all" or "none": `validate "$FILE"` without FILE must not pass."""
    offline.declare({"a": custom()})
    ran = offline.run_alone(*words)
    assert ran.code == 64
    assert "empty" in ran.err or "names no file" in ran.err
    assert sorted(p.name for p in offline.root.iterdir()) == ["workflows"]


def offered(project: Project, line: str, *, shell: str = "bash", **env: str) -> list[str]:
    """What a TAB at the end of the line offers, where there is neither key nor network."""
    words = line.split(" ")
    if shell == "bash":
        asks = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    else:
        asks = {"COMP_WORDS": line.rpartition(" ")[0], "COMP_CWORD": words[-1]}
    bare = {"PATH": os.environ["PATH"], "HOME": str(project.root), "NO_PROXY": "*"}
    asked = {**bare, "_DEFENDCTL_COMPLETE": f"{shell}_complete", **asks, **env}
    with patch.dict(os.environ, asked, clear=True):
        ran = Project(project.root, project.server).run_alone()
    assert (ran.code, ran.err) == (0, ""), ran
    return [each.rpartition(",")[2] for each in ran.out.splitlines() if each]


def test_a_tab_offers_addresses_environments_labels_and_what_options_take(offline: Project) -> None:
    offline.declare({"bot": custom(labels={"team": "support"}), "bat": custom(labels={"tier": "test"})})
    offline.settings(environments={"prod": {}, "staging": {}})
    assert offered(offline, "defendctl plan --target b") == ["bat", "bot"]
    assert offered(offline, "defendctl plan --env prod --replace bo") == ["bot"]
    assert offered(offline, "defendctl import ") == ["bat", "bot"]
    assert offered(offline, "defendctl plan --env ") == ["prod", "staging"]
    assert offered(offline, "defendctl --env s") == ["staging"]
    assert offered(offline, "defendctl compare ") == ["prod", "staging"]
    assert offered(offline, "defendctl plan -l t") == ["team=support", "tier=test"]
    assert offered(offline, "defendctl drift --ignore max") == ["max_retries"]
    assert "same-name" in offered(offline, "defendctl validate -E same")
    assert offered(offline, "defendctl show b", DEFENDCTL_ENV="prod") == ["bat", "bot"]
    above = offline.root.parent
    assert offered(offline, f"defendctl -C {above} plan --target b") == []
    assert offered(offline, f"defendctl -C {offline.root} plan --target b") == ["bat", "bot"]


def test_a_tab_offers_what_the_state_holds(project: Project) -> None:
    project.declare({"a": custom(), "b": custom(name="B")})
    project.apply()
    project.server.fault("lost-after", "POST")
    project.declare({"a": custom(), "c": custom(name="C")})
    project.ok("apply", "--yes", code=7)
    before = project.files()
    assert offered(project, "defendctl state resolve ") == ["c"]
    assert offered(project, "defendctl state rm ") == ["a", "b"]
    assert offered(project, "defendctl events list ") == ["a"]
    assert offered(project, "defendctl show ") == ["a", "c"]
    assert project.files() == before


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("defendctl.yaml", "version: [\n"),
        ("defendctl.yaml", "version: 1\nenvironments: 3\n"),
        ("workflows/a.yaml", "\tno: yaml"),
        ("defendctl.state.json", "{"),
        ("defendctl.state.json.journal", "<<<<<<< HEAD\n"),
    ],
)
def test_a_tab_in_a_broken_project_is_silent(offline: Project, name: str, text: str) -> None:
    (offline.root / name).write_text(text)
    for line in ("plan --target ", "plan --env ", "plan -l ", "state rm ", "events list ", "--env x show "):
        assert offered(offline, f"defendctl {line}") == []


@pytest.mark.skipif(not shutil.which("zsh"), reason="no zsh here")
def test_the_scripts_are_read_by_their_shells(offline: Project) -> None:
    for shell in filter(shutil.which, ("bash", "zsh", "fish")):
        script = offline.ok("completion", shell).out
        ran = subprocess.run([shell, "-n"], input=script, text=True, capture_output=True, check=False)
        assert (ran.returncode, ran.stderr) == (0, "")


def test_init_below_a_project_names_it_and_goes_on(offline: Project) -> None:
    offline.ok("init")
    below = offline.root / "service" / "deep"
    below.mkdir(parents=True)
    ran = offline.ok("-C", str(below), "init")
    assert f"lies inside the project of {offline.root / 'defendctl.yaml'}" in ran.err
    assert (below / "defendctl.yaml").exists()
    assert "is in the project of" not in offline.ok("-C", str(below), "init").err
    assert "is in the project of" not in offline.ok("init").err
