"""`python -m tests.crash N`: about N runs over all harnesses. `mutants`, `compare`: the other two tables.

Exits 1 if anything was lost, exists twice, or was not as it should be.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from tests.crash import answers, compare, mutants, powercut, strace
from tests.crash.bench import WHERE, Bench, Case
from tests.crash.verdict import Verdict, table

if TYPE_CHECKING:
    from collections.abc import Callable

SHARES = {
    "kill at random": 0.25,
    "kill at a call": 0.2,
    "disk error": 0.25,
    powercut.HARNESS: 0.25,
    answers.HARNESS: 0.05,
}
ONCE = ("fsync fails", "runs at once", "sleeper", "a 404", "a lost update")
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


def crash(runs: int) -> int:
    verdicts: list[Verdict] = []
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        for done in as_completed([pool.submit(work, cases) for cases in chunks(runs)]):
            verdicts += done.result()
            print(f"\r{len(verdicts)} runs", end="", file=sys.stderr, flush=True)
    bad = [verdict for verdict in verdicts if verdict.problems]
    print("\r" + table(verdicts))
    print(*map(str, bad), sep="\n")
    return 1 if bad else 0


def bite(folder: Path) -> int:
    print(mutants.HEADING)
    missed = 0
    for number, mutant in enumerate(mutants.MUTANTS):
        runs, verdict = mutants.hunt(mutant, folder / str(number))
        print(mutants.row(mutant, runs, verdict), flush=True)
        missed += verdict is None
    return 1 if missed else 0


def both(folder: Path) -> int:
    with Bench(folder) as bench:
        compared = [compare.compare(bench, fault) for fault in answers.FAULTS]
    print(compare.table(compared))
    return 1 if any(each.twice or each.lost for each in compared) else 0


def main(what: str) -> int:
    if strace.why_not():
        sys.exit(strace.why_not())
    others: dict[str, Callable[[Path], int]] = {"mutants": bite, "compare": both}
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CRASH_FOLDER"] = folder
        code = others[what](Path(folder)) if what in others else crash(int(what))
    print(f"{time.monotonic() - began:.0f} s")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "200"))
