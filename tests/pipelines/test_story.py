"""The story of a pipeline in which everything goes wrong that may; it checks each of its steps itself."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_nothing_is_made_twice_and_nothing_is_applied_that_nobody_saw() -> None:
    story = [sys.executable, "-m", "tests.pipelines.story"]
    root = Path(__file__).parents[2]
    ran = subprocess.run(story, cwd=root, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "each was created once: {'staging': 42, 'canada': 42, 'production': 42}" in ran.stdout
