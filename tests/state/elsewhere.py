"""A state that is elsewhere, for tests that need a place and no engine: a file that no result may know of.

Unlike the local one its lock outlives its holder, whose signs of life can be seen, and it is read at a cost:
`reads` counts them.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from defendctl.command import command
from defendctl.diagnostics import Precondition
from defendctl.state.backend import Held, LeftId, Locked, NotLocked, Unreachable
from defendctl.state.local.backend import LocalBackend
from defendctl.state.owner import Owner

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from defendctl.state.backend import Stored, Version
    from defendctl.state.local.backend import LocalLease
    from defendctl.state.place import Place

ENGINE = "tests.state.elsewhere:open_elsewhere"
calls: list[str] = []
"""What was asked of any of them: `read`, `lock`, `probe`."""
faults: dict[str, BaseException] = {}
"""Call → what it raises instead."""
SILENCE = 0.05


def open_elsewhere(place: Place, root: Path) -> Elsewhere:
    return Elsewhere(place)


def file_of(place: Place) -> Path:
    return Path(place.target) / f"{place.key}.json"


class Elsewhere(LocalBackend):
    pulse = silence = SILENCE

    def __init__(self, place: Place) -> None:
        file = file_of(place)
        super().__init__(file, file.parent / ".locks", file.parent)
        self.where = place.url
        self.journal = f"the journal of {place.url}"
        self.files = ()  # type: ignore[assignment]
        self._record = file.with_suffix(".held")

    def read(self) -> Stored:
        _asked("read")
        return super().read()

    def probe(self) -> None:
        _asked("probe")

    def lock(self, owner: Owner, warn: Callable[[str], None]) -> LocalLease:
        _asked("lock")
        held = self.held()
        if held and held.owner.id != owner.id:
            raise Locked(
                f"the state is locked by {held.owner}",
                f"if that run is gone: {command('state unlock {}', held.owner.id)}",
            )
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._record.write_text(json.dumps(asdict(owner)))
        try:
            lease = super().lock(owner, warn)
        except BaseException:
            self._record.unlink(missing_ok=True)
            raise
        lease._keep.callback(self._record.unlink, missing_ok=True)
        return lease

    def held(self) -> Held | None:
        if not self._record.exists():
            return None
        owner = Owner(**json.loads(self._record.read_text()))
        return Held(owner, alive=True, beat=str(self._record.stat().st_mtime_ns))

    def unlock(self, lock_id: str) -> Owner:
        held = self.held()
        if held is None:
            raise NotLocked
        if held.owner.id != lock_id:
            raise Precondition(f"the lock is {held.owner.id}, not {lock_id}")
        self._record.unlink()
        return held.owner

    def left(self, ops: Collection[str]) -> Mapping[str, str]:
        there = self._left()
        return {op: there[op] for op in ops if op in there}

    def leave(self, op: str, workflow_id: str) -> str | None:
        self._left_file.write_text(json.dumps({**self._left(), op: workflow_id}))
        return f"{self.where}, as the answer to {op}"

    def strays(self, ops: Collection[str]) -> Sequence[LeftId]:
        left = self._left().items()
        return [LeftId(op, each, f"{op} ({each})") for op, each in left if op not in ops]

    def forget_left(self, op: str) -> None:
        left = self._left()
        left.pop(op, None)
        self._left_file.write_text(json.dumps(left))

    def mode(self) -> int:
        return 0o600

    def versions(self) -> Sequence[Version]:
        return ()

    def newest(self, lineage: str | None) -> Version | None:
        return None

    @property
    def _left_file(self) -> Path:
        return self.path.with_suffix(".left")

    def _left(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(self._left_file.read_text()) if self._left_file.exists() else {}
        return found


def _asked(what: str) -> None:
    calls.append(what)
    if what in faults:
        raise faults[what]


def unreachable() -> Unreachable:
    return Unreachable("db.internal does not answer")
