"""Runs of apply that end in the middle, and an operator who obeys only what is printed.

A trial is: a settled project, new manifests that need every kind of action, an apply that is ended by
`end`, and then the questions: does the state open, is every workflow bound, remembered or
covered by an unresolved create, does nothing exist twice, and does the operator get to an empty plan?
"""

from __future__ import annotations

import re
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.conftest import custom

if TYPE_CHECKING:
    import random
    import subprocess
    from collections.abc import Callable

    from tests.conftest import Project

CREATES = 8
COMMIT_SECONDS = 0.02
"""How long the API takes to answer a write, after or before it is committed."""

_RESOLVE = re.compile(r"defendctl (state resolve (\S+)) --not-created")
_NAMED = re.compile(r"""a workflow\s+named ['"]([^'"]*)""")


@dataclass
class Outcome:
    """What one trial showed."""

    ended: bool
    """Whether the run was ended; else it was done before."""
    journal: bool
    unresolved: int
    created: int
    """Of the unresolved creates, how many really had created."""
    commands: int
    """How many commands that changed something the operator needed."""


def prepare(project: Project) -> None:
    """A settled project, then manifests that update, retire, adopt and create."""
    project.declare({name: custom() for name in ("updated", "retired", "adopted", "kept")})
    project.apply()
    project.declare({name: custom() for name in ("updated", "retired", "kept")})
    project.apply()
    project.declare(
        {
            "updated": custom(description="new", max_retries=3),
            "adopted": custom(max_retries=7),
            "kept": custom(),
            **{f"new-{n}": custom() for n in range(CREATES)},
        }
    )


def slow_down(project: Project, rng: random.Random) -> None:
    """Answers take a moment, so that an end in the middle of a request is likely."""
    kind = rng.choice(["slow", "slow-after"])
    for method in ("POST", "PUT"):
        project.server.fault(kind, method, times=None, seconds=COMMIT_SECONDS)


def trial(
    project: Project, rng: random.Random, parallelism: int, end: Callable[[subprocess.Popen[str]], None]
) -> Outcome:
    """One run that is ended by `end`, which is called at the first request to the API."""
    prepare(project)
    slow_down(project, rng)
    ended = _run(project, ["apply", "--yes", "--parallelism", str(parallelism)], end)
    time.sleep(3 * COMMIT_SECONDS)
    project.server.heal()
    journal = project.journal.exists()
    unresolved = check_covered(project)
    created = sum(address in project.server.names() for address in unresolved)
    commands = operate(project)
    assert commands <= 1 + len(unresolved)
    assert len(unresolved) <= min(parallelism, 3)
    check_complete(project)
    return Outcome(ended, journal, len(unresolved), created, commands)


def check_covered(project: Project) -> list[str]:
    """Every workflow is bound, remembered, or has the name of an unresolved create; none exists twice."""
    state = project.json("state", "list").json
    known = {each["workflow_id"] for each in [*state["bindings"], *state["retired"]]}
    unresolved = [each["address"] for each in state["unresolved"]]
    strays = [w for w in project.server.workflows() if w["workflow_id"] not in known]
    assert {w["name"] for w in strays} <= set(unresolved), "an id was lost"
    check_unique(project)
    return unresolved


def check_unique(project: Project) -> None:
    twice = [name for name, count in Counter(project.server.names()).items() if count > 1]
    assert not twice, f"exists twice: {twice}"


def check_complete(project: Project) -> None:
    """The plan is empty, each declared address is bound to a workflow of its own, nothing is left over."""
    project.assert_settled()
    check_unique(project)
    outputs = project.json("outputs").json["outputs"]
    live = {w["workflow_id"]: w["name"] for w in project.server.workflows()}
    assert {address: live[workflow_id] for address, workflow_id in outputs.items()} == {a: a for a in outputs}
    assert len(live) == len(outputs) + 1  # the retired one stays live
    if project.journal.exists():  # the run was ended after its last record
        project.apply()
    assert not project.journal.exists()


def operate(project: Project) -> int:
    """Settle what `plan` says must be settled, then apply. Returns how many commands that took."""
    commands = 0
    printed = project.run("plan")
    for command, address in sorted(set(_RESOLVE.findall(printed.out))):
        _settle(project, command.split(), name=_name(printed.out, address))
        commands += 1
    if "No changes" not in project.run("plan").out:
        project.ok("apply", "--yes")
        commands += 1
    return commands


def _settle(project: Project, command: list[str], name: str) -> None:
    """Look in the console for that name, and say what is true."""
    found = [w["workflow_id"] for w in project.server.workflows() if w["name"] == name]
    if found:
        project.ok(*command, "--id", found[0])
        return
    refused = project.ok(*command, "--not-created", code=6)
    assert "add --now" in refused.err  # the console was looked at
    project.ok(*command, "--not-created", "--now")


def _name(printed: str, address: str) -> str:
    """The name to look for: the last one told before the command of this address."""
    before = printed.partition(f"resolve {address} --not-created")[0]
    return str(_NAMED.findall(before)[-1])


def _run(project: Project, arguments: list[str], end: Callable[[subprocess.Popen[str]], None]) -> bool:
    """Whether the process was still there when it was ended."""
    project.server.forget_requests()
    process = project.spawn(*arguments)
    try:
        while process.poll() is None and not project.server.requests():
            time.sleep(0.002)
        end(process)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert "Traceback" not in out + err
    return bool(process.returncode)


def kill_after(seconds: float) -> Callable[[subprocess.Popen[str]], Any]:
    """SIGKILL so long after the first request."""

    def end(process: subprocess.Popen[str]) -> None:
        time.sleep(seconds)
        process.kill()

    return end
