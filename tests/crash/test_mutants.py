"""The harnesses bite: each notices the seeded defects named for it, and has nothing to say of the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.crash import strace
from tests.crash.mutants import MUTANTS, SOUND, Mutant, hunt, row, sound

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(autouse=True)
def _needs_strace() -> None:
    if strace.why_not():
        pytest.skip(str(strace.why_not()))


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_defect_is_noticed(mutant: Mutant, tmp_path: Path) -> None:
    runs, verdict = hunt(mutant, tmp_path)
    print(row(mutant, runs, verdict))
    assert verdict, f"{mutant.harness} does not notice that {mutant.name}"


@pytest.mark.parametrize(("harness", "scenario"), [pair for pair in SOUND if pair[0] != "answers"])
def test_the_sound_package_passes(harness: str, scenario: str, tmp_path: Path) -> None:
    """Of the answers, test_crash.py does all."""
    bad = [str(verdict) for verdict in sound(harness, scenario, tmp_path) if verdict.problems]
    assert not bad, "\n".join(bad)
