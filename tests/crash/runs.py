"""Which runs make up a number of runs, and the worker processes that do them."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from tests.crash import answers, bench, powercut
from tests.crash.bench import WHERE, Bench, Case
from tests.crash.verdict import Verdict

SHARES = {
    "kill at random": 0.2,
    "kill at a call": 0.2,
    bench.DISK: 0.25,
    bench.DESCRIPTORS: 0.05,
    bench.INTERRUPTS: 0.05,
    powercut.HARNESS: 0.2,
    answers.HARNESS: 0.03,
    "fsync fails": 0.02,
}
ONCE = ("runs at once", "sleeper", "broken lock", "a 404", "a lost update")
"""These have no more than a few different runs."""
CHUNK = 10


def chunks(runs: int) -> list[list[Case]]:
    """Runs of one scenario together, for its project is made once for all of them."""
    found = []
    for harness, where in WHERE.items():
        count = round(runs * SHARES.get(harness, 0) / len(where)) or (2 if harness in ONCE else 1)
        for scenario in where:
            cases = [Case(harness, scenario, number) for number in range(count)]
            found += [cases[start : start + CHUNK] for start in range(0, count, CHUNK)]
    return found


_benches: list[Bench] = []


def work(cases: list[Case]) -> list[Verdict]:
    """In a worker process, which keeps its bench."""
    if not _benches:
        _benches.append(Bench(Path(tempfile.mkdtemp(prefix="crash-", dir=os.environ["CRASH_FOLDER"]))))
    return [_run(_benches[0], case) for case in cases]


def _run(bench: Bench, case: Case) -> Verdict:
    try:
        return bench.run(case)
    except Exception as error:
        return Verdict(case.harness, "the harness failed", problems=[f"{case}: {error!r}"[:600]])
