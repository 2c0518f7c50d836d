"""Signals, a closed stdout, and a state that cannot be written: what is known is kept, or printed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.conftest import custom

from .crash import check_covered, check_unique

if TYPE_CHECKING:
    from tests.conftest import Project

_RECEIPT = re.compile(r"defendctl state resolve (\S+) --id (\S+)")


def _spawn_until(project: Project, requests: int, *arguments: str) -> subprocess.Popen[str]:
    """A process that has sent so many requests."""
    project.server.forget_requests()
    process = project.spawn(*arguments)
    while process.poll() is None and len(project.server.requests()) < requests:
        time.sleep(0.002)
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_is_under_way_ends_and_is_recorded(project: Project, number: int) -> None:
    project.declare({f"w{n}": custom() for n in range(6)})
    project.server.fault("slow-after", "POST", times=None, seconds=0.3)
    process = _spawn_until(project, 1, "apply", "--yes", "--parallelism", "1", "--format", "json")
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert '"not_attempted": 5' in out
    assert [each["address"] for each in project.json("state", "list").json["bindings"]] == ["w0"]
    assert project.server.count("POST") == 1
    assert not project.journal.exists()
    project.server.heal()
    assert "ended without" not in project.apply().err


@pytest.mark.parametrize("times", [1, 2])
def test_what_takes_too_long_is_unknown(project: Project, times: int) -> None:
    """An answer has five seconds more; a second signal does not wait for it."""
    project.declare({"a": custom(), "b": custom()})
    project.server.fault("slow-after", "POST", times=None, seconds=30)
    process = _spawn_until(project, 1, "apply", "--yes", "--parallelism", "1")
    for _ in range(times):
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
    out, err = process.communicate(timeout=30)
    assert process.returncode == (7 if times == 1 else 130), out + err
    assert err.count("stopping: waiting for what was sent") == 1
    assert ("Every create that was sent is recorded" in err) == (times == 2)
    assert check_covered(project) == ["a"]
    assert "state resolve a --not-created" in project.ok("state", "list").out


def test_interrupted_while_reading(project: Project) -> None:
    project.declare({"a": custom(), "b": custom()})
    project.apply()
    project.declare({"a": custom(), "b": custom(), "c": custom()})
    project.server.fault("slow", "GET", times=None, seconds=600)
    before = project.state_bytes()
    for command in (["plan"], ["apply", "--yes"]):
        process = _spawn_until(project, 1, *command)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out) == (130, ""), err
        assert len(project.server.requests()) <= 2, "those under way, and no others"
    assert project.state_bytes() == before
    project.server.heal()
    assert "ended without" not in project.apply().err


def test_interrupted_while_waiting_for_a_429(project: Project) -> None:
    project.declare({"a": custom()})
    project.server.fault("status", "POST", status=429, times=None, headers={"retry-after": "50"})
    process = _spawn_until(project, 1, "apply", "--yes")
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=10)
    assert process.returncode == 130, out + err
    assert project.json("state", "list").json["unresolved"] == []


def test_a_closed_stdout(project: Project) -> None:
    """What was done is in the state, whoever listens."""
    project.declare({"a": custom()})
    read, write = os.pipe()
    os.close(read)
    ran = subprocess.run(
        [sys.executable, "-m", "defendctl", "apply", "--yes", "--new-state", "--format", "json"],
        cwd=project.root,
        env={**os.environ, **project.env},
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=30,
    )
    os.close(write)
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
    assert "Exception ignored" not in ran.stderr
    assert project.bound("a")
    project.assert_settled()


_SMALL = """
import atexit, resource, sys
from defendctl.__main__ import main

limit, everything = int(sys.argv.pop(1)), resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, everything[1]))
atexit.register(resource.setrlimit, resource.RLIMIT_FSIZE, everything)  # whoever measures us may write
sys.exit(main())
"""


def _with_small_files(project: Project, limit: int) -> subprocess.CompletedProcess[str]:
    """Apply as if the disk were full beyond so many bytes a file."""
    return subprocess.run(
        [sys.executable, "-c", _SMALL, str(limit), "apply", "--yes", "--new-state", "--format", "json"],
        cwd=project.root,
        env={**os.environ, **project.env, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


LIMITS = [
    pytest.param(limit, marks=() if limit in (300, 900, 2200, 3500) else pytest.mark.slow)
    for limit in range(100, 5000, 200)
]


@pytest.mark.parametrize("limit", LIMITS)
def test_a_full_disk(project: Project, limit: int) -> None:
    """Each id is in the state or printed with the command that repairs it; nothing is created twice."""
    project.declare({f"w{n}": custom() for n in range(8)})
    ran = _with_small_files(project, limit)
    assert "Traceback" not in ran.stderr
    receipts = dict(_RECEIPT.findall(ran.stderr))
    receipts = {address: id for address, id in receipts.items() if id != "WORKFLOW_ID"}
    made = {w["workflow_id"] for w in project.server.workflows()}
    if project.state_file.exists():
        unresolved = check_covered(project)
        bound = {b["workflow_id"] for b in project.json("state", "list").json["bindings"]}
        assert made <= bound | set(receipts.values())
        assert set(receipts) <= set(unresolved)
    else:
        assert not made
    assert ran.returncode in ((7,) if receipts else (0, 1, 4)), ran
    assert ran.returncode or len(made) == 8
    printed = dict(_RECEIPT.findall(project.ok("state", "list").out)) if receipts else {}
    assert receipts == {address: id for address, id in printed.items() if id != "WORKFLOW_ID"}
    for address, workflow_id in receipts.items():
        project.ok("state", "resolve", address, "--id", workflow_id)
    assert not list(project.root.glob("*.recovery"))
    project.apply()
    assert len(project.server.workflows()) == 8
    check_unique(project)
    project.assert_settled()
