"""`python -m bench.shared_state`: a state that is elsewhere beside one in a file, all ratios of one run.

Real servers, which the tests install; a proxy counts what is asked of them and makes them slow. Arguments say
which rows (`creates`, `many`, `large`); docs/performance.md what the limits are and which of them are missed.
"""

from __future__ import annotations

import statistics
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.bench import DEFENDCTL, ROUNDS, Limit, Run, defendctl, project, serving, slow, told
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
BEGIN = ("apply", "--yes", "--new-state", "--no-pin", "--format", "json")


@dataclass
class Place:
    """Where a state is; `key` makes it another one each time."""

    name: str
    url: str = ""
    options: dict[str, str] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    proxy: Proxy | None = None
    count: int = 0

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
    """A project of 10,000 workflows: seconds are of this machine, and told beside the ratio."""
    commands = (("outputs",), ("state", "list"), ("plan", "--no-refresh"), ("plan", "--parallelism", "50"))
    seen: dict[str, list[Run]] = {}
    calls: dict[str, Any] = {}
    with serving() as api:
        for place in there:
            with project(number) as folder:
                place.put_into(folder)
                run(place, BEGIN, folder, api)
                for command in commands:
                    asked = place.proxy.questions if place.proxy else 0
                    ran = [run(place, command, folder, api) for _ in range(ROUNDS)]
                    name = " ".join(command)
                    seen.setdefault(name, []).append(min(ran, key=lambda one: one.cpu))
                    count = (place.proxy.questions - asked) / ROUNDS if place.proxy else 0
                    calls[f"{name} {place.name}"] = count
    for name, (file, *others) in seen.items():
        for place, other in zip(there[1:], others, strict=True):
            what = f"{name} of {number:,} on {place.name}"
            print(
                f"    {what}: {other.wall:.2f} s, {other.cpu:.2f} s cpu, {other.peak:.0f} MB; "
                f"in a file {file.wall:.2f} s; {calls[f'{name} {place.name}']:.0f} calls"
            )
            if name == "state list":
                yield told(Limit(f"{what}: ms cpu more than a file", 1000 * (other.cpu - file.cpu), 100))
            else:
                yield told(Limit(f"{what} / in a file, cpu", other.cpu / file.cpu, 1.5))


ROWS = {"creates": creates, "many": many_creates, "large": large}


def main(names: list[str]) -> int:
    with places() as there:
        found = [limit for name in names or ROWS for limit in ROWS[name](there)]
    return 0 if all(limit.kept for limit in found) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
