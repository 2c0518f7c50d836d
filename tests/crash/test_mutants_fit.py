"""Every patch of a seeded defect fits the code as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.crash.mutants import MUTANTS, Mutant

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_it_fits_and_compiles(mutant: Mutant, tmp_path: Path) -> None:
    package = mutant.package(tmp_path)
    for module, _, _ in mutant.patches:
        compile((package / "defendctl" / module).read_text(), module, "exec")
