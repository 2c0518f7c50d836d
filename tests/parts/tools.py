"""The programs that these tests run, from `requirements-tools.lock`, in `.cache`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache"


def ran(*command: str | Path, cwd: Path = ROOT, env: Mapping[str, str] | None = None, code: int = 0) -> str:
    """What a program said on both streams; fails if it did not exit with `code`."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=None if env is None else dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == code, f"{command[0]} exited {done.returncode}\n{done.stdout[-5000:]}"
    return done.stdout


@cache
def tool(name: str) -> Path:
    """The path of a program that `requirements-tools.lock` pins; `make release` runs the same."""
    made("tools")
    return CACHE / "tools" / "bin" / name


@cache
def made(name: str) -> None:
    """`.cache/NAME` as the Makefile makes it, once, whoever else asks for it at the same time."""
    CACHE.mkdir(exist_ok=True)
    with FileLock(CACHE / f"{name}.lock"):
        ran("make", "--silent", f".cache/{name}/.installed")


def copied(folder: Path) -> Path:
    """What is here, committed or not, as the only commit of a repository in this new folder."""
    for name in ran("git", "ls-files", "--cached", "--others", "--exclude-standard").splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    ran("git", "init", "--quiet", "--initial-branch", "main", cwd=folder)
    ran("git", "add", "--all", cwd=folder)
    ran("git", *who, "commit", "--quiet", "--message", "all", cwd=folder)
    return folder


def clean(home: Path) -> dict[str, str]:
    """A home of its own, and of this environment nothing but where programs and packages are found."""
    ours = ("PIP_", "UV_", "SSL_CERT_", "NODE_EXTRA_", "npm_config_")
    kept = [name for name in os.environ if name in {"PATH", "LANG", "TMPDIR"} or name.startswith(ours)]
    return {name: os.environ[name] for name in kept} | {"HOME": str(home)}


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("wheel"), "wheel")


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("sdist"), "sdist")


def built(folder: Path, target: str) -> Path:
    return built_from(ROOT, folder, target)


def built_from(sources: Path, folder: Path, target: str) -> Path:
    """What hatchling of this environment makes of it: nothing is downloaded."""
    hatchling = Path(sys.executable).with_name("hatchling")
    ran(hatchling, "build", "--target", target, "--directory", folder, cwd=sources)
    return next(folder.iterdir())
