"""Programs that no package of ours needs, installed when a test first asks for them.

Those of Debian by apt; the others into `.cache`, each pinned with its hashes in a folder beside this file,
and installed anew when that has changed. As root a server can be had, so that its absence is a failure; for
anybody else the test is skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest
from filelock import FileLock

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".cache" / "servers"


@cache
def with_apt(program: str, package: str, *folders: str) -> str:
    """The path of a program, which may be in one of these folders (patterns below `/`)."""
    if not (found := _find(program, folders)) and os.geteuid() == 0:
        CACHE.mkdir(parents=True, exist_ok=True)
        with FileLock(CACHE / "apt.lock"):  # a second apt-get beside one does not wait, it fails
            if not (found := _find(program, folders)):
                _apt("update")
                _apt("install", "--yes", "--no-install-recommends", package)
                found = _find(program, folders)
    return found or missing(f"{program} is not installed: `apt-get install {package}`")


def _apt(*arguments: str) -> None:
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "--quiet=2", *arguments], env=env, check=False, capture_output=True)


def _find(program: str, folders: tuple[str, ...]) -> str | None:
    paths = [str(path) for pattern in folders for path in sorted(Path("/").glob(pattern))]
    return shutil.which(program, path=os.pathsep.join([*reversed(paths), os.environ.get("PATH", "")]))


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
    if os.geteuid() == 0:
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
