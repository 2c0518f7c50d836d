"""Programs that slow tests alone need, each of one version in a folder of its own below `.cache`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from filelock import FileLock

CACHE = Path(__file__).parents[2] / ".cache"


def pip_tool(requirement: str, program: str | None = None) -> str:
    """The path of a program that this distribution (`name==version`) holds."""
    folder, name = CACHE / requirement, program or requirement.partition("==")[0]
    CACHE.mkdir(exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not (folder / "bin" / name).exists():
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
            install = [str(folder / "bin" / "pip"), "install", "--quiet", requirement]
            subprocess.run(install, check=True, capture_output=True)
    return str(folder / "bin" / name)


def npm_tool(package: str, program: str) -> str:
    """The same of a package (`name@version`) of npm."""
    folder = CACHE / package.replace("/", "-")
    CACHE.mkdir(exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not (folder / "node_modules" / ".bin" / program).exists():
            install = [
                "npm",
                "install",
                "--silent",
                "--no-audit",
                "--no-fund",
                "--prefix",
                str(folder),
                package,
            ]
            subprocess.run(install, check=True, capture_output=True)
    return str(folder / "node_modules" / ".bin" / program)
