"""Buckets on servers of the tests' own, as places; a conftest imports the fixtures."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

import pytest

from defendctl.state.place import Place
from tests.servers.azurite import ACCOUNT, KEY, Azurite, azurite
from tests.servers.fake_store import FakeStore, fake_store
from tests.servers.weed import SECRET, Weed, seaweedfs

if TYPE_CHECKING:
    from collections.abc import Iterator

BUCKET = "states"


@pytest.fixture(scope="session")
def weed() -> Iterator[Weed]:
    with seaweedfs() as server:
        server.make_bucket(BUCKET)
        yield server


@pytest.fixture(scope="session")
def azure() -> Iterator[Azurite]:
    with azurite() as server:
        server.make_bucket(BUCKET)
        yield server


@pytest.fixture
def fake() -> Iterator[FakeStore]:
    with fake_store() as server:
        yield server


def at_s3(port: int, patch: pytest.MonkeyPatch, who: str = "all", bucket: str = BUCKET) -> Place:
    """A key of its own. `who` is one of those that SeaweedFS knows here."""
    patch.setenv("AWS_ACCESS_KEY_ID", who)
    patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    return Place("s3", bucket, fresh_key(), {"endpoint": f"http://127.0.0.1:{port}"})


def at_azure(port: int, patch: pytest.MonkeyPatch, key: str = KEY, container: str = BUCKET) -> Place:
    patch.setenv("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT)
    patch.setenv("AZURE_STORAGE_ACCOUNT_KEY", key)
    return Place("az", container, fresh_key(), {"endpoint": f"http://127.0.0.1:{port}/{ACCOUNT}"})


def at_google(port: int, patch: pytest.MonkeyPatch) -> Place:
    account = {"client_email": "", "private_key": "", "private_key_id": "", "disable_oauth": True}
    patch.setenv("GOOGLE_SERVICE_ACCOUNT_KEY", json.dumps(account))
    return Place("gs", BUCKET, fresh_key(), {"endpoint": f"http://127.0.0.1:{port}"})


def fresh_key() -> str:
    """With parts, as keys may have."""
    return f"team/{secrets.token_hex(4)}"
