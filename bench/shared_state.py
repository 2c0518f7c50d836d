"""`python -m bench.shared_state`: a state that is elsewhere beside one in a file, all ratios of one run.

Real servers, which the tests install; a proxy counts what is asked of them and makes them slow. Arguments say
which rows (`creates`, `many`, `large`, `imports`); docs/performance.md what the limits are and which of them
are missed.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.bench import (
    DEFENDCTL,
    PYTHON,
    ROUNDS,
    Limit,
    Run,
    defendctl,
    entry,
    env,
    project,
    serving,
    slow,
    told,
)
from tests.servers.postgres import postgres
from tests.servers.proxy import Proxy, proxied
from tests.servers.weed import SECRET, seaweedfs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CREATES = 200
MANY = 10_000
API = 20
"""Milliseconds that the API takes for an answer."""
DELAYS = (0, 5, 20)
"""Milliseconds of a round trip to the store."""
MOST = {"postgres": (1.3, 2.1, 2.2), "s3": (1.7, 2.4, 2.2)}
MORE = 1_000
COMMANDS = (("outputs",), ("state", "list"), ("plan", "--no-refresh"), ("plan", "--parallelism", "50"))
BEGIN = ("apply", "--yes", "--new-state", "--no-pin", "--format", "json")
FOLD = """
import time
from defendctl.model import Intent
from defendctl.operations.workspace import Settings, open_workspace
from defendctl.state import records
with open_workspace(Settings()).store.session(print) as session:
    session.record(records.intent("one-more", Intent("0123abcd", "2031-01-01T00:00:00+00:00", {})))
    session.record(records.withdrawn("one-more", "0123abcd"))
    began = time.process_time()
    session.close()
    print(time.process_time() - began)
"""
"""What was recorded becomes a part of the state, which is then as before: seconds of the processor."""


@dataclass
class Place:
    """Where a state is; `key` makes it another one each time."""

    name: str
    url: str = ""
    options: dict[str, str] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    proxy: Proxy | None = None
    count: int = 0

    @property
    def asked(self) -> int:
        """Questions, so far."""
        return self.proxy.questions if self.proxy else 0

    def put_into(self, folder: Path) -> None:
        self.count += 1
        if self.url:
            options = "".join(f", {name}: '{value}'" for name, value in self.options.items())
            text = f"state: {{url: '{self.url.format(key=f'k{self.count}')}', options: {{{options[2:]}}}}}\n"
            with (folder / "defendctl.yaml").open("a") as file:
                file.write(text)


@contextmanager
def places() -> Iterator[list[Place]]:
    with ExitStack() as stack:
        cluster = stack.enter_context(postgres())
        proxy = stack.enter_context(proxied(cluster.port))
        url = f"{cluster.url(port=proxy.port)}?key={{key}}"
        found = [Place("file"), Place("postgres", url, proxy=proxy)]
        weed = stack.enter_context(seaweedfs())
        weed.make_bucket("bench")
        front = stack.enter_context(proxied(weed.port))
        options = {"endpoint": f"http://127.0.0.1:{front.port}", "region": "us-east-1"}
        env = {"AWS_ACCESS_KEY_ID": "all", "AWS_SECRET_ACCESS_KEY": SECRET}
        yield [*found, Place("s3", "s3://bench/{key}", options, env, front)]


def run(place: Place, arguments: list[str] | tuple[str, ...], folder: Path, url: str) -> Run:
    return defendctl([*arguments], folder, url, DEFENDCTL, **place.env)


def begun(place: Place, number: int, api: str, delay: float = 0) -> tuple[Run, int, int]:
    """An apply of so many creates: what it took, and for one create the questions and the bytes."""
    with project(number) as folder:
        place.put_into(folder)
        proxy = place.proxy
        if proxy is None:
            return run(place, BEGIN, folder, api), 0, 0
        proxy.delay = delay / 2000
        asked, sent = proxy.questions, proxy.sent
        took = run(place, BEGIN, folder, api)
        proxy.delay = 0
        return took, proxy.questions - asked, proxy.sent - sent


def creates(there: list[Place]) -> Iterator[Limit]:
    """In turn, each without what a run of one create takes: starting, locking and folding cost the same."""
    local, *shared = there
    with serving() as api:
        slow(api, API)
        for place in shared:
            for delay, most in zip(DELAYS, MOST[place.name], strict=True):
                pairs = [(one_create(place, api, delay), one_create(local, api)) for _ in range(ROUNDS)]
                ratio = statistics.median(ours[0] / theirs[0] for ours, theirs in pairs)
                name = f"a create, {delay} ms to {place.name} / in a file, wall"
                yield told(Limit(name, ratio, most))
            calls = statistics.median(ours[1] for ours, _ in pairs)
            yield told(Limit(f"calls a create, {DELAYS[-1]} ms to {place.name}", calls, 1.4))


def one_create(place: Place, api: str, delay: float = 0) -> tuple[float, float]:
    """Seconds and calls to the store, of many by the number."""
    start, many = begun(place, 1, api, delay), begun(place, CREATES, api, delay)
    return (many[0].wall - start[0].wall) / (CREATES - 1), (many[1] - start[1]) / (CREATES - 1)


def many_creates(there: list[Place]) -> Iterator[Limit]:
    local, *shared = there
    with serving() as api:
        slow(api, API)
        base = begun(local, 1000, api)[0].wall
        for place in shared:
            took, _, sent = begun(place, 1000, api, 20)
            yield told(Limit(f"1,000 creates, 20 ms to {place.name} / in a file, wall", took.wall / base, 3))
            yield told(Limit(f"KB sent a create of 1,000 to {place.name}", sent / 1e6, 130))


def large(there: list[Place], number: int = MANY) -> Iterator[Limit]:
    """A project of 10,000 workflows, at each place in turn: seconds are of this machine, and told beside."""
    with serving() as api, ExitStack() as stack:
        begun = [(place, stack.enter_context(project(number))) for place in there]
        for place, folder in begun:
            place.put_into(folder)
            run(place, BEGIN, folder, api)
        for command in COMMANDS:
            yield from in_turn(command, begun, number, api)
        for place, folder in begun:
            name = f"a fold of {number:,} on {place.name}: s cpu"
            yield told(Limit(name, fold(place, folder, api), 1.2))
            if place.proxy:
                name = f"KB sent a create of {MORE:,} beside {number:,} on {place.name}"
                yield told(Limit(name, more(place, place.proxy, folder, number, api) / 1e3, 130))


def in_turn(
    command: tuple[str, ...], begun: list[tuple[Place, Path]], number: int, api: str
) -> Iterator[Limit]:
    before = [place.asked for place, _ in begun]
    rounds = [[run(place, command, folder, api) for place, folder in begun] for _ in range(ROUNDS)]
    for k, (place, _) in enumerate(begun[1:], 1):
        what = f"{' '.join(command)} of {number:,} on {place.name}"
        file, ours = _middle(rounds, 0), _middle(rounds, k)
        print(
            f"    {what}: {ours.wall:.2f} s, {ours.cpu:.2f} s cpu, {ours.peak:.0f} MB; "
            f"in a file {file.wall:.2f} s; {(place.asked - before[k]) / ROUNDS:.0f} calls"
        )
        if command == ("state", "list"):
            found = statistics.median(1000 * (each[k].cpu - each[0].cpu) for each in rounds)
            yield told(Limit(f"{what}: ms cpu more than a file", max(found, 0), 100))
        else:
            found = statistics.median(each[k].cpu / each[0].cpu for each in rounds)
            yield told(Limit(f"{what} / in a file, cpu", found, 1.5))


def _middle(rounds: list[list[Run]], k: int) -> Run:
    """Of one place the run that is neither the quickest nor the slowest."""
    return sorted((each[k] for each in rounds), key=lambda one: one.cpu)[len(rounds) // 2]


def fold(place: Place, folder: Path, api: str) -> float:
    command = [str(PYTHON), "-c", FOLD]
    given = {**env(api), **place.env}
    ran = [
        subprocess.run(command, cwd=folder, env=given, check=True, capture_output=True, text=True).stdout
        for _ in range(ROUNDS)
    ]
    return min(map(float, ran))


def more(place: Place, proxy: Proxy, folder: Path, number: int, api: str) -> float:
    """Bytes that a create sends in a project of so many."""
    entries = "".join(entry(k) for k in range(number, number + MORE))
    (folder / "workflows" / "more.yaml").write_text(f"version: 1\nworkflows:\n{entries}")
    before = proxy.sent
    run(place, ("apply", "--yes", "--no-pin", "--parallelism", "50"), folder, api)
    return (proxy.sent - before) / MORE


def imports(there: list[Place]) -> Iterator[Limit]:
    """Of what a state elsewhere needs, in a run whose state is a file."""
    command = [str(PYTHON), "-X", "importtime", "-m", "defendctl", "plan", "--no-refresh"]
    with project(1) as folder:
        ran = subprocess.run(command, cwd=folder, env=env(""), check=True, capture_output=True, text=True)
    loaded = [line for line in ran.stderr.splitlines() if "psycopg" in line or "obstore" in line]
    yield told(Limit("modules of psycopg and obstore in a plan on a file", len(loaded), 0))


ROWS = {"creates": creates, "many": many_creates, "large": large, "imports": imports}


def main(names: list[str]) -> int:
    with places() as there:
        found = [limit for name in names or ROWS for limit in ROWS[name](there)]
    return 0 if all(limit.kept for limit in found) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
