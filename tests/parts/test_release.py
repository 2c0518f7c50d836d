"""`make release`, run in a copy of this checkout that is a commit."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.parts.tools import ROOT, clean, copied, ran, tool

pytestmark = pytest.mark.slow


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return copied(tmp_path / "checkout")


def release(checkout: Path, home: Path, code: int = 0) -> str:
    builds = Path(sys.executable).parent
    return ran(
        "sh", "release/release.sh", builds, tool("twine").parent, cwd=checkout, env=clean(home), code=code
    )


def test_everything_is_built_checked_and_nothing_published(checkout: Path, tmp_path: Path) -> None:
    said = release(checkout, tmp_path)
    made = {path.name for path in (checkout / "dist").iterdir()}
    assert {path.rpartition(".")[2] for path in made} == {"whl", "gz", "pyz", "SHA256SUMS"}
    ran("sha256sum", "--check", "--strict", "SHA256SUMS", cwd=checkout / "dist")
    assert "git tag --sign v" in said
    assert "Nothing was published." in said


def test_a_checkout_with_changes_is_refused(checkout: Path, tmp_path: Path) -> None:
    (checkout / "README.md").write_text("changed")
    assert "commit these files or remove them" in release(checkout, tmp_path, code=1)


def test_the_scripts_are_sound() -> None:
    ran(tool("shellcheck"), *sorted((ROOT / "release").glob("*.sh")))
