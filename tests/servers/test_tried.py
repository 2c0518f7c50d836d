"""What the last line of the tests says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

from tests.servers.tried import PLACE, tried

ROOT = Path(__file__).parents[2]


def report(place: str | None, why: str | None = None) -> SimpleNamespace:
    said = [(PLACE, place)] if place else []
    return SimpleNamespace(user_properties=said, skipped=why is not None, longrepr=("file", 1, why))


def test_what_was_tried_and_what_was_not_and_why() -> None:
    stats = {
        "passed": [report("git"), report("git"), report("azurite"), report(None)],
        "skipped": [report("postgres", "no initdb"), report("git", "once"), report(None, "no npm")],
        "error": [report("seaweedfs")],
    }
    assert tried(stats) == (
        "Places of a state that were tried: azurite, git; failed: seaweedfs; not tried: postgres (no initdb)"
    )
    assert tried({"passed": [report(None)]}) is None


def test_it_is_the_last_line() -> None:
    """Of several processes, as `make test-slow` runs them."""
    contract = "tests/state/test_backend_contract.py"
    chosen = ["-n", "2", "-m", "not slow", "-k", "test_a_place_is_named", contract]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *chosen], cwd=ROOT, capture_output=True, text=True, check=True
    )
    *_, counted, last = ran.stdout.splitlines()
    assert "3 passed" in counted
    assert last == "Places of a state that were tried: git, local, memory"
