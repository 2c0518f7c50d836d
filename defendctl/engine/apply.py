"""Carries out a plan: retirements, updates, then creates; each result is durable before it is reported."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from defendctl.diagnostics import DefendctlError, Interrupted, Precondition
from defendctl.engine.create import Made, Unrecorded, create, finish
from defendctl.engine.parallel import in_threads
from defendctl.engine.results import ApplyResult, Receipt, Result
from defendctl.engine.update import adopt, update
from defendctl.exits import Exit
from defendctl.plan.changes import Adopt, Block, Create, Replace, Retire, Same, Update, Work, Write
from defendctl.plan.diff import differing
from defendctl.plan.fingerprints import MOVE, spends
from defendctl.state import records
from defendctl.threads import begin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from defendctl.engine.protocols import Memory, Remote
    from defendctl.engine.upload import Uploads
    from defendctl.model import Binding, Fields, Support
    from defendctl.plan.changes import Move, Plan
    from defendctl.plan.fingerprints import Spends

R = TypeVar("R")
W = TypeVar("W", bound=Work)
S = TypeVar("S", bound=Write)

LINGER: Final = 0.005
"""Seconds for which a binding waits for the next intent, to be written with it."""
UNKNOWN_LIMIT: Final = 3
"""Unknown creates and those in flight are never more than so many together; then no further one starts.

It holds for what a crash leaves, too. A create is in flight from before its intent is written until what came
of it stands in the queue of records, which is written in its order. However much of that is durable, it holds
no more intents without what came of them than may be in flight."""


class Applier:
    """One run of apply. `stop` may be called from any thread, or from a signal.

    A plan that only retires, or does nothing, needs no `remote`.
    """

    def __init__(
        self,
        plan: Plan,
        remote: Remote | None,
        memory: Memory,
        support: Support,
        parallelism: int,
        on_result: Callable[[Result], None] = lambda result: None,
        uploads: Uploads | None = None,
    ) -> None:
        self._plan, self._remote, self._memory = plan, remote, memory
        self._support, self._parallelism, self._on_result = support, parallelism, on_result
        self._uploads = uploads
        self._spends = spends(plan)
        self._guard = threading.Condition()
        self._stopped: str | None = None
        self._creating = self._unknown = 0
        self._made: deque[Made] = deque()
        """To be read back."""
        self._fresh: list[Made] = []
        """Whose bindings wait for the next intent, to be written with it."""
        self._results: dict[str, Result] = {}
        self._receipts: list[Receipt] = []

    def stop(self, why: str) -> None:
        """Start nothing more."""
        self._stopped = self._stopped or why

    def run(self) -> ApplyResult:
        """Raises nothing for what can be told in a result."""
        work = [change for change in self._plan.changes if not isinstance(change, Same)]
        moves, failed = self._move()
        self._each([c for c in work if isinstance(c, Retire)], self._retire, 1)
        self._each([c for c in work if isinstance(c, Update | Adopt)], self._update, self._parallelism)
        creates = [c for c in work if isinstance(c, Create | Replace)]
        self._create_each(creates)
        self._note_agreement()
        results = [self._results.get(change.address) or self._not_attempted(change) for change in work]
        exits = self._plan.blocked_exits() | failed
        if any(r.outcome == "not_attempted" and r.action != "blocked" for r in results):
            exits.add(Exit.FAILED)
        return ApplyResult(results, exits, self._receipts, moves)

    def _move(self) -> tuple[list[Move], set[int]]:
        """Renames first, for everything else is said of the new addresses; the exit codes of a failure."""
        made = []
        try:
            for move in self._plan.moves:
                spent = self._spends[move.new, MOVE].whole
                self._memory.record(records.moved(move.new, move.old, spent))
                made.append(move)
        except (OSError, Precondition) as error:
            self.stop(f"the state cannot be written: {error}")
            return made, {Exit.PRECONDITION if isinstance(error, Precondition) else Exit.FAILED}
        return made, set()

    def _each(self, changes: list[W], step: Callable[[W], Result], workers: int) -> None:
        waiting = iter(changes)
        in_threads(lambda: self._work(waiting, step), min(workers, len(changes)), self._give_up)

    def _work(self, waiting: Iterator[W], step: Callable[[W], Result]) -> None:
        while (change := self._next(waiting)) is not None:
            self._tell(self._try(change, step))

    def _next(self, waiting: Iterator[W]) -> W | None:
        """The next change, or None: all done, or told to stop."""
        with self._guard:
            return None if self._stopped else next(waiting, None)

    def _create_each(self, changes: list[Create | Replace]) -> None:
        """Each worker creates or reads back, whatever is next."""
        if not changes:
            return
        waiting = iter(changes)
        with self._written_in_time():
            workers = min(self._parallelism, 2 * len(changes))
            in_threads(lambda: self._create_and_read(waiting), workers, self._give_up)

    def _give_up(self) -> None:
        """After an error that nobody expected, what is under way comes to its end."""
        self.stop("an error that nobody expected")

    @contextmanager
    def _written_in_time(self) -> Iterator[None]:
        """Whatever holds up the next intent, or the reading back: bindings are written."""
        over = threading.Event()
        scribe = begin("scribe", self._write_what_waits, over)
        try:
            yield
        finally:
            over.set()
            scribe.join()

    def _write_what_waits(self, over: threading.Event) -> None:
        """What is as old as one tick is written at the next, and all of it in the end."""
        late: list[Made] = []
        while not over.wait(LINGER / 2):
            late = self._write(late)
        self._write(self._write(late))

    def _write(self, late: list[Made]) -> list[Made]:
        """What came since."""
        for made in late:
            made.write()
        with self._guard:
            fresh, self._fresh = self._fresh, []
        return fresh

    def _create_and_read(self, waiting: Iterator[Create | Replace]) -> None:
        while job := self._job(waiting):
            job()

    def _job(self, waiting: Iterator[Create | Replace]) -> Callable[[], None] | None:
        """A create while one may begin, for its intent is written with the binding of the one before; but
        what was created does not wait for long. None: all done, or told to stop."""
        with self._guard:
            while True:
                free = min(self._parallelism, UNKNOWN_LIMIT - self._unknown) - self._creating
                may_begin = free > 0 and len(self._made) < self._parallelism
                if may_begin and (change := self._next(waiting)) is not None:
                    self._creating += 1
                    return partial(self._create_one, change)
                if self._made:
                    return partial(self._finish, self._made.popleft())
                if not self._creating:
                    self._guard.notify_all()  # nobody else has anything to wait for
                    return None
                self._guard.wait()

    def _create_one(self, change: Create | Replace) -> None:
        made: Result | Made | None = None
        try:
            made = self._try(change, self._create)
        finally:
            self._free(made)
        if isinstance(made, Result):
            self._tell(made)

    def _free(self, made: Result | Made | None) -> None:
        """One who may create is free again, unless the outcome is unknown; None: an error tells of none."""
        with self._guard:
            self._creating -= 1
            if isinstance(made, Made):
                self._made.append(made)
                self._fresh.append(made)
            else:
                self._unknown += made is None or made.outcome == "unknown"
            self._guard.notify()  # one that may read back while this one creates, or the other way round

    def _finish(self, made: Made) -> None:
        assert self._remote
        remote = self._remote
        self._tell(self._try(made.change, lambda _: finish(made, remote, self._memory, self._linger)))

    def _linger(self) -> float:
        """How long a binding may wait for the next intent, if there may be one."""
        return LINGER if self._creating else 0.0

    def _tell(self, result: Result) -> None:
        with self._guard:
            self._results[result.address] = result
        self._on_result(result)

    def _try(self, change: W, step: Callable[[W], R]) -> R | Result:
        result: R | Result
        try:
            result = step(change)
        except Unrecorded as error:
            result = error.result
            self._receipts.append(Receipt(result.address, result.workflow_id or "", error.op))
            self.stop(f"the state cannot be written: {error}")
        except Interrupted as error:
            result = Result(change.address, change.action, "not_attempted", error=error.message)
        except (OSError, Precondition) as error:
            result = self._state_failed(change, error)
        except DefendctlError as error:  # of a file that could not be uploaded
            result = _no_file(change, error)
        if isinstance(result, Result) and result.outcome == "failed" and result.exit_code == Exit.KEY_REFUSED:
            self.stop("the API refused the key")
        return result

    def _state_failed(self, change: Work, error: OSError | Precondition) -> Result:
        self.stop(f"the state cannot be written: {error}")
        code = Exit.PRECONDITION if isinstance(error, Precondition) else Exit.FAILED
        text = f"the state cannot be written: {error}"
        return Result(change.address, change.action, "failed", change.workflow_id, text, code)

    def _retire(self, change: Retire) -> Result:
        self._memory.record(records.retired(change.address, self._spent_by(change).whole))
        return Result(change.address, change.action, "done", change.workflow_id)

    def _update(self, change: Update | Adopt) -> Result:
        assert self._remote
        spent, change = self._spent_by(change), self._settled(change)
        if isinstance(change, Adopt):
            return adopt(change, self._remote, self._memory, self._support, spent)
        return update(change, self._remote, self._memory, self._support, spent)

    def _create(self, change: Create | Replace) -> Result | Made:
        assert self._remote
        spent = self._spent_by(change)
        return create(self._settled(change), self._remote, self._memory, self._support, spent)

    def _spent_by(self, change: Work) -> Spends:
        return self._spends[change.address, change.action]

    def _settled(self, change: S) -> S:
        """With the ids of its files, which are uploaded first."""
        return self._uploads.settled(change) if self._uploads else change

    def _not_attempted(self, change: Work | Block) -> Result:
        limit = f"{UNKNOWN_LIMIT} creates have an unknown outcome" if self._unknown >= UNKNOWN_LIMIT else None
        why = change.reason.text if change.action == "blocked" else self._stopped or limit
        return Result(change.address, change.action, "not_attempted", change.workflow_id, why)

    def _note_agreement(self) -> None:
        """Where desired and live are equal, that is what was applied; a write of state and no action."""
        bindings = self._memory.state.bindings
        seen = [c for c in self._plan.changes if isinstance(c, Same | Block | Update | Adopt)]
        agreed = ((c.address, _agreed(c, bindings[c.address])) for c in seen if c.address in bindings)
        noted = [records.known(address, fresh) for address, fresh in agreed if fresh]
        if noted:
            self._memory.note(*noted)


def _no_file(change: Work, error: DefendctlError) -> Result:
    code = error.exit_code
    return Result(change.address, change.action, "failed", change.workflow_id, error.message, code)


def _agreed(change: Same | Block | Update | Adopt, binding: Binding) -> Fields:
    """The fields seen equal that are not recorded so yet."""
    if not (change.desired and change.observed) or change.workflow_id != binding.workflow_id:
        return {}
    wanted, seen = change.desired.fields(), change.observed.fields
    equal = {n: v for n, v in wanted.items() if n in seen and not differing({n: seen[n]}, {n: v})}
    return {n: v for n, v in equal.items() if binding.knowing({n: v}) != binding}
