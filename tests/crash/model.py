"""The protocol of a create as a small machine, walked through every order of its steps (`walking.py`).

Processes are killed anywhere, and an operator breaks locks and settles unknown creates truthfully. Each rule
of the protocol can be taken out, to see that the walk notices.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from tests.crash import walking
from tests.crash.walking import Actor, answers, api, moved, put, request, walked

if TYPE_CHECKING:
    from collections.abc import Iterator

RULES = frozenset({"lock", "compare-and-swap", "intent", "honoured", "no-retry", "send-limit", "minimum-age"})
"""lock: one run at a time, until somebody breaks it. compare-and-swap: a write fails if the state moved.
intent: durable before the POST. honoured: an intent blocks the next create. no-retry: a lost answer is no
reason to send again. send-limit: whoever slept between intent and POST does not send. minimum-age: `not
created` is believed only when nothing that was sent in time can be committed any more."""


@dataclass(frozen=True, slots=True)
class Process(Actor):
    """`at`: new, locked, read, intended, sent, answered, ended."""

    serial: int = 0
    """Of the state as it read it."""


@dataclass(frozen=True, slots=True)
class World(walking.World):
    actors: tuple[Process, ...]
    holder: int | None = None
    serial: int = 0
    printed: frozenset[int] = frozenset()


def walk(processes: int, rules: frozenset[str] = RULES) -> tuple[int, str | None]:
    return walked(World((Process(),) * processes), partial(steps, rules=rules), violation)


def violation(world: World) -> str | None:
    if len(world.committed) > 1:
        return "twice"
    for workflow, op in enumerate(world.committed):
        if world.binding != workflow and world.intent != op and workflow not in world.printed:
            return "lost"
    return None


def steps(world: World, rules: frozenset[str]) -> Iterator[World]:
    for number, process in enumerate(world.actors):
        if process.at != "ended":
            yield from _ahead(world, number, process, rules)
            yield _ended(world, number)  # killed; the kernel frees its lock
    yield from api(world, rules)
    yield from _operator(world, rules)


def _ahead(world: World, n: int, process: Process, rules: frozenset[str]) -> Iterator[World]:
    if process.at == "new":
        if "lock" not in rules or world.holder is None:
            yield replace(moved(world, n, "locked"), holder=n)
    elif process.at == "locked":
        yield _reads(world, n, rules)
    elif process.at == "read":
        yield _intends(world, n, process, rules)
    elif process.at == "intended":
        yield _sends(world, n, process, rules)
    elif process.at == "sent":
        yield from answers(world, n, rules, _ended(world, n))
    elif process.at == "answered":
        yield _binds(world, n, process, rules)


def _reads(world: World, n: int, rules: frozenset[str]) -> World:
    blocked = world.intent is not None and "honoured" in rules
    if world.binding is not None or blocked:
        return _ended(world, n)
    return put(world, n, Process("read", serial=world.serial))


def _intends(world: World, n: int, process: Process, rules: frozenset[str]) -> World:
    if "compare-and-swap" in rules and world.serial != process.serial:
        return _ended(world, n)
    if "intent" not in rules:
        return moved(world, n, "intended")
    serial = world.serial + 1
    over = world.binding if "compare-and-swap" in rules else None  # else it writes what it had read
    mine = replace(process, at="intended", serial=serial)
    return replace(put(world, n, mine), intent=n, serial=serial, binding=over)


def _sends(world: World, n: int, process: Process, rules: frozenset[str]) -> World:
    if "send-limit" in rules and n in world.old:
        mine = replace(world, intent=None, serial=world.serial + 1) if world.intent == n else world
        return _ended(mine, n)
    return request(moved(world, n, "sent"), n)


def _binds(world: World, n: int, process: Process, rules: frozenset[str]) -> World:
    """Only its own step: whoever settled it meanwhile is not overruled, and the id is told."""
    unmoved = world.intent == n if "intent" in rules else world.serial == process.serial
    if unmoved or "compare-and-swap" not in rules:
        world = replace(world, binding=process.workflow, intent=None, serial=world.serial + 1)
    elif world.binding != process.workflow:
        world = replace(world, printed=world.printed | {process.workflow or 0})
    return _ended(world, n)


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


def _ended(world: World, n: int) -> World:
    freed = replace(world, holder=None) if world.holder == n else world
    return put(freed, n, Process("ended"))
