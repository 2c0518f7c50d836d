"""A few runs of each harness over each store that runs share; `make crash BACKEND=…` does many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.crash.shared import HARNESSES, SharedBench, chunks
from tests.crash.stores import STORES

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNS = 10


@pytest.fixture(scope="module", params=[pytest.param(name, marks=pytest.mark.slow) for name in STORES])
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedBench]:
    folder = tmp_path_factory.mktemp(request.param)
    for each in (folder, *folder.parents[:2]):
        each.chmod(0o755)  # for servers that refuse to run as root
    with SharedBench(folder, request.param) as made:
        yield made


@pytest.mark.timeout(900)
@pytest.mark.parametrize("harness", HARNESSES)
def test_nothing_is_lost_and_nothing_is_made_twice(bench: SharedBench, harness: str) -> None:
    cases = [case for chunk in chunks(RUNS) for case in chunk if case.harness == harness]
    bad = [str(verdict) for verdict in map(bench.run, cases) if verdict.problems]
    assert not bad, "\n".join(bad)
