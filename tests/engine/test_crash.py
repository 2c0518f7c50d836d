"""SIGKILL at random moments: no id is lost, nothing exists twice, and the messages suffice."""

from __future__ import annotations

import os
import random
import signal
import time
from typing import TYPE_CHECKING

import pytest

from .crash import kill_after, prepare, slow_down, trial

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from tests.conftest import World

SEED = int(os.environ.get("CRASH_SEED", "20251207"))
FEW, MANY = 2, int(os.environ.get("CRASH_KILLS", "50"))


def _kills(world: World, count: int) -> None:
    """At random moments, spread over the whole run, with creates one at a time and three at once."""
    seconds = {parallelism: _duration(world, parallelism) for parallelism in (1, 10)}
    for number in range(count):
        rng = random.Random(f"{SEED}-{number}")
        parallelism = (1, 10)[number % 2]
        kill = kill_after(seconds[parallelism] * (number + rng.random()) / count)
        print(number, parallelism, trial(world(), rng, parallelism, kill), flush=True)


def _duration(world: World, parallelism: int) -> float:
    """Seconds from the first request to the last one, of a run that is left alone."""
    project = world()
    prepare(project)
    slow_down(project, random.Random(SEED))
    project.server.forget_requests()
    process = project.spawn("apply", "--yes", "--parallelism", str(parallelism))
    began = last = 0.0
    seen = 0
    while process.poll() is None:
        if (now := len(project.server.requests())) > seen:
            seen, last = now, time.monotonic()
            began = began or last
        time.sleep(0.002)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, out + err
    return last - began


@pytest.mark.slow
def test_a_handful_of_kills(world: World) -> None:
    _kills(world, FEW)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_fifty_signals(world: World) -> None:
    """Each ends within six seconds, frees the lock and knows what it did."""
    for number in range(MANY):
        rng = random.Random(f"{SEED}-{number}")
        signalled = _signal_after(rng.random() * 0.5, rng.choice([signal.SIGINT, signal.SIGTERM]))
        outcome = trial(world(), rng, (1, 10)[number % 2], signalled)
        print(number, outcome, flush=True)


def _signal_after(seconds: float, number: int) -> Callable[[subprocess.Popen[str]], None]:
    def end(process: subprocess.Popen[str]) -> None:
        time.sleep(seconds)
        process.send_signal(number)
        assert process.wait(timeout=6) in (0, 130)

    return end


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_fifty_kills(world: World) -> None:
    _kills(world, MANY)
