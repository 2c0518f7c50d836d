"""Updates: one more read, the whole managed set, and a reading back. Done or failed, never unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from defendctl.diagnostics import ApiError, Interrupted
from defendctl.engine.results import Result
from defendctl.engine.verify import not_taken
from defendctl.exits import Exit
from defendctl.model import Binding, only_console
from defendctl.plan.compare import never_known
from defendctl.plan.diff import differing
from defendctl.plan.fingerprints import Spends
from defendctl.plan.uploads import has_id
from defendctl.state import records

if TYPE_CHECKING:
    from defendctl.engine.protocols import Memory, Remote
    from defendctl.model import Fields, Observed, Support
    from defendctl.plan.changes import Adopt, Update

_GONE: Final = "the API answers 404 for it now"


def update(
    change: Update | Adopt, remote: Remote, memory: Memory, support: Support, spends: Spends = Spends()
) -> Result:
    """Raises OSError or Precondition if nothing can be recorded any more."""
    sent = {n: v for n, v in change.desired.fields().items() if n in support.update}
    try:
        now = remote.read(change.workflow_id)
        problem = (_moved(change, now) or _write(change, sent, now, remote, memory, spends)) if now else _GONE
    except (ApiError, Interrupted) as error:
        return _result(change, error.message, error.exit_code if isinstance(error, ApiError) else Exit.FAILED)
    return _result(change, problem)


def adopt(
    change: Adopt, remote: Remote, memory: Memory, support: Support, spends: Spends = Spends()
) -> Result:
    """Bind again what a tombstone remembers, and bring it to what is declared."""
    sends = not all(only_console(f.path) for f in change.fields)
    done = () if sends else spends.whole
    memory.record(records.adopted(change.address, _adopted(change, support), change.was, done))
    return update(change, remote, memory, support, spends) if sends else _result(change, None)


def _adopted(change: Adopt, support: Support) -> Binding:
    seen, old, wanted = change.observed.fields, change.binding, change.desired.fields()
    hidden = never_known(wanted, seen, old) & support.create
    assumed = {name: old.assumed.get(name, wanted[name]) for name in hidden - old.unconfirmed}
    assumed = {name: value for name, value in assumed.items() if has_id(value)}
    kept = {name: stamp for name, stamp in old.recorded.items() if name not in seen}
    return Binding(old.workflow_id, {**old.applied, **seen}, assumed, old.unconfirmed - seen.keys(), kept)


def _moved(change: Update | Adopt, now: Observed) -> str | None:
    """Why the plan does not hold any more."""
    then = change.observed
    moved = differing(_managed(change, then), _managed(change, now))
    if moved or (now.status, now.capabilities) != (then.status, then.capabilities):
        return "it was changed since the plan was made; plan again"
    return None


def _managed(change: Update | Adopt, observed: Observed) -> Fields:
    """What is left to the console may change at any time."""
    return {n: v for n, v in observed.fields.items() if n not in change.desired.unmanaged}


def _write(
    change: Update | Adopt, sent: Fields, now: Observed, remote: Remote, memory: Memory, spends: Spends
) -> str | None:
    """What is left to the console is not sent, and must be there afterwards as it was."""
    left = {n: v for n, v in now.fields.items() if n in change.desired.unmanaged}
    hidden = sent.keys() - change.observed.fields.keys()
    earlier = records.in_place(memory.state.bindings[change.address].sent, now.fields)
    memory.record(records.sending(change.address, hidden, spends.sent(sent), earlier))
    remote.update(change.workflow_id, sent)
    told = {field.path for field in change.fields if field.untaken}
    untaken = not_taken(remote, change.workflow_id, sent, left, told)
    if untaken is None or untaken.remade:
        memory.record(records.known(change.address, sent, () if untaken else spends.whole))
    return untaken.why if untaken else None


def _result(change: Update | Adopt, problem: str | None, exit_code: int = Exit.FAILED) -> Result:
    outcome = "failed" if problem else "done"
    return Result(change.address, change.action, outcome, change.workflow_id, problem, exit_code)  # type: ignore[arg-type]
