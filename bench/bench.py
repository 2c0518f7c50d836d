"""`make bench`: what defendctl costs, beside what else a user would run, and how it grows.

Every run is a whole process, in turn with its peer, against a stand-in for the API on loopback. Told are
medians of ratios, for seconds are those of one machine; docs/performance.md says what the limits are.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
CACHE = HERE.parent / ".cache"
PYTHON = Path(sys.executable)
DEFENDCTL = PYTHON.with_name("defendctl")
SDK = "1.27.0"
ROUNDS = 3
NOTHING = [str(PYTHON), "-c", "pass"]
_SLOWER = """
import sys, urllib.request as r
try: r.build_opener(r.ProxyHandler({})).open(sys.argv[1])
except r.HTTPError: pass
"""
TAB = {"_DEFENDCTL_COMPLETE": "bash_complete", "COMP_WORDS": "defendctl show w0", "COMP_CWORD": "2"}


@dataclass(frozen=True)
class Run:
    """Seconds of the clock and of the processor, and MB at the most."""

    wall: float
    cpu: float
    peak: float


@dataclass(frozen=True)
class Limit:
    """A ratio, or MB, that must not be larger."""

    what: str
    found: float
    most: float

    def __str__(self) -> str:
        return f"{self.what:64} {self.found:8.2f}   at most {self.most:g}{'' if self.kept else '   EXCEEDED'}"

    @property
    def kept(self) -> bool:
        """A difference of clocks that came out negative measures nothing."""
        return 0 <= self.found <= self.most


def main() -> None:
    found = [*starts(), *reads(), *waits(), *grows()]
    if not all(limit.kept for limit in found):
        sys.exit(1)


def told(limit: Limit) -> Limit:
    print(limit, flush=True)
    return limit


def starts() -> Iterator[Limit]:
    """In processor time of `python -c pass`."""
    with project(1) as one, project(1000) as many:
        yield told(Limit("--version / python -c pass, cpu", beside(["--version"], one), 5))
        yield told(Limit("validate of one file / python -c pass, cpu", beside(["validate"], one), 16))
        tab = beside([], many, DEFENDCTL, **TAB)
        yield told(Limit("a TAB among 1,000 workflows / python -c pass, cpu", tab, 12))


def beside(arguments: list[str], folder: Path, tool: Path = DEFENDCTL, **more: str) -> float:
    pairs = [
        (defendctl(arguments, folder, "", tool, **more), timed(NOTHING, {}, folder))
        for _ in range(3 * ROUNDS)
    ]
    return statistics.median(ours.cpu / theirs.cpu for ours, theirs in pairs)


def reads() -> Iterator[Limit]:
    """A plan of what was applied, where the API takes no time: what is left is our own work."""
    with project(1000) as folder, serving() as url:
        defendctl(["apply", "--yes", "--new-state", "--no-pin", "--format", "json"], folder, url)
        plan = ["plan", "--detailed-exitcode"]
        few = [defendctl(plan, folder, url) for _ in range(ROUNDS)]
        many = [defendctl([*plan, "--parallelism", "50"], folder, url) for _ in range(ROUNDS)]
        yield told(Limit("plan of 1,000: 50 in flight / 10, cpu", median(many, few, "cpu"), 1.15))
        if sdk() is None:
            return
        ids = known(folder)
        loop = [script("plan", folder, ids, url) for _ in few]
        for clock in ("wall", "cpu"):
            ratio = median(few, loop, clock)
            yield told(Limit(f"plan of 1,000 / a loop over the vendor's SDK, {clock}", ratio, 0.3))


def waits() -> Iterator[Limit]:
    """A plan where each answer takes 50 ms: N x 50 ms / 50 in flight is what nobody can do without."""
    if built() is None:
        return
    number = 5000
    with project(number) as folder, serving() as url:
        defendctl(["apply", "--yes", "--new-state", "--no-pin", "--format", "json"], folder, url)
        slow(url, 50)
        plan = [defendctl(["plan", "--parallelism", "50"], folder, url) for _ in range(ROUNDS)]
        local = [defendctl(["plan", "--no-refresh"], folder, url) for _ in range(ROUNDS)]
        best = statistics.median(run.wall + number * 0.05 / 50 for run in local)
        wall = statistics.median(run.wall for run in plan)
        name = f"plan of {number}, 50 ms, 50 in flight"
        yield told(Limit(f"{name} / (floor + --no-refresh), wall", wall / best, 1.4))
        yield told(Limit(f"plan of {number}, 50 in flight: MB", max(run.peak for run in plan), 120))


def grows() -> Iterator[Limit]:
    """Three times as many workflows must not take much more than three times as long."""
    sizes = (3000, 9000)
    runs: dict[str, list[Run]] = {}
    for size in sizes:
        with project(size) as folder, serving() as url:
            for what in ("validate", "plan", "fmt --check", "apply", "outputs", "drift"):
                begin = ["--yes", "--new-state", "--no-pin", "--format", "json"] if what == "apply" else []
                runs.setdefault(what, []).append(defendctl([*what.split(), *begin], folder, url))
    for what, (small, large) in runs.items():
        yield told(Limit(f"{what} of {sizes[1]} / of {sizes[0]}, cpu", large.cpu / small.cpu, 3.6))
    yield told(Limit(f"plan of {sizes[1]} creates: MB", runs["plan"][1].peak, 120))


def median(ours: list[Run], theirs: list[Run], what: str) -> float:
    return statistics.median(getattr(a, what) / getattr(b, what) for a, b in zip(ours, theirs, strict=True))


@contextmanager
def project(number: int) -> Iterator[Path]:
    """So many workflows, a hundred a file, written as people write them."""
    with tempfile.TemporaryDirectory(prefix="defendctl-bench-") as name:
        folder = Path(name)
        (folder / "workflows").mkdir()
        (folder / "defendctl.yaml").write_text("version: 1\napi: {generation: '2025-12-07'}\n")
        for start in range(0, number, 100):
            entries = "".join(entry(k) for k in range(start, min(number, start + 100)))
            path = folder / "workflows" / f"team-{start // 100:03}.yaml"
            path.write_text(f"# Guardrails of one team.\nversion: 1\nworkflows:\n{entries}")
        yield folder


def entry(k: int) -> str:
    return (
        f"  w{k:06}:\n    # Reviewed each quarter.\n    name: team workflow {k}\n    description: >-\n"
        f"      Guardrail workflow {k} checks the answers\n      before they reach the customer.\n"
        f"    type: custom\n    metrics:\n      correctness: 0.{k % 90 + 10}   # see the runbook\n"
        "      completeness: 0.8\n    improvement_action: fixit\n    max_retries: 5\n"
    )


@contextmanager
def serving() -> Iterator[str]:
    """The stand-in's URL; without a C compiler that of the embedded API, which takes longer than we do."""
    made = built()
    command = [str(made)] if made else [str(DEFENDCTL), "sandbox", "serve"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout
    try:
        yield server.stdout.readline().strip()
    finally:
        server.kill()
        server.wait()


def slow(url: str, milliseconds: int) -> None:
    """Each answer of the stand-in takes so long from now on."""
    subprocess.run([PYTHON, "-c", _SLOWER, f"{url}/latency/{milliseconds}"], check=True)


@cache
def built() -> Path | None:
    source, made = HERE / "standin.c", CACHE / "standin"
    compiler = shutil.which("cc")
    if compiler is None:
        print("no C compiler (`cc`): the embedded API stands in, and most of what is measured is its work")
        return None
    if not made.exists() or made.stat().st_mtime < source.stat().st_mtime:
        CACHE.mkdir(exist_ok=True)
        subprocess.run([compiler, "-O2", "-o", made, source], check=True)
    return made


def env(url: str) -> dict[str, str]:
    """Without what would turn off the cache of compiled modules, which every installation has."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "DEEPRAILS_API_KEY": "bench", "DEEP_RAILS_BASE_URL": url}


def defendctl(arguments: list[str], folder: Path, url: str = "", tool: Path = DEFENDCTL, **more: str) -> Run:
    return timed([str(tool), *arguments], {**env(url), **more}, folder)


def known(folder: Path, tool: Path = DEFENDCTL) -> Path:
    """A file with address → id of all that was applied, as the peer keeps it."""
    told = json.loads(subprocess.check_output([tool, "-C", folder, "outputs"], env=env("")))
    listed = folder / "ids.json"
    listed.write_text(json.dumps(told["outputs"]))
    return listed


def script(what: str, folder: Path, ids: Path, url: str) -> Run:
    """The peer does the same work."""
    python = sdk()
    assert python
    command = [python, str(HERE / "sdk_script.py"), what, str(folder / "workflows"), str(ids), url]
    return timed(command, {}, folder)


def timed(command: list[str], environment: dict[str, str], folder: Path) -> Run:
    began = time.monotonic()
    child = subprocess.Popen(
        command, env=environment or env(""), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 2):
        sys.exit(f"{' '.join(command[:3])} exited with {child.returncode}")
    wall = time.monotonic() - began
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


@cache
def sdk() -> str | None:
    """The Python that has the vendor's SDK, in an environment of its own, kept between runs."""
    home = CACHE / f"sdk-{SDK}-yaml"
    python = home / "bin" / "python"
    if not (home / "ready").exists():
        venv.create(home, with_pip=True, clear=True)
        command = [python, "-m", "pip", "install", "-q", f"deeprails=={SDK}", "pyyaml"]
        if subprocess.run(command, check=False, capture_output=True).returncode:
            print("the vendor's SDK cannot be installed here: no comparison with a loop over it")
            return None
        (home / "ready").touch()
    return str(python)


if __name__ == "__main__":
    main()
