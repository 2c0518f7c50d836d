"""The right to write a register: every step is a swap of the value that this run wrote last."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from defendctl.diagnostics import DefendctlError, Precondition
from defendctl.state.backend import Unreachable, unreleased
from defendctl.state.bounded import gzipped
from defendctl.state.lines import encode
from defendctl.state.register.engine import Lost
from defendctl.state.register.packing import kept_as
from defendctl.state.register.swaps import SOON, drawn, swap
from defendctl.state.register.value import from_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from defendctl.state.backend import Stored
    from defendctl.state.records import Record
    from defendctl.state.register.engine import Engine
    from defendctl.state.register.value import Register

SEAL: Final = 32 * 1024
"""Bytes of records from which on they get a value of their own: without it each swap carries them all."""
KEEP: Final = 10


class RegisterLease:
    """One call at a time. Once a swap was refused, or nobody can say, nothing is written any more."""

    def __init__(
        self,
        engine: Engine,
        register: Register,
        version: str,
        stored: Stored,
        pauses: Sequence[float],
        warn: Callable[[str], None],
    ) -> None:
        """`register` is what took the lock, and has this version."""
        self.stored = stored
        self.send_limit = engine.send_limit
        self._engine = engine
        self._register = register
        self._version = version
        self._pauses = pauses
        self._warn = warn
        self._sealed = 0
        self._failed: DefendctlError | Unreachable | None = None

    def append(self, records: Sequence[Record]) -> None:
        lines = self._register.records + b"".join(map(encode, records))
        if len(lines) < SEAL:
            self._swap({}, records=lines)
            return
        name = f"journal/{self._register.epoch}-{self._sealed}"
        self._sealed += 1
        self._swap({name: lines}, records=b"", sealed=(*self._register.sealed, name))

    def replace(self, document: bytes) -> None:
        """The records go in the same swap, for they are part of the document."""
        new, old = kept_as(document, _now()), self._register.state
        kept = [each for each in (old, *self._register.kept) if each and each.name != new.name]
        self._swap(
            {new.name: gzipped(document)}, state=new, kept=tuple(kept[: KEEP - 1]), sealed=(), records=b""
        )

    def drop_journal(self) -> Sequence[Record]:
        """Nothing is late: whose lock was broken appends nothing."""
        if not self._failed and (self._register.sealed or self._register.records):
            with suppress(Precondition):
                self._swap({}, sealed=(), records=b"")
        return ()

    def beat(self) -> None:
        self._swap({})

    def release(self) -> None:
        failed, self._failed = self._failed, self._failed or Precondition("the run has ended")
        if isinstance(failed, Precondition):
            return
        try:
            self._release(in_doubt=failed is not None)
        except (OSError, DefendctlError) as error:
            mine = self._register.owner
            self._warn(unreleased(mine.id if mine else "", error))

    def _release(self, *, in_doubt: bool) -> None:
        """Raises OSError or DefendctlError."""
        if in_doubt and not self._find_ours():
            return
        try:
            swap(self._engine, drawn(self._register, owner=None), self._version, {}, SOON)
        except Lost:
            return

    def _find_ours(self) -> bool:
        """Whether the lock is ours still; a write in doubt may have landed."""
        found = self._engine.read()
        register = from_bytes(found[0], self._engine.where) if found else None
        if not (found and register) or register.epoch != self._register.epoch or not register.owner:
            return False
        self._register, self._version = register, found[1]
        return True

    def _swap(self, beside: Mapping[str, bytes], **changes: Any) -> None:
        """Raises Precondition or Unreachable, and then for ever."""
        if self._failed:
            raise self._failed
        register = drawn(self._register, **changes)
        try:
            self._version = swap(self._engine, register, self._version, beside, self._pauses)
        except Lost:
            self._failed = Precondition("the state was changed by another run: the lock was broken")
        except (OSError, DefendctlError) as error:
            self._failed = Unreachable(str(error))
        if self._failed:
            raise self._failed
        self._register = register


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
