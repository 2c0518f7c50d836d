"""The same faults on a create, met by defendctl and by a careful loop over the vendor's SDK.

Each: one run with the fault at the second of three creates, then runs without a fault.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.crash import answers
from tests.crash.scenarios import CREATES
from tests.sandbox.test_vendor_sdk import sdk_python

if TYPE_CHECKING:
    from tests.conftest import Server
    from tests.crash.bench import Bench

VERSION = "1.27.0"
LOOP = Path(__file__).with_name("sdk_loop.py")
NAMES = [f"new-{n}" for n in range(CREATES)]
SKIP = 1
PATIENCE = 60.0
"""The SDK's own time limit; the slow answer is met with one second, as defendctl's is."""


@dataclass(frozen=True)
class Compared:
    fault: str
    twice: int
    lost: int
    sdk_twice: int
    """Workflows that exist once more than they should."""
    sdk_lost: int
    """Ids of living workflows that stand in no file."""


def compare(bench: Bench, fault: str) -> Compared:
    verdict = answers.verdict(bench.arena("creates"), fault, SKIP)
    assert not verdict.problems, str(verdict)
    sdk_twice, sdk_lost = _loop(bench.server, fault, bench.folder / f"{fault}.json")
    return Compared(fault, verdict.twice, verdict.lost, sdk_twice, sdk_lost)


def _loop(server: Server, fault: str, file: Path) -> tuple[int, int]:
    for each in server.workflows():
        server.remove(each["workflow_id"])
    server.forget_requests()
    server.fault(method="POST", skip=SKIP, **answers.FAULTS[fault])
    run = _start(server, file, 1 if fault.startswith("slow") else PATIENCE)
    if fault == "kill -9":
        while run.poll() is None and server.count("POST") <= SKIP:
            time.sleep(0.002)
        run.kill()
    run.communicate(timeout=120)
    server.heal()
    _start(server, file, PATIENCE).communicate(timeout=120)
    counts = Counter(server.names())
    saved = set(json.loads(file.read_text()).values())
    lost = {w["workflow_id"] for w in server.workflows()} - saved
    return sum(count - 1 for count in counts.values()), len(lost)


def _start(server: Server, file: Path, timeout: float) -> subprocess.Popen[str]:
    command = [str(sdk_python(VERSION)), str(LOOP), server.url, str(file), str(timeout), *NAMES]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


_ROW = "{:<26} {:>16} {:>10} {:>16} {:>10}"


def table(compared: list[Compared]) -> str:
    lines = [
        _ROW.format("", "defendctl", "", "loop over SDK", ""),
        _ROW.format("fault on one create", "duplicates", "lost ids", "duplicates", "lost ids"),
    ]
    lines += [_ROW.format(c.fault, c.twice, c.lost, c.sdk_twice, c.sdk_lost) for c in compared]
    names = ("twice", "lost", "sdk_twice", "sdk_lost")
    return "\n".join([*lines, _ROW.format("all", *(sum(getattr(c, n) for c in compared) for n in names))])
