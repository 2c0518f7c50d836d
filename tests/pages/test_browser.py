"""The site as it is built, read in a browser: for everybody, on a telephone too, and with no network.

What it needs is installed into `.cache/`, and Debian's Chromium where that may be done; else the tests are
skipped, and say why.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".cache" / "browser"
PACKAGES: Final = ("playwright-core@1.64.1", "axe-core@4.14.1")
SCREENSHOTS = ROOT / ".cache" / "docs" / "screenshots"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site() -> Path:
    """Built by `make docs`, which fails for a link that leads nowhere."""
    if shutil.which("npm") is None:
        pytest.skip("the site cannot be checked: npm is not installed")
    ran = subprocess.run(["make", "docs"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ROOT / ".cache" / "docs" / "site"


@pytest.fixture(scope="module")
def browser() -> dict[str, str]:
    """The environment in which `reader.js` finds Chromium and its packages."""
    if not (TOOLS / "node_modules" / "axe-core").exists():
        install("npm", "install", "--no-audit", "--no-fund", "--prefix", str(TOOLS), *PACKAGES)
    if shutil.which("chromium") is None:
        if os.geteuid() or shutil.which("apt-get") is None:
            pytest.skip("Chromium is not installed, and only root may install Debian's")
        install("apt-get", "update")
        install("apt-get", "install", "--yes", "--no-install-recommends", "chromium")
    chromium = str(shutil.which("chromium"))
    return {**os.environ, "NODE_PATH": str(TOOLS / "node_modules"), "CHROMIUM": chromium}


def install(*command: str) -> None:
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    if ran.returncode:
        pytest.skip(f"{' '.join(command)} failed: {ran.stderr[-500:]}")


def test_the_site_can_be_read_by_everybody_and_without_a_network(site: Path, browser: dict[str, str]) -> None:
    reader = str(Path(__file__).with_name("reader.js"))
    ran = subprocess.run(
        ["node", reader, str(site), str(SCREENSHOTS)],
        env=browser,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    assert found["read"] == 28, "seven pages, in two sizes, light and dark"
    assert found["violations"] == []
    assert found["left"] == [], "a request left this machine"
    assert found["errors"] == []
    assert found["missing"] == []
    assert found["wide"] == [], "the page is wider than the window"
    assert found["search"]
