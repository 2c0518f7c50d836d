"""Which run holds a state, in words that another run can show."""

from __future__ import annotations

import getpass
import os
import socket
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from defendctl.hosts import without_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Owner:
    id: str
    host: str
    pid: int
    user: str
    started: str
    run: str | None = None

    def __str__(self) -> str:
        where = f", {self.run}" if self.run else ""
        return f"{self.user}@{self.host}, process {self.pid}, since {self.started}{where}"


def owner_from(data: Any) -> Owner:
    """Of what a record of one holds. Raises TypeError for what is none."""
    owner = Owner(**data)
    texts = (owner.id, owner.host, owner.user, owner.started, owner.run or "")
    if not (all(isinstance(text, str) for text in texts) and isinstance(owner.pid, int)):
        raise TypeError
    return owner


def this_run() -> Owner:
    return Owner(
        id=uuid.uuid4().hex[:12],
        host=socket.gethostname(),
        pid=os.getpid(),
        user=_user(),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        run=ci_run(os.environ),
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid()) if hasattr(os, "getuid") else "unknown"


def ci_run(env: Mapping[str, str]) -> str | None:
    """The address of the CI job that this is, if it is one."""
    if "GITHUB_RUN_ID" in env:
        server, repo = env.get("GITHUB_SERVER_URL", ""), env.get("GITHUB_REPOSITORY", "")
        return f"{server}/{repo}/actions/runs/{env['GITHUB_RUN_ID']}"
    url = env.get("CI_JOB_URL")
    return without_secrets(url) if url else None
