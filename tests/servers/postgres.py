"""PostgreSQL as Debian ships it: a cluster of its own in a temporary folder, as a user that is not root."""

from __future__ import annotations

import atexit
import os
import secrets
import signal
import subprocess
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from defendctl.state.postgres.tables import schema_sql
from tests.servers.installing import with_apt
from tests.servers.running import free_ports, start, stop, unprivileged

if TYPE_CHECKING:
    from collections.abc import Iterator

_BIN = "usr/lib/postgresql/*/bin"


class Cluster:
    """Roles: `postgres` (all rights), `apply` (a writer), `plan` (a reader whose transactions are read-only),
    `stranger` (none). Databases: `defend`, with the tables; `bare`, without."""

    def __init__(self, folder: Path, port: int, password: str | None) -> None:
        self.port = port
        self.password = password
        self._folder = folder
        self._prefix, self._uid = unprivileged("postgres")
        self._process: subprocess.Popen[bytes] | None = None

    def create(self) -> None:
        data = self._folder / "data"
        data.mkdir()
        secret = self._folder / "secret"
        secret.write_text(self.password or "unused")
        if self._uid is not None:
            for each in (self._folder, data, secret):
                os.chown(each, self._uid, -1)
        initdb = with_apt("initdb", "postgresql", _BIN)
        method = "scram-sha-256" if self.password else "trust"
        command = [initdb, "-D", str(data), "-U", "postgres", "-A", method, "--no-sync", "-E", "UTF8"]
        command += ["--locale=C", "--pwfile", str(secret)]
        subprocess.run([*self._prefix, *command], check=True, capture_output=True, cwd="/")
        self.start()
        self._prepare()

    def start(self) -> None:
        server = with_apt("postgres", "postgresql", _BIN)
        command = [server, "-D", str(self._folder / "data"), "-p", str(self.port)]
        command += ["-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self._folder}"]
        command += ["-c", "max_connections=60"]
        self._process = start([*self._prefix, *command], self._folder, self._answers)

    def stop(self, how: int = signal.SIGINT) -> None:
        """SIGINT: fast; SIGQUIT: as after a power cut."""
        if self._process:
            stop(self._process, how)

    def restart(self, how: int = signal.SIGINT) -> None:
        self.stop(how)
        self.start()

    def become_replica(self) -> None:
        """At the next start: of nobody, for this is about what a replica refuses."""
        (self._folder / "data" / "standby.signal").touch()

    def url(self, user: str = "apply", database: str = "defend", port: int | None = None) -> str:
        """Without a key."""
        return f"postgres://{user}@127.0.0.1:{port or self.port}/{database}"

    def sql(self, text: str, *values: Any, database: str = "defend") -> list[tuple[Any, ...]]:
        """As the superuser."""
        with psycopg.connect(
            self.url("postgres", database), password=self.password, autocommit=True, connect_timeout=5
        ) as db:
            cursor = db.execute(text.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def _answers(self) -> bool:
        with suppress(psycopg.OperationalError):
            return bool(self.sql("select 1", database="postgres"))
        return False

    def _prepare(self) -> None:
        self.sql("create database defend", database="postgres")
        self.sql("create database bare", database="postgres")
        self.sql(schema_sql())
        login = f"login password '{self.password}'" if self.password else "login"
        self.sql(f"create role apply {login} in role defendctl_writer")
        self.sql(f"create role plan {login} in role defendctl_reader")
        self.sql(f"create role stranger {login}")
        self.sql("alter role plan set default_transaction_read_only = on")


@contextmanager
def postgres(*, scram: bool = False) -> Iterator[Cluster]:
    """A server that runs; with `scram` it asks for `cluster.password`."""
    with tempfile.TemporaryDirectory(prefix="defendctl-postgres-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        (port,) = free_ports(1)
        cluster = Cluster(Path(folder), port, f"pw-{secrets.token_hex(8)}" if scram else None)
        try:
            cluster.create()
            yield cluster
        finally:
            cluster.stop()


@cache
def shared_postgres() -> Cluster:
    """The one of this process, for tests that leave it as it is: each has a key of its own."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(postgres())
