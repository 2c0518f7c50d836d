"""Workflows, events and what is known of files in SQLite, one document a row.

Calls take microseconds, so they run in the event loop, on one connection. `synchronous=OFF` risks a power cut
but loses nothing to a killed process.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from defendctl.sandbox.model import Evaluation, Event, File, Score, Workflow

_SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = OFF;
CREATE TABLE IF NOT EXISTS workflows (seq INTEGER PRIMARY KEY, workflow_id TEXT UNIQUE, document TEXT);
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY, event_id TEXT UNIQUE, workflow_id TEXT, created_at TEXT,
    ready_at REAL, broken INTEGER, failed INTEGER, improved INTEGER, filtered INTEGER, document TEXT
);
CREATE TABLE IF NOT EXISTS files (seq INTEGER PRIMARY KEY, file_id TEXT UNIQUE, document TEXT);
CREATE INDEX IF NOT EXISTS latest ON events (workflow_id, created_at, seq);
CREATE INDEX IF NOT EXISTS counts ON events (workflow_id, ready_at, broken, failed, improved, filtered);
PRAGMA user_version = 1;
"""
# Files of the first form keep their workflows; their events have no attempts, and are made up anyway.
_OUTDATED = "DROP TABLE IF EXISTS events;"
_ADD = """
INSERT INTO events (event_id, workflow_id, created_at, ready_at, broken, failed, improved, filtered, document)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def _refuse_place(path: Path) -> None:
    if path.is_dir():
        raise BadData(f"{path} is a folder: name a file for the data of the sandbox")
    if not path.parent.is_dir():
        raise BadData(f"there is no folder {path.parent} to keep the data of the sandbox in")


class Stats(NamedTuple):
    """Of the events that are completed; those whose evaluation broke off are not counted."""

    processed: int
    below_threshold: int  # the submitted output failed a metric
    improved: int  # of these, an attempt made it pass
    passed: int  # the latest evaluation failed no metric


class Taken(Exception):
    """There is an event with that id already."""


class BadData(ValueError):
    """A file that cannot hold the data of a sandbox, or holds something else."""


class Store:
    def __init__(self, path: str = ":memory:") -> None:
        """Raises BadData, and leaves what it found as it was."""
        if path != ":memory:":
            _refuse_place(Path(path))
        try:
            # The loop may run in another thread than the one that made the application.
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._open(path)
        except sqlite3.Error as error:
            raise BadData(f"{path} cannot be used for the sandbox: {error}") from None

    def _open(self, path: str) -> None:
        tables = {name for (name,) in self._db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        if tables and not {"workflows", "document"} <= tables | self._columns("workflows"):
            raise BadData(f"{path} is a database that the sandbox did not make")
        if self._row("PRAGMA user_version") == (0,):
            self._db.executescript(_OUTDATED)
        self._db.executescript(_SCHEMA)

    def _columns(self, table: str) -> set[str]:
        return {name for (name,) in self._db.execute("SELECT name FROM pragma_table_info(?)", (table,))}

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def discarding(self) -> Iterator[None]:
        """Whatever is written inside is forgotten. Must not await anything that really waits."""
        self._db.execute("BEGIN")
        try:
            yield
        finally:
            self._db.execute("ROLLBACK")

    def put_workflow(self, workflow: Workflow) -> None:
        self._db.execute(
            "INSERT INTO workflows (workflow_id, document) VALUES (?, ?)"
            " ON CONFLICT (workflow_id) DO UPDATE SET document = excluded.document",
            (workflow.workflow_id, json.dumps(vars(workflow))),
        )

    def workflow(self, workflow_id: str) -> Workflow | None:
        row = self._row("SELECT document FROM workflows WHERE workflow_id = ?", workflow_id)
        return Workflow(**json.loads(row[0])) if row else None

    def workflows(self) -> list[Workflow]:
        rows = self._db.execute("SELECT document FROM workflows ORDER BY seq")
        return [Workflow(**json.loads(document)) for (document,) in rows]

    def remove_workflow(self, workflow_id: str) -> None:
        for table in ("workflows", "events"):
            self._db.execute(f"DELETE FROM {table} WHERE workflow_id = ?", (workflow_id,))

    def put_file(self, file: File) -> None:
        self._db.execute(
            "INSERT INTO files (file_id, document) VALUES (?, ?)", (file.file_id, json.dumps(vars(file)))
        )

    def file(self, file_id: str) -> File | None:
        row = self._row("SELECT document FROM files WHERE file_id = ?", file_id)
        return File(**json.loads(row[0])) if row else None

    def files(self) -> list[File]:
        rows = self._db.execute("SELECT document FROM files ORDER BY seq")
        return [File(**json.loads(document)) for (document,) in rows]

    def add_events(self, events: Iterable[Event]) -> None:
        """All or none."""
        self._db.execute("SAVEPOINT adding")
        try:
            self._db.executemany(_ADD, map(_row_of, events))
        except sqlite3.IntegrityError:
            self._db.execute("ROLLBACK TO adding")
            raise Taken from None
        finally:
            self._db.execute("RELEASE adding")

    def event(self, workflow_id: str, event_id: str) -> Event | None:
        query = "SELECT document FROM events WHERE workflow_id = ? AND event_id = ?"
        row = self._row(query, workflow_id, event_id)
        return _event(row[0]) if row else None

    def newest_events(self, workflow_id: str, limit: int) -> list[Event]:
        query = "SELECT document FROM events WHERE workflow_id = ? ORDER BY created_at DESC, seq DESC LIMIT ?"
        return [_event(document) for (document,) in self._db.execute(query, (workflow_id, limit))]

    def raw_events(self, workflow_id: str | None) -> Iterator[str]:
        """Documents as they are stored, oldest first; null: of all workflows."""
        where, values = ("", ()) if workflow_id is None else ("WHERE workflow_id = ?", (workflow_id,))
        query = f"SELECT document FROM events {where} ORDER BY workflow_id, created_at, seq"
        return (document for (document,) in self._db.execute(query, values))

    def stats(self, workflow_id: str, now: float) -> Stats:
        row = self._row(
            "SELECT count(*), coalesce(sum(failed), 0), coalesce(sum(improved), 0),"
            " coalesce(sum(NOT filtered), 0) FROM events"
            " WHERE workflow_id = ? AND ready_at <= ? AND NOT broken",
            workflow_id,
            now,
        )
        return Stats(*row) if row else Stats(0, 0, 0, 0)

    def _row(self, query: str, *values: object) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._db.execute(query, values).fetchone()
        return row


def _row_of(event: Event) -> tuple[object, ...]:
    return (
        event.event_id,
        event.settings.workflow_id,
        event.created_at,
        event.ready_at,
        event.error is not None,
        event.failed_at_first,
        event.improved,
        event.filtered,
        json.dumps(asdict(event)),
    )


def _event(document: str) -> Event:
    fields = json.loads(document)
    settings = Workflow(**fields.pop("settings"))
    evaluations = [_evaluation(**evaluation) for evaluation in fields.pop("evaluations")]
    return Event(**fields, settings=settings, evaluations=evaluations)


def _evaluation(result: dict[str, Any], **fields: Any) -> Evaluation:
    return Evaluation(**fields, result={metric: Score(**score) for metric, score in result.items()})
