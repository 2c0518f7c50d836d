"""pgbouncer in transaction mode before a server: each statement may run on another connection."""

from __future__ import annotations

import atexit
import os
import tempfile
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tests.servers.installing import with_apt
from tests.servers.postgres import shared_postgres
from tests.servers.running import free_ports, listens, running, unprivileged

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
    program = with_apt("pgbouncer", "pgbouncer", "usr/sbin")
    prefix, uid = unprivileged("postgres")
    with tempfile.TemporaryDirectory(prefix="defendctl-pgbouncer-", ignore_cleanup_errors=True) as folder:
        (port,) = free_ports(1)
        configuration = Path(folder) / "pgbouncer.ini"
        configuration.write_text(_CONFIGURATION.format(server=server, port=port))
        if uid is not None:
            os.chown(folder, uid, -1)
            os.chown(configuration, uid, -1)
        with running([*prefix, program, str(configuration)], Path(folder), lambda: listens(port)):
            yield port


@cache
def shared_pgbouncer() -> int:
    """The port of the one of this process, before `shared_postgres`."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(pgbouncer(shared_postgres().port))
