"""`python -m tests.crash N`: about N runs over all harnesses. `mutants`, `compare`: the other two tables.

`python -m tests.crash N BACKEND [FROM]`: N runs of each harness over a shared state: git, postgres, s3. They
are numbered, from FROM on, so that many can be run in parts.

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
from typing import TYPE_CHECKING, Any

from tests.crash import answers, compare, mutants, shared, strace
from tests.crash.bench import Bench
from tests.crash.runs import chunks, work
from tests.crash.verdict import Verdict, table

if TYPE_CHECKING:
    from collections.abc import Callable


def crash(runs: int) -> int:
    return _count([(work, (cases,)) for cases in chunks(runs)])


def crash_shared(runs: int, backend: str, start: int) -> int:
    return _count([(shared.work, (backend, cases)) for cases in shared.chunks(runs, start)])


def _count(jobs: list[tuple[Callable[..., list[Verdict]], tuple[Any, ...]]]) -> int:
    verdicts: list[Verdict] = []
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        for done in as_completed([pool.submit(job, *given) for job, given in jobs]):
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


def main(what: str, backend: str = "local", start: str = "0") -> int:
    if strace.why_not():
        sys.exit(strace.why_not())
    others: dict[str, Callable[[Path], int]] = {"mutants": bite, "compare": both}
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CRASH_FOLDER"] = folder
        Path(folder).chmod(0o755)  # for servers that refuse to run as root
        if what in others:
            code = others[what](Path(folder))
        else:
            code = crash(int(what)) if backend == "local" else crash_shared(int(what), backend, int(start))
    print(f"{time.monotonic() - began:.0f} s")
    return code


if __name__ == "__main__":
    sys.exit(main(*(sys.argv[1:] or ["200"])))
