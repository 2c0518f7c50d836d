"""pgbouncer in transaction mode before a server: each statement may run on another connection."""

from __future__ import annotations

import atexit
import os
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tests.servers.machine import free_port, installed, stop, unprivileged
from tests.servers.postgres import shared_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONFIGURATION = """\
[databases]
* = host=127.0.0.1 port={server} user=apply
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
server_round_robin = 1
"""


@contextmanager
def pgbouncer(server: int) -> Iterator[int]:
    """The port of a pooler before the server on another one."""
    program = installed("pgbouncer", "pgbouncer", "usr/sbin")
    prefix, uid = unprivileged("postgres")
    with tempfile.TemporaryDirectory(prefix="defendctl-pgbouncer-", ignore_cleanup_errors=True) as folder:
        configuration, port = Path(folder) / "pgbouncer.ini", free_port()
        configuration.write_text(_CONFIGURATION.format(server=server, port=port))
        if uid is not None:
            os.chown(folder, uid, -1)
            os.chown(configuration, uid, -1)
        with (Path(folder) / "log").open("wb") as log:
            process = subprocess.Popen(
                [*prefix, program, str(configuration)], stdout=log, stderr=log, cwd="/"
            )
        try:
            _await(port)
            yield port
        finally:
            stop(process, signal.SIGTERM)


def _await(port: int) -> None:
    for _ in range(200):
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
    raise AssertionError("pgbouncer does not listen")


@cache
def shared_pgbouncer() -> int:
    """The port of the one of this process, before `shared_postgres`."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(pgbouncer(shared_postgres().port))
