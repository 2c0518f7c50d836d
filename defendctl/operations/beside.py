"""A state that is read beside a run which goes on: what that run has begun is no unknown outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from defendctl.operations.workspace import Workspace
    from defendctl.state.owner import Owner
    from defendctl.state.session import Snapshot


@dataclass(frozen=True, slots=True)
class Beside:
    """What was read, and whose run was under way meanwhile."""

    snapshot: Snapshot
    runner: Owner | None

    @property
    def under_way(self) -> set[str]:
        """Creates that the run has begun, and has heard nothing of yet."""
        begun = self.snapshot.state.unresolved if self.runner else {}
        return {a for a, intent in begun.items() if a not in self.snapshot.bare.unresolved and not intent.why}


def read_beside(workspace: Workspace) -> Beside:
    """A run that began or ended while the state was read counts. Raises Precondition.

    Of a state that is elsewhere nobody is asked for its holder in vain: who has recorded nothing has begun
    nothing.
    """
    if workspace.place:
        snapshot = workspace.read_state()
        return Beside(snapshot, _runner(workspace) if snapshot.leftover else None)
    runner = _runner(workspace)
    snapshot = workspace.read_state()
    return Beside(snapshot, runner or _runner(workspace))


def warn_beside(workspace: Workspace, beside: Beside) -> None:
    """What keeps nobody from reading the state: a run under way, and a place that was put back to an older
    day. Of a file git knows that, and only who plans or writes waits for its answer."""
    if beside.runner:
        workspace.settings.warn(f"{a_run(beside.runner)}: what it has not finished yet is not told here")
    elif workspace.place and not workspace.settings.offline:
        rollback = workspace.store.rollback(beside.snapshot)
        if rollback:
            workspace.settings.warn(f"{rollback.message}; {rollback.hint}")


def a_run(runner: Owner) -> str:
    return f"a run is under way ({runner})"


def _runner(workspace: Workspace) -> Owner | None:
    held = workspace.store.backend.held()
    return held.owner if held and held.alive else None
