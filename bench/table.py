"""`python -m bench.table REV [WORD…]`: the goals for speed, at a revision and in the working tree, in turn.

Rows are ratios, megabytes, or seconds of this machine; a WORD takes only the groups that are named so. The
revision is checked out and installed under `.cache/bench`, and both are measured as whole processes, one
after the other in each round. Told are medians of the rounds.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from itertools import islice
from typing import TYPE_CHECKING, Final

from bench.bench import (
    CACHE,
    DEFENDCTL,
    HERE,
    ROUNDS,
    TAB,
    Run,
    beside,
    built,
    defendctl,
    env,
    known,
    project,
    script,
    sdk,
    serving,
    slow,
    timed,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Found = dict[str, float]
    """Row → what was found in one round."""

GOALS: Final = {
    "plan of 1,000 / a loop over the vendor's SDK, cpu": 0.22,
    "plan of 1,000 / a loop over the vendor's SDK, wall": 0.22,
    "plan of 1,000: 50 in flight / 10, cpu": 1.15,
    "plan of 5,000, 50 ms, 50 in flight / (floor + --no-refresh), wall": 1.25,
    "plan of 5,000, 50 ms, 50 in flight: MB": 90,
    "plan of 10,000 creates, no network: s, cpu": 3.5,
    "plan of 10,000 creates, no network: MB": 120,
    "apply of 1,000 / a script over the vendor's SDK, wall": 0.3,
    "apply of 1,000, 20 ms / floor, wall": 1.4,
    "a state of 10,000 read (`state list`): s, wall": 0.4,
    "a state of 10,000, one record folded (`state mv`): s, cpu": 0.9,
    "--version / python -c pass, cpu": 5,
    "validate of one file / python -c pass, cpu": 16,
    "a TAB among 1,000 workflows / python -c pass, cpu": 12,
    "fmt --check of 10,000: s, cpu": 5,
    "make demo, installed: s, wall": 8.9,
}
_APPLY: Final = ["apply", "--yes", "--format", "json"]


def main(revision: str, *words: str) -> None:
    tools = (installed(revision), DEFENDCTL)
    print(f"{'':68} {revision[:9]:>9} {'now':>9} {'goal':>7}", flush=True)
    missed = False
    for name, group in GROUPS.items():
        if words and name not in words:
            continue
        for row, (before, now) in compared(group, tools).items():
            over = now > GOALS[row]
            missed |= over
            print(f"{row:68} {before:9.2f} {now:9.2f} {GOALS[row]:7g}{'  MISSED' * over}", flush=True)
    sys.exit(missed)


def installed(revision: str) -> Path:
    """The defendctl of that commit, with the packages that its lock names."""
    sha = subprocess.check_output(["git", "rev-parse", f"{revision}^{{commit}}"], cwd=HERE, text=True).strip()
    home = CACHE / "bench" / sha
    if not (home / "Makefile").exists():
        subprocess.run(["git", "clone", "-q", "--shared", HERE.parent, home], check=True)
        subprocess.run(["git", "checkout", "-q", "--detach", sha], cwd=home, check=True)
    subprocess.run(["make", "-s", ".venv/.installed"], cwd=home, env=env(""), check=True, capture_output=True)
    return home / ".venv" / "bin" / "defendctl"


def compared(
    group: Callable[[Path], Iterator[Found]], tools: tuple[Path, Path]
) -> dict[str, tuple[float, float]]:
    """Row → the medians of both, of rounds that alternate."""
    rounds = list(islice(zip(*(group(tool) for tool in tools), strict=True), ROUNDS))
    return {
        row: (
            statistics.median(before[row] for before, _ in rounds),
            statistics.median(now[row] for _, now in rounds),
        )
        for row in (rounds[0][0] if rounds else ())
    }


def starts(tool: Path) -> Iterator[Found]:
    with project(1) as one, project(1000) as many:
        while True:
            yield {
                "--version / python -c pass, cpu": beside(["--version"], one, tool),
                "validate of one file / python -c pass, cpu": beside(["validate"], one, tool),
                "a TAB among 1,000 workflows / python -c pass, cpu": beside([], many, tool, **TAB),
            }


def reads(tool: Path) -> Iterator[Found]:
    with project(1000) as folder, serving() as url:
        apply(folder, url, tool)
        ids = known(folder, tool)
        while True:
            plan = ["plan", "--detailed-exitcode", "--parallelism"]
            few, many = (defendctl([*plan, number], folder, url, tool) for number in ("10", "50"))
            found = {"plan of 1,000: 50 in flight / 10, cpu": many.cpu / few.cpu}
            if sdk():
                loop = script("plan", folder, ids, url)
                found["plan of 1,000 / a loop over the vendor's SDK, cpu"] = few.cpu / loop.cpu
                found["plan of 1,000 / a loop over the vendor's SDK, wall"] = few.wall / loop.wall
            yield found


def waits(tool: Path) -> Iterator[Found]:
    number, name = 5000, "plan of 5,000, 50 ms, 50 in flight"
    if built() is None:
        return
    with project(number) as folder, serving() as url:
        apply(folder, url, tool)
        slow(url, 50)
        while True:
            plan = defendctl(["plan", "--parallelism", "50"], folder, url, tool)
            local = defendctl(["plan", "--no-refresh"], folder, url, tool)
            best = number * 0.05 / 50 + local.wall
            yield {f"{name} / (floor + --no-refresh), wall": plan.wall / best, f"{name}: MB": plan.peak}


def creates(tool: Path) -> Iterator[Found]:
    """Each id durable before it is told, on both sides."""
    with project(1000) as folder, serving() as url:
        while True:
            took, found = apply(folder, url, tool), {}
            if sdk():
                loop = script("apply", folder, folder / "ids.json", url)
                found["apply of 1,000 / a script over the vendor's SDK, wall"] = took.wall / loop.wall
            if built():
                slow(url, 20)
                floor = 1000 * 0.02 / 3
                found["apply of 1,000, 20 ms / floor, wall"] = apply(folder, url, tool).wall / floor
                slow(url, 0)
            yield found


def many(tool: Path) -> Iterator[Found]:
    """Ten thousand: planned, formatted, made; then what reads the state, and what changes it."""
    with project(10_000) as folder:
        while True:
            forget(folder)
            plan = defendctl(["plan"], folder, "", tool)
            fmt = defendctl(["fmt", "--check"], folder, "", tool)
            with serving() as url:
                apply(folder, url, tool)
            listed = defendctl(["state", "list"], folder, "", tool)
            moved = defendctl(["state", "mv", "w000000", "moved"], folder, "", tool)
            yield {
                "plan of 10,000 creates, no network: s, cpu": plan.cpu,
                "plan of 10,000 creates, no network: MB": plan.peak,
                "fmt --check of 10,000: s, cpu": fmt.cpu,
                "a state of 10,000 read (`state list`): s, wall": listed.wall,
                "a state of 10,000, one record folded (`state mv`): s, cpu": moved.cpu,
            }


def demo(tool: Path) -> Iterator[Found]:
    home = tool.parents[2]
    while True:
        took = timed([str(tool.with_name("python")), "examples/demo.py"], {}, home)
        yield {"make demo, installed: s, wall": took.wall}


def apply(folder: Path, url: str, tool: Path) -> Run:
    """From the beginning, whatever was there."""
    forget(folder)
    begin = ["--new-state", "--no-pin"] if b"--new-state" in helped(tool) else []
    return defendctl([*_APPLY, *begin], folder, url, tool)


def forget(folder: Path) -> None:
    for left in folder.glob("defendctl.state*"):
        left.unlink()


def helped(tool: Path) -> bytes:
    return subprocess.check_output([tool, "apply", "--help"], env={**os.environ, "COLUMNS": "200"})


GROUPS: Final = {
    "starts": starts,
    "reads": reads,
    "waits": waits,
    "creates": creates,
    "many": many,
    "demo": demo,
}


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("which revision? python -m bench.table REV [starts|reads|waits|creates|many|demo …]")
    main(*sys.argv[1:])
