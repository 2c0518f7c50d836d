"""The single file: the same bytes each time, and run by a Python that has nothing else."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.parts.tools import clean, ran, tool

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow
EPOCH = "1700000000"


@contextmanager
def mask(value: int) -> Iterator[None]:
    before = os.umask(value)
    try:
        yield
    finally:
        os.umask(before)


def zipped(wheel: Path, folder: Path, home: Path, epoch: str = EPOCH) -> Path:
    env = {**clean(home), "SOURCE_DATE_EPOCH": epoch}
    said = ran("sh", "release/zipapp.sh", tool("zipapp").parent, wheel, folder, env=env)
    return Path(said.splitlines()[-1])


@pytest.fixture(scope="module")
def zipapp(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return zipped(wheel, tmp_path_factory.mktemp("zipapp"), tmp_path_factory.mktemp("home"))


def alone(zipapp: Path, home: Path, *words: str, code: int = 0, cwd: Path | None = None) -> str:
    """Run as `env -i python -I FILE`: no variable but where the file may unpack itself."""
    python = Path(sys.base_prefix, "bin", "python3")
    env = {"SHIV_ROOT": str(home)}
    return ran(python, "-I", zipapp, *words, env=env, cwd=cwd or home, code=code)


def test_two_builds_are_the_same_bytes(wheel: Path, zipapp: Path, tmp_path: Path) -> None:
    """In another folder, with another umask and from another home."""
    with mask(0o077):
        again = zipped(wheel, tmp_path / "elsewhere", tmp_path)
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(zipapp.read_bytes()).digest()


def test_a_time_before_1980_is_taken_for_1980(wheel: Path, tmp_path: Path) -> None:
    first, second = (zipped(wheel, tmp_path / epoch, tmp_path, epoch) for epoch in ("0", "315532800"))
    assert first.read_bytes() == second.read_bytes()


def test_it_runs_with_an_empty_environment(zipapp: Path, tmp_path: Path) -> None:
    assert alone(zipapp, tmp_path, "--version").startswith("defendctl ")


def test_it_holds_schemas_the_embedded_api_and_every_place_of_a_state(zipapp: Path, tmp_path: Path) -> None:
    project, home = tmp_path / "project", tmp_path / "home"
    project.mkdir()
    home.mkdir()
    alone(zipapp, home, "init", cwd=project)
    assert (project / "schemas" / "manifest.schema.json").exists()
    alone(zipapp, home, "--sandbox", "apply", "--yes", cwd=project)
    assert "No changes" in alone(zipapp, home, "--sandbox", "plan", cwd=project)
    told = alone(zipapp, home, "doctor", cwd=project, code=1)
    assert "defendctl" in told
    inside = next(iter(home.glob("*/site-packages")))
    assert {"obstore", "psycopg", "psycopg_binary"} <= {path.name for path in inside.iterdir()}


@pytest.mark.parametrize("minor", [12, 13])
def test_another_python_is_told_which_file_to_take(zipapp: Path, tmp_path: Path, minor: int) -> None:
    found = [*Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python3")] or [
        Path(path) for path in [shutil.which(f"python3.{minor}")] if path
    ]
    if not found or sys.version_info[1] == minor:
        pytest.skip(f"there is no Python 3.{minor} beside this one")
    said = ran(found[0], "-I", zipapp, "--version", env={"SHIV_ROOT": str(tmp_path)}, code=1)
    assert f"built for another Python than Python 3.{minor} on" in said
    assert "Traceback" not in said
