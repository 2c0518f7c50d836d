"""At most one create: an intent is durable before the POST leaves, and the POST is sent once."""

from __future__ import annotations

import uuid
from contextlib import suppress
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
from defendctl.state.group import boottime

if TYPE_CHECKING:
    from collections.abc import Callable

    from defendctl.api.outcome import Outcome
    from defendctl.engine.protocols import Memory, Remote
    from defendctl.model import Fields, Support
    from defendctl.plan.changes import Create, Replace
    from defendctl.state.group import Pending

TRIES: Final = 3


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


@dataclass(frozen=True, slots=True)
class Made:
    """A workflow that is there, whose binding is on its way to the state."""

    change: Create | Replace
    sent: Fields
    binding: Pending

    @property
    def workflow_id(self) -> str:
        return str(self.binding.record["workflow_id"])

    def write(self) -> None:
        """What is wrong with it, `finish` tells."""
        with suppress(Exception):
            self.binding.wait()


def create(
    change: Create | Replace, remote: Remote, memory: Memory, support: Support, spends: Spends = Spends()
) -> Result | Made:
    """One workflow, or why there is none. Its intent is durable before the POST, and its binding is written
    before whatever is recorded once this has returned.

    Raises OSError or Precondition if nothing can be recorded any more.
    """
    sent = {n: v for n, v in change.desired.fields().items() if n in support.create}
    tried = 0
    while True:
        tried += 1
        attempt = _attempt(change.address, sent, change.workflow_id, remote, memory)
        settled = _settle(change, attempt, sent, memory, spends)
        if settled:
            return settled
        wait = _wait(attempt.outcome, tried)
        if wait is None:
            return _failed(change, attempt.outcome)
        remote.pause(wait)


def finish(made: Made, remote: Remote, memory: Memory, linger: Callable[[], float]) -> Result:
    """Read back while the binding is written. Told only once that is durable; raises Unrecorded if it cannot
    be. `linger`: seconds for which another may still write it."""
    result = _verified(made.change, made.workflow_id, made.sent, remote)
    try:
        made.binding.wait(linger())
    except (OSError, Precondition) as error:
        record = made.binding.record
        memory.note(record)
        result = Result(made.change.address, made.change.action, "done", made.workflow_id)
        raise Unrecorded(result, record["op"], error) from error
    return result


def _attempt(address: str, sent: Fields, replaces: str | None, remote: Remote, memory: Memory) -> Attempt:
    op, intended = uuid.uuid4().hex, False

    def before_send() -> None:
        nonlocal intended
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        written = memory.record(records.intent(address, Intent(op, now, sent, replaces)))
        intended = True
        if boottime() - written > memory.send_limit:
            raise Paused

    try:
        outcome = remote.create(sent, before_send)
    except Paused:
        outcome = Unsent(f"more than {memory.send_limit:g} s passed between the intent and the request")
    return Attempt(op, outcome, intended)


def _settle(
    change: Create | Replace, attempt: Attempt, sent: Fields, memory: Memory, spends: Spends
) -> Result | Made | None:
    """Record what is known. None where nothing was created."""
    match attempt.outcome:
        case Created(workflow_id) if not memory.claim(workflow_id):
            why = f"the API answered with the id {workflow_id}, which is already bound or remembered"
            return _unknown(change, attempt.op, why, memory)
        case Created(workflow_id):
            record = records.bound(change.address, attempt.op, workflow_id, spends.whole)
            return Made(change, sent, memory.record_soon(record))
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
