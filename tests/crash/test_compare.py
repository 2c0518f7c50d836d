"""What is lost and what exists twice after a fault: nothing here, something with a loop over the SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.crash.answers import FAULTS
from tests.crash.bench import Bench
from tests.crash.compare import compare, table

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_the_same_faults_for_both(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        compared = [compare(bench, fault) for fault in FAULTS]
    print(table(compared))
    assert sum(each.twice + each.lost for each in compared) == 0
    assert sum(each.sdk_twice for each in compared) > 0
    assert sum(each.sdk_lost for each in compared) > 0
