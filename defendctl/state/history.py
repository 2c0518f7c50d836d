"""Whether a state went back in time, or lacks what is known here: by copies of this machine and by git.

A state in git goes back when a commit is reverted or an old one is checked out; what was bound since then
would be made a second time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from defendctl import git
from defendctl.command import command, shell_word

if TYPE_CHECKING:
    from pathlib import Path

    from defendctl.model import State
    from defendctl.state.backups import Copy

COMMITS: Final = 10
"""So many versions in git are looked at, the newest first."""
_HEAD: Final = re.compile(rb'^  "(lineage|serial|writer)": "?([^",\n]*)"?,?$', re.MULTILINE)


class Committed(NamedTuple):
    """A state as git has it."""

    commit: str
    serial: int
    writer: str


@dataclass(frozen=True, slots=True)
class Rollback:
    message: str
    hint: str


def newest_in_git(path: Path, lineage: str | None) -> Committed | None:
    """The version of the highest serial that git has of the state at `path`, if git has any.

    Without `lineage` of any; then it is for a state that is not there at all.
    """
    if not git.is_work_tree(path.parent):
        return None
    try:
        found = [_read(commit, data, lineage) for commit, data in git.earlier(path, COMMITS)]
    except git.NoAnswer:
        return None
    return max((one for one in found if one), key=lambda one: one.serial, default=None)


def _read(commit: str, data: bytes, lineage: str | None) -> Committed | None:
    """By a few of its lines alone: a state may be large, and this one is not used."""
    head = {name.decode(): value.decode(errors="replace") for name, value in _HEAD.findall(data)}
    if lineage not in (None, head.get("lineage")) or not head.get("serial", "").isdigit():
        return None
    return Committed(commit, int(head["serial"]), head.get("writer", ""))


def rolled_back(state: State, copy: Copy | None, committed: Committed | None, path: Path) -> Rollback | None:
    """Why `state` is not what one may go on from."""
    if copy and _is_behind(state, copy.state.serial, copy.state.writer):
        serial, told = copy.state.serial, "was written here"
    elif committed and _is_behind(state, committed.serial, committed.writer):
        serial, told = committed.serial, "is in git"
    elif copy and _is_elsewhere(state, copy.state):
        return _forked(state, copy)
    else:
        return None
    back = serial > state.serial
    what = f"serial {serial} of it {told}" if back else f"another one of that serial {told}"
    why = "it was rolled back" if back else "two runs went on from one state"
    where = where_from(copy, committed, path)
    return Rollback(
        f"the state has serial {state.serial}, but {what}: {why}",
        f"{where}, and repair what is wrong there with `{command('state mv OLD NEW')}`, "
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
    ids = [f"{address} → {i}" for i, address in seen.known_ids().items() if i not in state.known_ids()]
    ops = {intent.op for intent in state.unresolved.values()}
    return ids + [f"a create of {a}" for a, intent in seen.unresolved.items() if intent.op not in ops]


def _forked(state: State, copy: Copy) -> Rollback:
    lacking = ", ".join(_lacking(state, copy.state)[:5])
    return Rollback(
        f"the state has serial {state.serial}, but it does not come from serial {copy.state.serial}, "
        f"which was written here: it lacks {lacking}",
        f"two runs went on from one state. Bind what is missing, or look at {copy.path}; "
        "remove that copy once nothing of it is missing any more",
    )


def where_from(copy: Copy | None, committed: Committed | None, path: Path) -> str | None:
    """How to restore the newest of the two; None where there is neither."""
    if committed and (copy is None or committed.serial > copy.state.serial):
        commit, name = committed.commit[:12], shell_word(str(path))
        return f"restore serial {committed.serial}: `git restore --source {commit} {name}`"
    if copy:
        return f"restore serial {copy.state.serial} from {copy.path}"
    return None
