"""Whether a state went back in time, or lacks what is known here: by copies of this machine and by git.

A state in git goes back when a commit is reverted or an old one is checked out; what was bound since then
would be made a second time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from defendctl.command import command

if TYPE_CHECKING:
    from defendctl.model import State
    from defendctl.state.backend import Version
    from defendctl.state.copies import Copy


@dataclass(frozen=True, slots=True)
class Rollback:
    message: str
    hint: str


def rolled_back(state: State, copy: Copy | None, kept: Version | None) -> Rollback | None:
    """Why `state` is not what one may go on from."""
    if copy and _is_behind(state, copy.state.serial, copy.state.writer):
        serial, told = copy.state.serial, "was written here"
    elif kept and _is_behind(state, kept.serial, kept.writer):
        serial, told = kept.serial, f"is {kept.place}"
    elif copy and _is_elsewhere(state, copy.state):
        return _forked(state, copy)
    else:
        return None
    back = serial > state.serial
    what = f"its serial {serial} {told}" if back else f"another state with that serial {told}"
    why = "it was rolled back" if back else "two runs continued from the same state"
    where = where_from(copy, kept)
    return Rollback(
        f"the state has serial {state.serial}, but {what}: {why}",
        f"{where} (or, if this is an older checkout, go back to the newest), and "
        f"repair what is wrong there with `{command('state mv OLD NEW')}`, "
        f"`{command('state rm ADDRESS')}` or `{command('state resolve ADDRESS --id WORKFLOW_ID')}`",
    )


def _is_behind(state: State, serial: int, writer: str) -> bool:
    return serial > state.serial or (serial == state.serial and writer != state.writer)


def _is_elsewhere(state: State, seen: State) -> bool:
    """Whether `state` did not come from `seen`, as far as it still says from where it came, and lacks
    something that `seen` knows."""
    distance = state.serial - seen.serial
    comes_from = state.ancestors[distance - 1 : distance]
    return bool(comes_from) and comes_from != (seen.writer,) and bool(_lacking(state, seen))


def _lacking(state: State, seen: State) -> list[str]:
    """What only `seen` knows: ids, and creates whose outcome is unknown."""
    known = state.known_ids()
    ids = [f"{address} → {i}" for i, address in seen.known_ids().items() if i not in known]
    ops = {intent.op for intent in state.unresolved.values()}
    return ids + [f"a create of {a}" for a, intent in seen.unresolved.items() if intent.op not in ops]


def _forked(state: State, copy: Copy) -> Rollback:
    lacking = ", ".join(_lacking(state, copy.state)[:5])
    return Rollback(
        f"the state has serial {state.serial}, but it does not come from serial {copy.state.serial}, "
        f"which was written here: it lacks {lacking}",
        f"two runs continued from the same state. Bind what is missing (see {copy.path}); "
        "then remove that copy",
    )


def where_from(copy: Copy | None, kept: Version | None, *, pinned: bool = True) -> str | None:
    """How to restore the newest of the two; None where there is neither.

    A copy is pushed where a state is there, or where at least its lineage is pinned.
    """
    if kept and (copy is None or kept.serial > copy.state.serial):
        return kept.restore
    if copy is None:
        return None
    serial, path = copy.state.serial, str(copy.path)
    push = command("state push {} --restore", path)
    return f"restore serial {serial}: `{push}`" if pinned else f"restore serial {serial} from {path}"
