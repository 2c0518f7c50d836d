from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from defendctl.sandbox.server import embedded

KEY = {"Authorization": "Bearer sk_test"}
Sandbox = Callable[..., httpx.Client]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Starts a sandbox with the given options and returns a client with a key."""
    with ExitStack() as stack:

        def start(**options: Any) -> httpx.Client:
            url = stack.enter_context(embedded(":memory:", **options))
            # Certificates take longer to load than most of these tests to run.
            client = httpx.Client(base_url=url, headers=KEY, trust_env=False, verify=False)
            return stack.enter_context(client)

        yield start


@pytest.fixture
def client(sandbox: Sandbox) -> httpx.Client:
    """A sandbox of the newest generation."""
    return sandbox()
