"""What the protocols of a create have in common as machines: the API, and the walk through every order.

One address, some actors that each run `apply` once, and an API that commits what it was sent at once, later
or never and whose answers may get lost. A world is a value.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


@dataclass(frozen=True, slots=True)
class Actor:
    """Its number is its operation, too."""

    at: str = "new"
    workflow: int | None = None
    """What the answer said."""


@dataclass(frozen=True, slots=True)
class World:
    actors: tuple[Actor, ...]
    binding: int | None = None
    intent: int | None = None
    in_flight: tuple[tuple[int, bool], ...] = ()
    """Operation of each request on its way, sorted, and whether it was sent after its minimum age."""
    committed: tuple[int, ...] = ()
    """The operation of each workflow that exists; its index is its id."""
    old: frozenset[int] = frozenset()
    """Operations whose minimum age has passed."""


W = TypeVar("W", bound=World)
UNSENT = ("new", "locked", "read")
"""Where no intent is yet that could grow old."""


def walked(
    start: W, steps: Callable[[W], Iterable[W]], violation: Callable[[W], str | None]
) -> tuple[int, str | None]:
    """How many worlds there are, and what is violated in the first that is wrong."""
    seen, waiting = {start}, deque([start])
    while waiting:
        world = waiting.popleft()
        wrong = violation(world)
        if wrong:
            return len(seen), wrong
        for after in steps(world):
            if after not in seen:
                seen.add(after)
                waiting.append(after)
    return len(seen), None


def api(world: W, rules: frozenset[str]) -> Iterator[W]:
    """A request is committed, or never will be; and time passes."""
    for i, (op, late) in enumerate(world.in_flight):
        rest = replace(world, in_flight=world.in_flight[:i] + world.in_flight[i + 1 :])
        yield rest
        if late or op not in world.old or "minimum-age" not in rules:
            yield replace(rest, committed=(*world.committed, op))
    for op, actor in enumerate(world.actors):
        if op not in world.old and actor.at not in UNSENT:
            yield replace(world, old=world.old | {op})


def answers(world: W, n: int, rules: frozenset[str], given_up: W) -> Iterator[W]:
    """One comes for what was committed; or it gets lost, and then the actor has given up, or sends again."""
    for workflow, op in enumerate(world.committed):
        if op == n:
            yield put(world, n, replace(world.actors[n], at="answered", workflow=workflow))
    if "no-retry" in rules:
        yield given_up
    elif [op for op, _ in world.in_flight].count(n) + world.committed.count(n) < 2:
        yield request(world, n)


def request(world: W, op: int) -> W:
    return replace(world, in_flight=tuple(sorted((*world.in_flight, (op, op in world.old)))))


def put(world: W, n: int, actor: Actor) -> W:
    return replace(world, actors=(*world.actors[:n], actor, *world.actors[n + 1 :]))


def moved(world: W, n: int, at: str) -> W:
    return put(world, n, replace(world.actors[n], at=at))
