"""Making a plan so: retirements first, then updates, then creates; each result durable before it is told."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar

from defendctl.diagnostics import DefendctlError, Interrupted, Precondition
from defendctl.engine.create import Unrecorded, create
from defendctl.engine.results import ApplyResult, Receipt, Result
from defendctl.engine.update import adopt, update
from defendctl.exits import Exit
from defendctl.plan.changes import Adopt, Block, Create, Replace, Retire, Same, Update, Work, Write
from defendctl.plan.diff import differing
from defendctl.plan.fingerprints import MOVE, spends
from defendctl.state import records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from defendctl.engine.protocols import Memory, Remote
    from defendctl.engine.upload import Uploads
    from defendctl.model import Binding, Fields, Support
    from defendctl.plan.changes import Move, Plan
    from defendctl.plan.fingerprints import Spends

W = TypeVar("W", bound=Work)
S = TypeVar("S", bound=Write)

UNKNOWN_LIMIT: Final = 3
"""After so many unknown creates no further one starts. So many may be in flight: none can exceed it."""


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
        self._guard = threading.Lock()
        self._stopped: str | None = None
        self._unknown = 0
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
        self._each(creates, self._create, min(self._parallelism, UNKNOWN_LIMIT))
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
        if not changes:
            return
        waiting = iter(changes)
        with ThreadPoolExecutor(workers) as pool:
            running = [pool.submit(self._work, waiting, step, workers) for _ in range(workers)]
        for worker in running:
            worker.result()

    def _work(self, waiting: Iterable[W], step: Callable[[W], Result], workers: int) -> None:
        mine = 0
        while (change := self._next(waiting, mine, workers)) is not None:
            result = self._try(change, step)
            mine += result.outcome == "unknown"
            with self._guard:
                self._results[change.address] = result
            self._on_result(result)

    def _next(self, waiting: Iterable[W], mine: int, workers: int) -> W | None:
        """The next change, or None: all done, told to stop, or too many unknown creates.

        A worker whose create ended unknown leaves while the others in flight could fill the limit.
        """
        with self._guard:
            left = UNKNOWN_LIMIT - self._unknown
            if self._stopped or left <= 0 or (mine and left < workers):
                return None
            return next(iter(waiting), None)

    def _try(self, change: W, step: Callable[[W], Result]) -> Result:
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
        if result.outcome == "failed" and result.exit_code == Exit.KEY_REFUSED:
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

    def _create(self, change: Create | Replace) -> Result:
        assert self._remote
        spent = self._spent_by(change)
        result = create(self._settled(change), self._remote, self._memory, self._support, spent)
        if result.outcome == "unknown":
            with self._guard:
                self._unknown += 1
        return result

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
        for change in self._plan.changes:
            if not isinstance(change, Same | Block | Update | Adopt):
                continue
            binding = self._memory.state.bindings.get(change.address)
            fresh = _agreed(change, binding) if binding else {}
            if fresh:
                self._memory.note(records.known(change.address, fresh))


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
