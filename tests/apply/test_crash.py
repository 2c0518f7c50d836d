"""SIGKILL at random moments: no id is lost, nothing exists twice, and the messages suffice."""

from __future__ import annotations

import os
import random
import time
from typing import TYPE_CHECKING

import pytest

from .crash import kill_within, prepare, slow_down, trial

if TYPE_CHECKING:
    from tests.conftest import World

SEED = int(os.environ.get("CRASH_SEED", "20251207"))
FEW, MANY = 5, int(os.environ.get("CRASH_KILLS", "50"))


def _kills(world: World, count: int) -> None:
    seconds = _duration(world)
    for number in range(count):
        rng = random.Random(f"{SEED}-{number}")
        print(number, trial(world(), rng, kill_within(seconds, rng)), flush=True)


def _duration(world: World) -> float:
    """Seconds from the first request to the end, of a run that is left alone."""
    project = world()
    prepare(project)
    slow_down(project, random.Random(SEED))
    project.server.forget_requests()
    process = project.spawn("apply", "--yes", "--parallelism", "1")
    while not project.server.requests():
        time.sleep(0.002)
    began = time.monotonic()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, out + err
    return time.monotonic() - began


def test_a_handful_of_kills(world: World) -> None:
    _kills(world, FEW)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_fifty_kills(world: World) -> None:
    _kills(world, MANY)
