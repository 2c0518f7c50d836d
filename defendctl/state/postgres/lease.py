"""The right to write to a state in PostgreSQL: every statement looks whether the lock is still this run's."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from defendctl.diagnostics import DefendctlError, Precondition
from defendctl.state.backend import Unreachable, unreleased
from defendctl.state.bounded import gzipped
from defendctl.state.document import heading
from defendctl.state.lines import encode
from defendctl.state.postgres import statements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from defendctl.state.backend import Stored
    from defendctl.state.postgres.link import Link
    from defendctl.state.records import Record

PATIENCE: Final = 60.0
"""Seconds for which a write is repeated while nobody answers, before the run says that it cannot go on."""
_FAREWELL: Final = 5.0


class PostgresLease:
    """Fenced by the epoch and the id of its owner; whose lock was broken adds nothing, however late."""

    send_limit = 10.0

    def __init__(
        self,
        link: Link,
        fence: Mapping[str, Any],
        stored: Stored,
        version: int | None,
        warn: Callable[[str], None],
    ) -> None:
        """`fence` is the key, the id of the owner and the epoch; `version` the row of the document that
        `stored` tells of."""
        self.stored = stored
        self._warn = warn
        self.patience = PATIENCE
        self._link = link
        self._fence = fence
        self._version = version
        self._next = 0
        self._has_journal = stored.journal is not None
        self._why: str | None = None

    def append(self, records: Sequence[Record]) -> None:
        lines = [encode(record).decode().rstrip("\n") for record in records]
        seqs = [*range(self._next, self._next + len(lines))]
        with self._certain():
            if not self._ask(statements.APPEND, seqs=seqs, lines=lines):
                there = self._ask(statements.APPENDED, seqs=seqs)
                if [row["line"] for row in there] != lines:
                    raise _broken()
        self._next += len(lines)
        self._has_journal = True

    def replace(self, document: bytes) -> None:
        said, nonce = heading(document), uuid.uuid4()
        with self._certain():
            put = self._ask(
                statements.REPLACE,
                version=self._version,
                lineage=said.lineage,
                serial=said.serial,
                writer=said.writer,
                nonce=nonce,
                document=gzipped(document),
            ) or self._ask(statements.REPLACED, nonce=nonce)
            if not put:
                raise _broken()
        self._version = put[0]["id"]
        self._has_journal = False

    def drop_journal(self) -> Sequence[Record]:
        """What was folded went with the document. Of a lock that was broken the journal is another run's."""
        if self._has_journal:
            with self._certain():
                self._ask(statements.DROP)
            self._has_journal = False
        return ()

    def beat(self) -> None:
        with self._certain():
            if not self._ask(statements.BEAT):
                raise _broken()

    def release(self) -> None:
        try:
            self._link.ask(statements.UNLOCK, _FAREWELL, **self._fence)
        except DefendctlError as error:
            self._warn(unreleased(self._fence["id"], error))
        self._link.close()

    def _ask(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        return self._link.ask(statement, self.patience, **self._fence, **values)

    @contextmanager
    def _certain(self) -> Iterator[None]:
        """After a write of which nobody can say whether it happened, nothing is written any more."""
        if self._why:
            raise Unreachable(f"an earlier write failed: {self._why}")
        try:
            yield
        except Precondition:
            raise
        except BaseException as error:
            self._why = str(error) or "it was interrupted"
            if not isinstance(error, DefendctlError):
                raise
            raise Unreachable(f"{error.message}; {error.hint}" if error.hint else error.message) from error


def _broken() -> Precondition:
    return Precondition("the lock of this run was broken: another run may have gone on")
