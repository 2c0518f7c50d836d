"""Azurite, the emulator of Azure's blobs by its makers: npm's `azurite`."""

from __future__ import annotations

import base64
import hashlib
import hmac
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from tests.servers.installing import with_npm
from tests.servers.running import free_ports, running

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Public: every Azurite has it."""
COMMAND = "node_modules/azurite/dist/src/blob/main.js"


@dataclass(frozen=True)
class Azurite:
    port: int

    def make_bucket(self, name: str) -> None:
        """A container, asked for with a signature as Azure documents it for a shared key."""
        date, version = formatdate(usegmt=True), "2021-08-06"
        signed = f"x-ms-date:{date}\nx-ms-version:{version}\n/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container"
        digest = hmac.new(base64.b64decode(KEY), f"PUT{12 * chr(10)}{signed}".encode(), hashlib.sha256)
        signature = base64.b64encode(digest.digest()).decode()
        headers = {"x-ms-date": date, "x-ms-version": version}
        headers["Authorization"] = f"SharedKey {ACCOUNT}:{signature}"
        url = f"http://127.0.0.1:{self.port}/{ACCOUNT}/{name}?restype=container"
        httpx.put(url, headers=headers, trust_env=False).raise_for_status()


@contextmanager
def azurite() -> Iterator[Azurite]:
    program = with_npm("azurite") / COMMAND
    with tempfile.TemporaryDirectory(prefix="azurite-") as name:
        (port,) = free_ports(1)
        flags = ["--skipApiVersionCheck", "--disableTelemetry", "--silent"]
        command = ["node", str(program), "--blobPort", str(port), "--location", name, *flags]
        with running(command, Path(name), lambda: _is_ready(port)):
            yield Azurite(port)


def _is_ready(port: int) -> bool:
    try:
        httpx.get(f"http://127.0.0.1:{port}/", trust_env=False)
    except httpx.HTTPError:
        return False
    return True
