"""Runs at once on one state, and runs that sleep while their lock is broken."""

from __future__ import annotations

import random
import re
import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.conftest import custom

from .crash import check_covered, check_unique, operate

if TYPE_CHECKING:
    from tests.conftest import Project

NAMES = [f"w{n}" for n in range(6)]
_RECEIPT = re.compile(r"defendctl state resolve (\S+) --id (\S+)")
_LOCK = re.compile(r"defendctl state unlock (\w+)")
FEW = 2


def test_one_wins_and_the_others_say_who(project: Project) -> None:
    project.declare({name: custom() for name in NAMES})
    project.server.fault("slow-after", "POST", times=1, seconds=0.5)
    winner = project.spawn("apply", "--yes")
    while not project.server.names():
        time.sleep(0.01)
    winner.send_signal(signal.SIGSTOP)  # so that it holds the lock, however busy the machine is
    others = [project.spawn("apply", "--yes") for _ in range(2)]
    for run in others:
        out, err = run.communicate(timeout=60)
        assert (run.returncode, out) == (6, "")
        assert f"process {winner.pid}" in err
    winner.send_signal(signal.SIGCONT)
    winner.communicate(timeout=60)
    assert winner.returncode == 0
    assert project.server.names() == NAMES
    project.server.heal()
    project.assert_settled()


def test_plans_at_once_and_beside_an_apply(project: Project) -> None:
    project.declare({name: custom() for name in NAMES})
    project.server.fault("slow-after", "POST", times=None, seconds=0.2)
    apply = project.spawn("apply", "--yes", "--parallelism", "1")
    plans, said = 0, ""
    while apply.poll() is None:
        ran = project.run("plan")
        assert ran.code == 0, "a create that is under way is none whose outcome is unknown"
        assert "rolled back" not in ran.err
        plans += 1
        said += ran.out + ran.err
        time.sleep(0.05)
    assert "a run is under way (" in said
    assert f"process {apply.pid}, since" in said
    assert "a run that is under way began to create it" in said
    assert apply.returncode == 0, apply.communicate()
    assert plans > 5
    project.server.heal()
    project.assert_settled()


def _zombie(project: Project, seed: int) -> None:
    """Stopped anywhere, its lock broken, another run in between, then woken."""
    rng = random.Random(seed)
    project.declare({name: custom() for name in NAMES})
    project.server.fault("slow-after", "POST", times=None, seconds=0.05)
    project.server.forget_requests()
    run = project.spawn("apply", "--yes", "--parallelism", rng.choice(["1", "3"]))
    while run.poll() is None and not project.server.requests():
        time.sleep(0.002)
    time.sleep(rng.uniform(0, 0.4))
    run.send_signal(signal.SIGSTOP)
    time.sleep(rng.choice([0.1, 1.2]))
    locked = project.run("apply", "--yes")
    broken = _LOCK.search(locked.err)
    if broken:
        project.run("state", "unlock", broken[1])
        assert project.run("apply", "--yes").code in (0, 6, 7)
    run.send_signal(signal.SIGCONT)
    out, err = run.communicate(timeout=60)
    assert "Traceback" not in out + err
    check_unique(project)
    check_covered(project)
    for address, workflow_id in _RECEIPT.findall(err):
        if workflow_id != "WORKFLOW_ID":
            assert project.run("state", "resolve", address, "--id", workflow_id).code in (0, 1, 6)
    project.server.heal()
    operate(project)
    assert project.server.names() == NAMES
    project.assert_settled()


@pytest.mark.parametrize("seed", range(FEW))
def test_a_zombie_with_a_broken_lock(project: Project, seed: int) -> None:
    _zombie(project, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(FEW, 50))
def test_many_zombies(project: Project, seed: int) -> None:
    _zombie(project, seed)
