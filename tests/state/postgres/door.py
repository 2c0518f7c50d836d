"""A way to a state in PostgreSQL, as often as there are runs."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from defendctl.state.place import Place
from defendctl.state.postgres.backend import PostgresBackend

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.postgres import Cluster


class Door:
    """A way to one state of a cluster: `open()` is another run."""

    def __init__(self, cluster: Cluster, root: Path, key: str | None = None) -> None:
        self.cluster = cluster
        self.root = root
        self.key = key or uuid.uuid4().hex
        self.port = cluster.port

    def open(self, user: str = "apply", port: int | None = None, database: str = "defend") -> PostgresBackend:
        target = self.cluster.url(user, database, port or self.port)
        return PostgresBackend(Place("postgres", target, self.key), self.root)

    def sql(self, text: str) -> list[tuple[object, ...]]:
        """With $1 for the key."""
        return self.cluster.sql(text.replace("$1", f"'{self.key}'"))
