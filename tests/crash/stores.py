"""Stores that many runs share, for the crash harness: set back to a moment, and losing answers on demand."""

from __future__ import annotations

import random
import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from tests.servers.proxy import proxied

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.postgres import Cluster
    from tests.servers.proxy import Loss, Proxy
    from tests.servers.weed import Weed

KEY = "crash"
BUCKET = "defend"
LOST = 0.3
"""Of the store's answers."""


class SharedStore(Protocol):
    """One state on an engine. `losing` runs lose answers; everything else goes through unharmed."""

    settings: dict[str, Any]
    """`state:` of the project file, without its lineage."""
    env: dict[str, str]

    def keep(self) -> None:
        """What is there now is what `restore` brings back."""

    def restore(self) -> None: ...

    def empty(self) -> None: ...

    def lose(self, seed: str | None) -> None:
        """From now on lose answers, as the seed says; None: no more."""


class GitStore:
    """A bare repository. Its hooks end the connection before or after the refs are moved."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._kept = folder, folder.with_name("kept.git")
        subprocess.run(["git", "init", "-q", "--bare", folder], check=True)
        for name, when in (("pre-receive", "before"), ("post-receive", "after")):
            hook = folder / "hooks" / name
            hook.write_text(_HOOK.format(losses=folder / "losses", when=when, took=folder / when))
            hook.chmod(0o755)
        self.settings = {"url": f"git+file://{folder}?key={KEY}"}
        self.env: dict[str, str] = {}

    def keep(self) -> None:
        shutil.rmtree(self._kept, ignore_errors=True)
        shutil.copytree(self._folder, self._kept)

    def restore(self) -> None:
        shutil.rmtree(self._folder)
        shutil.copytree(self._kept, self._folder)

    def empty(self) -> None:
        for ref in _git(self._folder, "for-each-ref", "--format=%(refname)").split():
            _git(self._folder, "update-ref", "-d", ref)

    def lose(self, seed: str | None) -> None:
        losses = self._folder / "losses"
        losses.unlink(missing_ok=True)
        if seed is not None:
            rng = random.Random(seed)
            losses.write_text("".join(f"{_loss(rng) or 'none'}\n" for _ in range(1000)))


_HOOK = """#!/bin/sh
# Takes the next line of the losses; each push is asked twice, before and after.
cat > /dev/null
[ -f '{losses}' ] || exit 0
[ '{when}' = before ] && {{ head -n 1 '{losses}' > '{losses}.now'; sed -i 1d '{losses}'; }}
[ "$(cat '{losses}.now')" = '{when}' ] && kill -9 $PPID
exit 0
"""


def _git(folder: Path, *arguments: str) -> str:
    ran = subprocess.run(["git", "-C", folder, *arguments], check=True, capture_output=True, text=True)
    return ran.stdout


def _loss(rng: random.Random) -> Loss | None:
    drawn = rng.random()
    return None if drawn >= LOST else "before" if drawn < LOST / 2 else "after"


def _lose(proxy: Proxy, seed: str | None) -> None:
    rng = random.Random(seed)
    proxy.lose = (lambda number: None) if seed is None else (lambda number: _loss(rng))


class PostgresStore:
    """The rows of one key, kept in tables beside those of the product."""

    TABLES = ("versions", "state", "journal", "left_ids")

    def __init__(self, cluster: Cluster, proxy: Proxy) -> None:
        self._cluster, self._proxy = cluster, proxy
        self.settings = {"url": f"{cluster.url(port=proxy.port)}?key={KEY}"}
        self.env: dict[str, str] = {}
        for table in self.TABLES:
            cluster.sql(f"create table if not exists kept_{table} (like defendctl.{table})")

    def keep(self) -> None:
        for table in self.TABLES:
            self._cluster.sql(
                f"truncate kept_{table}; insert into kept_{table} select * from defendctl.{table}"
            )

    def restore(self) -> None:
        self.empty()
        for table in self.TABLES:
            over = "overriding system value" if table == "versions" else ""
            self._cluster.sql(f"insert into defendctl.{table} {over} select * from kept_{table}")

    def empty(self) -> None:
        self._cluster.sql(f"truncate {', '.join(f'defendctl.{table}' for table in self.TABLES)}")

    def lose(self, seed: str | None) -> None:
        _lose(self._proxy, seed)


class BucketStore:
    """The objects of one key, kept in memory."""

    def __init__(self, weed: Weed, proxy: Proxy, secret: str) -> None:
        import obstore
        from obstore.store import S3Store

        weed.make_bucket(BUCKET)
        self._obstore, self._proxy = obstore, proxy
        self._kept: dict[str, bytes] = {}
        self.env = {"AWS_ACCESS_KEY_ID": "all", "AWS_SECRET_ACCESS_KEY": secret}
        options = {"endpoint": f"http://127.0.0.1:{proxy.port}", "region": "us-east-1"}
        self.settings = {"url": f"s3://{BUCKET}/{KEY}", "options": options}
        self._store = S3Store(
            BUCKET,
            endpoint=f"http://127.0.0.1:{weed.port}",
            region="us-east-1",
            access_key_id="all",
            secret_access_key=secret,
            client_options={"allow_http": True},
        )

    def keep(self) -> None:
        self._kept = {path: bytes(self._obstore.get(self._store, path).bytes()) for path in self._paths()}

    def restore(self) -> None:
        self.empty()
        for path, data in self._kept.items():
            self._obstore.put(self._store, path, data)

    def empty(self) -> None:
        for path in self._paths():
            self._obstore.delete(self._store, path)

    def lose(self, seed: str | None) -> None:
        _lose(self._proxy, seed)

    def _paths(self) -> list[str]:
        return [str(each["path"]) for part in self._obstore.list(self._store) for each in part]


@contextmanager
def git_store(folder: Path) -> Iterator[SharedStore]:
    yield GitStore(folder / "store.git")


@contextmanager
def postgres_store(folder: Path) -> Iterator[SharedStore]:
    from tests.servers.postgres import postgres

    with postgres() as cluster, proxied(cluster.port) as proxy:
        yield PostgresStore(cluster, proxy)


@contextmanager
def bucket_store(folder: Path) -> Iterator[SharedStore]:
    from tests.servers.weed import SECRET, seaweedfs

    with seaweedfs() as weed, proxied(weed.port) as proxy:
        yield BucketStore(weed, proxy, SECRET)


STORES = {"git": git_store, "postgres": postgres_store, "s3": bucket_store}
