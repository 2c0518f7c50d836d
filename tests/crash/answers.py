"""Answers that go wrong on a create, each followed by three blind runs and then by the operator."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Any

from tests.crash import scenarios
from tests.crash.verdict import Ended, Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.crash.scenarios import Arena

HARNESS = "answers"
RERUNS = 3
ELSEWHERE = {"location": "/defend/elsewhere"}
FAULTS: dict[str, dict[str, Any]] = {
    "lost before commit": {"kind": "lost"},
    "lost after commit": {"kind": "lost-after"},
    "500": {"kind": "status", "status": 500},
    "500 after commit": {"kind": "status-after", "status": 500},
    "502 after commit": {"kind": "status-after", "status": 502},
    "503": {"kind": "status", "status": 503},
    "503 after commit": {"kind": "status-after", "status": 503},
    "504 after commit": {"kind": "status-after", "status": 504},
    "408 after commit": {"kind": "status-after", "status": 408},
    "409 after commit": {"kind": "status-after", "status": 409},
    "429": {"kind": "status", "status": 429, "headers": {"retry-after": "0.1"}},
    "303 after commit": {"kind": "status-after", "status": 303, "headers": ELSEWHERE},
    "307": {"kind": "status", "status": 307, "headers": {"location": "/defend"}},
    "slow beyond the timeout": {"kind": "slow-after", "seconds": 3},
    "truncated": {"kind": "truncated"},
    "not JSON": {"kind": "not-json"},
    "no id": {"kind": "no-id"},
    "kill -9": {"kind": "slow-after", "seconds": 5},
}
TIMEOUT = {"DEFENDCTL_TIMEOUT": "1"}


def verdicts(arena: Arena) -> list[Callable[[], Verdict]]:
    """Each fault at the first, a middle and the last of the creates."""
    at = [(fault, skip) for fault in FAULTS for skip in range(scenarios.CREATES)]
    return [lambda f=fault, s=skip: verdict(arena, f, s) for fault, skip in at]  # type: ignore[misc]


def verdict(arena: Arena, fault: str, skip: int) -> Verdict:
    project = arena.fresh()
    project.server.fault(method="POST", skip=skip, **FAULTS[fault])
    process = project.spawn(*arena.command, **TIMEOUT)
    if fault == "kill -9":
        while process.poll() is None and project.server.count("POST") <= skip:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
    out, err = process.communicate(timeout=60)
    for _ in range(RERUNS):
        project.run("apply", "--yes")
    project.server.heal()
    return judge(HARNESS, arena, Ended(fault, True, process.returncode, out, err))
