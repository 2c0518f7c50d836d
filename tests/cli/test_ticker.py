"""What a run says of how far it is: a line written over on a terminal, now and then one in a log."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from defendctl.cli.ticker import Ticker

from ..conftest import custom

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..conftest import Project

CLEAR = "\r\x1b[K"


class Watched:
    """A ticker whose clock is set by hand, and what it wrote."""

    def __init__(self, *, moves: bool, quiet: bool = False) -> None:
        self.now, self.said = 0.0, ""
        self.ticker = Ticker(self._say, moves, quiet, lambda: self.now)

    def _say(self, text: str) -> None:
        self.said += text

    def told(self) -> str:
        said, self.said = self.said, ""
        return said

    def work(self, steps: int, until: float) -> None:
        """So many equal steps up to a time."""
        began = self.now
        for step in range(1, steps + 1):
            self.now = began + (until - began) * step / steps
            self.ticker.step()


def test_on_a_terminal_a_line_is_written_over() -> None:
    watched = Watched(moves=True)
    watched.ticker.start("Reading", 5000)
    watched.work(100, until=0.4)
    assert watched.told() == "", "what is done at a glance needs no line"
    watched.work(1100, until=5)
    lines = watched.told().split(CLEAR)
    assert lines[-1] == "Reading 1,180 of 5,000, 240/s, 16 s left"
    assert len(lines) < 60, "not a line for each step"
    watched.ticker.end()
    assert watched.told() == CLEAR


def test_in_a_log_a_line_every_thirty_seconds() -> None:
    watched = Watched(moves=False)
    watched.ticker.start("Applying", 400)
    watched.work(300, until=75)
    watched.ticker.end()
    assert watched.told() == (
        "Applying 120 of 400, 4.0/s, 70 s left\nApplying 240 of 400, 4.0/s, 40 s left\n"
    )


@pytest.mark.parametrize("moves", [True, False])
def test_quiet_says_nothing(moves: bool) -> None:
    watched = Watched(moves=moves, quiet=True)
    watched.ticker.start("Reading", 100)
    watched.work(90, until=90)
    watched.ticker.wait(60)
    watched.ticker.tell("waiting for evt_1: in progress")
    watched.ticker.end()
    assert watched.told() == ""


@pytest.mark.parametrize(
    ("moves", "seconds", "shown"),
    [
        (True, 20, f"{CLEAR}Reading 0 of 9: waiting 20 s, as the API asks"),
        (True, 0.4, ""),
        (False, 20, "Reading 0 of 9: waiting 20 s, as the API asks\n"),
        (False, 2, ""),
    ],
)
def test_a_wait_that_the_server_asks_for(moves: bool, seconds: float, shown: str) -> None:
    watched = Watched(moves=moves)
    watched.ticker.start("Reading", 9)
    watched.ticker.wait(seconds)
    assert watched.told() == shown


def test_what_else_is_said_does_not_run_into_the_line() -> None:
    watched = Watched(moves=True)
    watched.ticker.start("Reading", 9)
    watched.work(4, until=2)
    watched.told()
    with watched.ticker.aside():
        watched._say("warning: so\n")
    assert watched.told() == f"{CLEAR}warning: so\n"
    watched.work(1, until=3)
    assert watched.told() == f"{CLEAR}Reading 5 of 9, 1.7/s, 2 s left"


def test_an_event_that_is_waited_for() -> None:
    watched = Watched(moves=True)
    watched.ticker.tell("waiting for evt_1: queued")
    watched.now = 12
    watched.ticker.tell("waiting for evt_1: queued")
    assert watched.told() == f"{CLEAR}waiting for evt_1: queued (12 s)"


def test_a_run_on_a_terminal(project: Project) -> None:
    """The wait of a real refusal is shown, and nothing of it is left beside the result."""
    project.declare({"bot": custom()})
    project.apply()
    project.server.fault("status", "GET", status=429, headers={"Retry-After": "2"})
    said = on_terminal(project, "plan")
    assert "waiting 2 s, as the API asks" in said
    assert said.split(CLEAR)[-1].startswith("Plan for "), said


def on_terminal(project: Project, *arguments: str) -> str:
    ours, theirs = pty.openpty()
    environment = {**os.environ, **project.env, "TERM": "xterm"}
    command = [sys.executable, "-m", "defendctl", *arguments]
    with subprocess.Popen(
        command, cwd=project.root, stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    ) as ran:
        os.close(theirs)
        said = b"".join(iter(reading(ours), b""))
    os.close(ours)
    assert ran.returncode == 0, said
    return said.decode()


def reading(descriptor: int) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            return os.read(descriptor, 65536)
        except OSError:  # how Linux says that the other side is closed
            return b""

    return read
