"""The protocol of a create over a shared store as a small machine, walked through every order of its steps.

As `model.py`, over the same `walking.py`, but the lock is a row in a store: no kernel frees it, whoever
waited long enough or an operator takes it over, each write is fenced by the epoch of its lock, and answers of
the store get lost as the API's do. Nobody reads what a run printed: its machine is gone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from tests.crash import walking
from tests.crash.walking import Actor, answers, api, moved, put, request, walked

if TYPE_CHECKING:
    from collections.abc import Iterator

RULES = frozenset(
    {"fence", "intent", "read-back", "honoured", "no-retry", "send-limit", "minimum-age", "left", "answered"}
)
"""fence: a write under a lock that is not held any more is refused. intent: durable before the POST.
read-back: a write whose answer was lost is looked for. honoured: an intent blocks the next create.
no-retry: a lost answer of the API is no reason to send again. send-limit: whoever slept between intent and
POST does not send. minimum-age: `not created` is believed only when nothing that was sent in time can be
committed any more. left: an id that may not be recorded is kept under a key of its own. answered: an id that
was left settles the create of its operation, whatever an operator believes."""


@dataclass(frozen=True, slots=True)
class Run(Actor):
    """`at`: new, locked, read, doubtful, intended, sent, answered, ended."""

    epoch: int = 0


@dataclass(frozen=True, slots=True)
class Store(walking.World):
    actors: tuple[Run, ...]
    epoch: int = 0
    owner: int | None = None
    left: frozenset[int] = frozenset()
    """The workflows whose ids were left."""


def walk(runs: int, rules: frozenset[str] = RULES) -> tuple[int, str | None]:
    return walked(Store((Run(),) * runs), partial(steps, rules=rules), violation)


def violation(store: Store) -> str | None:
    """`forgotten`: nothing is lost, but a run that ended by itself kept to itself what it was answered."""
    if len(store.committed) > 1:
        return "twice"
    for workflow, op in enumerate(store.committed):
        known = store.binding == workflow or workflow in store.left
        if not known and store.intent != op:
            return "lost"
        if not known and store.actors[op].at == "ended" and store.actors[op].workflow == workflow:
            return "forgotten"
    return None


def steps(store: Store, rules: frozenset[str]) -> Iterator[Store]:
    for n, run in enumerate(store.actors):
        if run.at != "ended":
            yield from _ahead(store, n, run, rules)
            yield put(store, n, Run("ended"))  # killed; its lock stays
    yield from api(store, rules)
    yield from _operator(store, rules)


def _ahead(store: Store, n: int, run: Run, rules: frozenset[str]) -> Iterator[Store]:
    match run.at:
        case "new":
            yield _locks(store, n)
        case "locked":
            yield _reads(store, n, rules)
        case "read":
            yield from _intends(store, n, run, rules)
        case "doubtful":
            yield from _looks(store, n, run, rules)
        case "intended":
            yield _sends(store, n, run, rules)
        case "sent":
            yield from answers(store, n, rules, put(store, n, Run("ended")))
        case "answered":
            yield from _binds(store, n, run, rules)


def _locks(store: Store, n: int) -> Store:
    """Free, or taken over: a waiter cannot know whether the holder is gone, nor need it."""
    epoch = store.epoch + 1
    return replace(put(store, n, Run("locked", epoch=epoch)), epoch=epoch, owner=n)


def _is_ours(store: Store, n: int, run: Run, rules: frozenset[str]) -> bool:
    return "fence" not in rules or (store.owner == n and store.epoch == run.epoch)


def _reads(store: Store, n: int, rules: frozenset[str]) -> Store:
    blocked = store.intent is not None and "honoured" in rules
    return _ended(store, n) if store.binding is not None or blocked else moved(store, n, "read")


def _intends(store: Store, n: int, run: Run, rules: frozenset[str]) -> Iterator[Store]:
    """Refused; or written, or not, and either way the answer may get lost."""
    if not _is_ours(store, n, run, rules):
        yield put(store, n, Run("ended"))
    elif "intent" not in rules:
        yield moved(store, n, "intended")
    else:
        written = replace(store, intent=n)
        yield moved(written, n, "intended")
        yield moved(written, n, "doubtful")
        yield moved(store, n, "doubtful")


def _looks(store: Store, n: int, run: Run, rules: frozenset[str]) -> Iterator[Store]:
    """Ours is there: done. Nothing is, and the lock is ours: again. Else the lock was broken."""
    if "read-back" not in rules or store.intent == n:
        yield moved(store, n, "intended")
    elif _is_ours(store, n, run, rules) and store.intent is None:
        yield moved(store, n, "read")
    else:
        yield put(store, n, Run("ended"))


def _sends(store: Store, n: int, run: Run, rules: frozenset[str]) -> Store:
    if "send-limit" in rules and n in store.old:
        withdrawn = store.intent == n and _is_ours(store, n, run, rules)
        return _ended(replace(store, intent=None) if withdrawn else store, n)
    return request(moved(store, n, "sent"), n)


def _binds(store: Store, n: int, run: Run, rules: frozenset[str]) -> Iterator[Store]:
    """Recorded; or refused, or the store is down, and the id is left where nothing is fenced."""
    if _is_ours(store, n, run, rules):
        yield _ended(replace(store, binding=run.workflow, intent=None), n, run.workflow)
    assert run.workflow is not None
    left = store.left | {run.workflow} if "left" in rules else store.left
    yield _ended(replace(store, left=left), n, run.workflow)


def _operator(store: Store, rules: frozenset[str]) -> Iterator[Store]:
    """Breaks any lock; says of an intent what the console shows, or what was left says for itself."""
    if store.owner is not None:
        yield replace(store, owner=None, epoch=store.epoch + 1)
    op = store.intent
    if op is None:
        return
    made = next((workflow for workflow, by in enumerate(store.committed) if by == op), None)
    if made is not None and store.binding is None:
        yield replace(store, binding=made, intent=None, left=store.left - {made})
    hidden = made is None or ("answered" not in rules and made in store.left)
    if hidden and (op in store.old or "minimum-age" not in rules):
        yield replace(store, intent=None, left=store.left - {made} if made is not None else store.left)


def _ended(store: Store, n: int, workflow: int | None = None) -> Store:
    """By itself: the lock is given back if it is still ours."""
    ours = store.owner == n and store.epoch == store.actors[n].epoch
    freed = replace(store, owner=None) if ours else store
    return put(freed, n, Run("ended", workflow))
