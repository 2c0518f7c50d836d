"""The protocol of a create as a small machine, walked through every order of its steps.

One address, some processes that each run `apply` once, an API that commits what it was sent at once, later or
never and whose answers may get lost, kills anywhere, and an operator who breaks locks and settles unknown
creates truthfully. Each rule of the protocol can be taken out, to see that the walk notices.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

RULES = frozenset({"lock", "compare-and-swap", "intent", "honoured", "no-retry", "send-limit", "minimum-age"})
"""lock: one run at a time, until somebody breaks it. compare-and-swap: a write fails if the state moved.
intent: durable before the POST. honoured: an intent blocks the next create. no-retry: a lost answer is no
reason to send again. send-limit: whoever slept between intent and POST does not send. minimum-age: `not
created` is believed only when nothing that was sent in time can be committed any more."""


@dataclass(frozen=True, slots=True)
class Process:
    """`at`: new, locked, read, intended, sent, answered, ended. Its number is also its operation."""

    at: str = "new"
    serial: int = 0
    """Of the state as it read it."""
    workflow: int | None = None
    """What the answer said."""


@dataclass(frozen=True, slots=True)
class World:
    processes: tuple[Process, ...]
    holder: int | None = None
    serial: int = 0
    binding: int | None = None
    intent: int | None = None
    in_flight: tuple[tuple[int, bool], ...] = ()
    """Operation of each request on its way, sorted, and whether it was sent after its minimum age."""
    committed: tuple[int, ...] = ()
    """The operation of each workflow that exists; its index is its id."""
    old: frozenset[int] = frozenset()
    """Operations whose minimum age has passed."""
    printed: frozenset[int] = frozenset()


def walk(processes: int, rules: frozenset[str] = RULES) -> tuple[int, str | None]:
    """How many worlds there are, and what is violated in the first that is wrong."""
    start = World((Process(),) * processes)
    seen, waiting = {start}, deque([start])
    while waiting:
        world = waiting.popleft()
        wrong = violation(world)
        if wrong:
            return len(seen), wrong
        for after in steps(world, rules):
            if after not in seen:
                seen.add(after)
                waiting.append(after)
    return len(seen), None


def violation(world: World) -> str | None:
    if len(world.committed) > 1:
        return "twice"
    for workflow, op in enumerate(world.committed):
        if world.binding != workflow and world.intent != op and workflow not in world.printed:
            return "lost"
    return None


def steps(world: World, rules: frozenset[str]) -> Iterator[World]:
    for number, process in enumerate(world.processes):
        if process.at != "ended":
            yield from _ahead(world, number, process, rules)
            yield _ended(world, number)  # killed; the kernel frees its lock
    yield from _server(world, rules)
    yield from _operator(world, rules)


def _ahead(world: World, n: int, process: Process, rules: frozenset[str]) -> Iterator[World]:
    if process.at == "new":
        if "lock" not in rules or world.holder is None:
            yield replace(_at(world, n, "locked"), holder=n)
    elif process.at == "locked":
        yield _reads(world, n, rules)
    elif process.at == "read":
        yield _intends(world, n, process, rules)
    elif process.at == "intended":
        yield _sends(world, n, process, rules)
    elif process.at == "sent":
        yield from _waits(world, n, process, rules)
    elif process.at == "answered":
        yield _binds(world, n, process, rules)


def _reads(world: World, n: int, rules: frozenset[str]) -> World:
    blocked = world.intent is not None and "honoured" in rules
    if world.binding is not None or blocked:
        return _ended(world, n)
    return _put(world, n, Process("read", world.serial))


def _intends(world: World, n: int, process: Process, rules: frozenset[str]) -> World:
    if "compare-and-swap" in rules and world.serial != process.serial:
        return _ended(world, n)
    if "intent" not in rules:
        return _at(world, n, "intended")
    serial = world.serial + 1
    over = world.binding if "compare-and-swap" in rules else None  # else it writes what it had read
    mine = replace(process, at="intended", serial=serial)
    return replace(_put(world, n, mine), intent=n, serial=serial, binding=over)


def _sends(world: World, n: int, process: Process, rules: frozenset[str]) -> World:
    if "send-limit" in rules and n in world.old:
        mine = replace(world, intent=None, serial=world.serial + 1) if world.intent == n else world
        return _ended(mine, n)
    return _request(_at(world, n, "sent"), n)


def _waits(world: World, n: int, process: Process, rules: frozenset[str]) -> Iterator[World]:
    """An answer comes for what was committed; or it gets lost."""
    for workflow, op in enumerate(world.committed):
        if op == n:
            yield _put(world, n, replace(process, at="answered", workflow=workflow))
    if "no-retry" in rules:
        yield _ended(world, n)
    elif [op for op, _ in world.in_flight].count(n) + world.committed.count(n) < 2:
        yield _request(world, n)


def _binds(world: World, n: int, process: Process, rules: frozenset[str]) -> World:
    """Only its own step: whoever settled it meanwhile is not overruled, and the id is told."""
    unmoved = world.intent == n if "intent" in rules else world.serial == process.serial
    if unmoved or "compare-and-swap" not in rules:
        world = replace(world, binding=process.workflow, intent=None, serial=world.serial + 1)
    elif world.binding != process.workflow:
        world = replace(world, printed=world.printed | {process.workflow or 0})
    return _ended(world, n)


def _server(world: World, rules: frozenset[str]) -> Iterator[World]:
    for i, (op, late) in enumerate(world.in_flight):
        rest = replace(world, in_flight=world.in_flight[:i] + world.in_flight[i + 1 :])
        yield rest  # never committed
        if late or op not in world.old or "minimum-age" not in rules:
            yield replace(rest, committed=(*world.committed, op))
    for op in range(len(world.processes)):
        sendable = world.processes[op].at in ("intended", "sent", "answered", "ended")
        if op not in world.old and sendable:
            yield replace(world, old=world.old | {op})


def _operator(world: World, rules: frozenset[str]) -> Iterator[World]:
    if world.holder is not None:
        yield replace(world, holder=None)  # breaks the lock of a run that may live
    op = world.intent
    if op is None:
        return
    for workflow, made_by in enumerate(world.committed):
        if made_by == op and world.binding is None:
            yield replace(world, binding=workflow, intent=None, serial=world.serial + 1)
    unseen = op not in world.committed
    if unseen and (op in world.old or "minimum-age" not in rules):
        yield replace(world, intent=None, serial=world.serial + 1)


def _request(world: World, op: int) -> World:
    return replace(world, in_flight=tuple(sorted((*world.in_flight, (op, op in world.old)))))


def _put(world: World, n: int, process: Process) -> World:
    return replace(world, processes=(*world.processes[:n], process, *world.processes[n + 1 :]))


def _at(world: World, n: int, at: str) -> World:
    return _put(world, n, replace(world.processes[n], at=at))


def _ended(world: World, n: int) -> World:
    freed = replace(world, holder=None) if world.holder == n else world
    return _put(freed, n, Process("ended"))
