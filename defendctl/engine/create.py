"""At most one create: an intent is durable before the POST leaves, and the POST is sent once."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from defendctl.api.outcome import Created, Refused, Unknown, Unsent
from defendctl.api.patience import backoff
from defendctl.diagnostics import ApiError, Interrupted, Precondition
from defendctl.engine.results import Result
from defendctl.engine.verify import not_taken
from defendctl.exits import Exit
from defendctl.model import Intent
from defendctl.plan.fingerprints import Spends
from defendctl.state import records

if TYPE_CHECKING:
    from defendctl.api.outcome import Outcome
    from defendctl.engine.protocols import Memory, Remote
    from defendctl.model import Fields, Support
    from defendctl.plan.changes import Create, Replace
    from defendctl.state.records import Record

TRIES: Final = 3
SEND_LIMIT: Final = 1.0
"""Seconds between the intent and the POST. Whoever took longer was paused, and may have been given up."""


class Paused(Exception):
    """Too long between the intent and the POST: nothing was sent."""


class Unrecorded(Exception):
    """A workflow exists, but its id could not be written down."""

    def __init__(self, result: Result, op: str, cause: Exception) -> None:
        super().__init__(str(cause))
        self.result = result
        self.op = op


@dataclass(frozen=True, slots=True)
class Attempt:
    """One operation: at most one POST, ever, bears its `op`."""

    op: str
    outcome: Outcome
    intended: bool


def create(
    change: Create | Replace, remote: Remote, memory: Memory, support: Support, spends: Spends = Spends()
) -> Result:
    """Raises OSError or Precondition if nothing can be recorded any more."""
    sent = {n: v for n, v in change.desired.fields().items() if n in support.create}
    tried = 0
    while True:
        tried += 1
        attempt = _attempt(change.address, sent, change.workflow_id, remote, memory)
        result = _settle(change, attempt, sent, remote, memory, spends)
        if result:
            return result
        wait = _wait(attempt.outcome, tried)
        if wait is None:
            return _failed(change, attempt.outcome)
        remote.pause(wait)


def boottime() -> float:
    """Goes on while the machine sleeps, where the system has such a clock."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)


def _attempt(address: str, sent: Fields, replaces: str | None, remote: Remote, memory: Memory) -> Attempt:
    op, intended = uuid.uuid4().hex, False

    def before_send() -> None:
        nonlocal intended
        began = boottime()
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        memory.record(records.intent(address, Intent(op, now, sent, replaces)))
        intended = True
        if boottime() - began > SEND_LIMIT:
            raise Paused

    try:
        outcome = remote.create(sent, before_send)
    except Paused:
        outcome = Unsent(f"more than {SEND_LIMIT:g} s passed between the intent and the request")
    return Attempt(op, outcome, intended)


def _settle(
    change: Create | Replace, attempt: Attempt, sent: Fields, remote: Remote, memory: Memory, spends: Spends
) -> Result | None:
    """Record what is known. None where nothing was created."""
    match attempt.outcome:
        case Created(workflow_id) if not memory.claim(workflow_id):
            why = f"the API answered the id {workflow_id}, which is bound or remembered already"
            return _unknown(change, attempt.op, why, memory)
        case Created(workflow_id):
            _bind(change, records.bound(change.address, attempt.op, workflow_id, spends.whole), memory)
            return _verified(change, workflow_id, sent, remote)
        case Unknown(why):
            return _unknown(change, attempt.op, why, memory)
        case _:
            if attempt.intended:
                _withdraw(change.address, attempt.op, memory)
            return None


def _withdraw(address: str, op: str, memory: Memory) -> None:
    record = records.withdrawn(address, op)
    try:
        memory.record(record)
    except (OSError, Precondition):
        memory.note(record)
        raise


def _unknown(change: Create | Replace, op: str, why: str, memory: Memory) -> Result:
    result = Result(change.address, change.action, "unknown", error=why)
    try:
        memory.record(records.unknown(change.address, op, why))
    except (OSError, Precondition):
        memory.note(records.unknown(change.address, op, why))
    return result


def _bind(change: Create | Replace, record: Record, memory: Memory) -> None:
    """Raises Unrecorded."""
    try:
        memory.record(record)
    except (OSError, Precondition) as error:
        memory.note(record)
        result = Result(change.address, change.action, "done", record["workflow_id"])
        raise Unrecorded(result, record["op"], error) from error


def _verified(change: Create | Replace, workflow_id: str, sent: Fields, remote: Remote) -> Result:
    try:
        untaken = not_taken(remote, workflow_id, sent)
    except (ApiError, Interrupted) as error:
        warning = f"created, but it could not be read back: {error.message}"
        return Result(change.address, change.action, "done", workflow_id, warning=warning)
    outcome, why = ("failed", untaken.why) if untaken else ("done", None)
    return Result(change.address, change.action, outcome, workflow_id, why)  # type: ignore[arg-type]


def _wait(outcome: Outcome, tried: int) -> float | None:
    """How long until the next try; None if there is no point in one."""
    if tried == TRIES:
        return None
    if isinstance(outcome, Unsent):
        return backoff(tried) if outcome.again else None
    return outcome.wait if isinstance(outcome, Refused) and outcome.status == 429 else None


def _failed(change: Create | Replace, outcome: Outcome) -> Result:
    assert isinstance(outcome, Refused | Unsent)
    refused_key = isinstance(outcome, Refused) and outcome.status in (401, 403)
    sent = "" if isinstance(outcome, Refused) else "nothing was sent: "
    exit_code = Exit.KEY_REFUSED if refused_key else Exit.FAILED
    return Result(change.address, change.action, "failed", None, sent + outcome.why, exit_code)
