from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.servers.postgres import shared_postgres
from tests.state.postgres.door import Door

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def door(tmp_path: Path) -> Door:
    """To a state of its own."""
    return Door(shared_postgres(), tmp_path)
