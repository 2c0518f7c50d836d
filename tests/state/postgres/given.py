"""A state in PostgreSQL as tests open it: directly, by a pooler, or by a proxy that loses things."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

from tests.servers.proxy import Proxy, proxied
from tests.state.test_backend_contract import owner, refuse_to_warn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from defendctl.state.postgres.backend import PostgresBackend
    from defendctl.state.postgres.lease import PostgresLease
    from tests.state.postgres.door import Door


@contextmanager
def leased(backend: PostgresBackend, name: str = "alice") -> Iterator[PostgresLease]:
    lease = backend.lock(owner(name), refuse_to_warn)
    try:
        yield lease
    finally:
        lease.release()


@contextmanager
def through_proxy(door: Door) -> Iterator[tuple[PostgresBackend, Proxy]]:
    """A backend whose connection stands, and what it goes through."""
    with proxied(door.port) as proxy:
        backend = door.open(port=proxy.port)
        backend.held()
        yield backend, proxy


@contextmanager
def row_held(door: Door, change: str = "") -> Iterator[None]:
    """Somebody else's transaction on the row of the state, until the block ends; then it commits."""
    with psycopg.connect(door.cluster.url("postgres")) as other:
        other.execute("select 1 from defendctl.state where key = %s for update", [door.key])
        if change:
            other.execute(change.encode(), [door.key])
        yield


def await_blocked(door: Door) -> int:
    """The process of the server that waits for that row."""
    for _ in range(400):
        found = door.cluster.sql("select pid from pg_stat_activity where wait_event_type = 'Lock'")
        if found:
            return int(found[0][0])
        time.sleep(0.02)
    raise AssertionError("nobody waits")
