"""One connection to the server, made when it is needed and again when it is lost; bounded waits."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg.rows import DictRow, dict_row

from defendctl.state.postgres.refusals import is_passing, refusal
from defendctl.state.postgres.settings import connection_settings, secrets

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

LIMIT: Final = 20.0
"""Seconds that a statement may take, by this machine's clock: a server that stands still counts as lost."""
_CANCEL: Final = 2.0
_PAUSES: Final = (0.05, 0.1, 0.25)
"""Seconds between attempts, the last again and again. Short, for after a lost answer an attempt is three
exchanges (TLS or not, who asks, the question), and any of them may be lost too."""

logging.getLogger("psycopg").disabled = True  # it would print what the server says, as it says it


class Link:
    """Safe to use from several threads, one after another."""

    def __init__(self, target: str, where: str) -> None:
        self.where = where
        self.limit = LIMIT
        self._target = target
        self._settings = connection_settings(target)
        self._connection: _Bounded | None = None
        self._password = ""
        self._guard = threading.RLock()

    def ask(self, statement: str, patience: float, **values: Any) -> list[DictRow]:
        """The rows of a statement that commits by itself, and that may be repeated: it is, until `patience`
        seconds are over, after a lost answer or connection, a failure to serialize, a stop of the server.

        Raises DefendctlError. If that was a refusal, nothing was done; if it was no answer, nobody knows.
        """
        until = time.monotonic() + patience
        pauses = chain(_PAUSES, repeat(_PAUSES[-1]))
        with self._guard:
            while True:
                try:
                    return self._once(statement, values)
                except psycopg.Error as error:
                    self.close()
                    pause = next(pauses)
                    if not is_passing(error) or time.monotonic() + pause > until:
                        raise self._refusal(error) from None
                time.sleep(pause)

    def close(self) -> None:
        with self._guard:
            connection, self._connection = self._connection, None
            if connection:
                with suppress(psycopg.Error):
                    connection.close()

    def __del__(self) -> None:
        with suppress(Exception):
            self.close()

    def _once(self, statement: str, values: Mapping[str, Any]) -> list[DictRow]:
        connection = self._connection or self._connect()
        connection.until = time.monotonic() + self.limit
        try:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []
        except _OutOfTime:
            connection.until = float("inf")
            with suppress(psycopg.Error):  # or it might do late what is repeated meanwhile
                connection.cancel_safe(timeout=_CANCEL)
            raise

    def _connect(self) -> _Bounded:
        """Prepared statements would be those of the connection, which a pooler lends to one after another."""
        self._connection = _Bounded.connect(
            **self._settings, autocommit=True, prepare_threshold=None, row_factory=dict_row
        )
        self._password = self._connection.info.password
        return self._connection

    def _refusal(self, error: psycopg.Error) -> Exception:
        """Without the password, which may come from a file that libpq alone has read."""
        tried = error.pgconn.password.decode(errors="replace") if error.pgconn else ""
        return refusal(error, self.where, [*secrets(self._target), self._password, tried])


class _OutOfTime(psycopg.OperationalError):
    """No answer within the limit."""


class _Bounded(psycopg.Connection[DictRow]):
    """A connection that waits for no answer beyond a time."""

    until = float("inf")

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """The `timeout` of newer versions of psycopg is not asked for: older ones have none."""
        return super().wait(self._within(gen), interval)

    def _within(self, gen: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if time.monotonic() > self.until:
                    raise _OutOfTime("it stands still")
                wanted = gen.send(ready)
        except StopIteration as end:
            return end.value
