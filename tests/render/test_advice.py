"""A person at a terminal is told what to do next; a pipe gets the result alone."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.conftest import custom

if TYPE_CHECKING:
    from tests.conftest import Project


def on_a_terminal(project: Project, *words: str) -> str:
    """The last line that a person sees there."""
    main, terminal = pty.openpty()
    command = [sys.executable, "-m", "defendctl", *words]
    env = {**os.environ, **project.env}
    process = subprocess.Popen(
        command, cwd=project.root, env=env, stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal
    )
    os.close(terminal)
    told = b""
    try:
        while part := os.read(main, 65536):
            told += part
    except OSError:  # how Linux tells that nobody holds the other end any more
        pass
    process.wait(timeout=60)
    os.close(main)
    return told.decode().rstrip().splitlines()[-1]


def test_the_last_line_of_a_plan_says_what_next(project: Project) -> None:
    project.declare({"a": custom()})
    assert "`defendctl apply` shows this again and asks" in on_a_terminal(project, "plan")
    assert "then `defendctl apply kept.json`" in on_a_terminal(project, "plan", "--out", "kept.json")
    project.apply()
    assert "nothing is to be done" in on_a_terminal(project, "plan")
    project.settings(policy={"rules": [{"id": "r", "level": "deny", "require_metrics": ["correctness"]}]})
    assert "paste the waiver above" in on_a_terminal(project, "plan")
    assert not on_a_terminal(project, "plan", "-q").startswith("Next:")
    assert on_a_terminal(project, "plan", "--format", "json") == "}"


def test_a_pipe_gets_no_advice(project: Project) -> None:
    project.declare({"a": custom()})
    ran = project.ok("plan")
    assert "Next:" not in ran.out + ran.err
