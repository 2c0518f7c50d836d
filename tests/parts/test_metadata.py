"""What is shown of the package on an index, and what the archives hold."""

from __future__ import annotations

import re
import tarfile
import tomllib
from email import message_from_string
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from zipfile import ZipFile

import cmarkgfm
import pytest

from tests.parts.tools import ROOT, built_from, ran, tool

if TYPE_CHECKING:
    from email.message import Message
    from pathlib import Path

pytestmark = pytest.mark.slow


def metadata(wheel: Path) -> Message:
    with ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return message_from_string(archive.read(name).decode())


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in ("href", "src")]


def test_the_description_has_no_link_that_only_the_repository_can_follow(wheel: Path) -> None:
    links = Links()
    links.feed(cmarkgfm.github_flavored_markdown_to_html(str(metadata(wheel).get_payload())))
    assert links.found
    assert [link for link in links.found if not link.startswith("https://")] == []


def test_links_into_this_repository_lead_somewhere(wheel: Path) -> None:
    text = str(metadata(wheel))
    named = set(re.findall(r"https://github\.com/defendctl/defendctl/(?:blob|tree)/main/([^)#\s]+)", text))
    assert {"docs", "CHANGELOG.md"} <= named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_index_is_told_where_everything_is(wheel: Path) -> None:
    urls = dict(line.split(", ") for line in metadata(wheel).get_all("Project-URL") or [])
    assert set(urls) == {"Homepage", "Documentation", "Source", "Issues", "Changelog"}
    assert all(url.startswith("https://") for url in urls.values())


def test_no_extra_is_for_developers(wheel: Path) -> None:
    assert set(metadata(wheel).get_all("Provides-Extra") or []) == {"objects", "postgres", "sandbox"}


def test_each_python_of_the_classifiers_is_allowed_by_the_bound(wheel: Path) -> None:
    told = metadata(wheel)
    minors = {
        int(line.rpartition(".")[2]) for line in told.get_all("Classifier") or [] if ":: Python :: 3." in line
    }
    assert told["Requires-Python"] == f">=3.{min(minors)}"


def test_the_sdist_holds_what_its_pages_and_tests_need(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    tracked = set(ran("git", "ls-files").splitlines())
    for folder in ("defendctl/", "docs/", "schemas/", "tests/", "examples/"):
        assert {name for name in tracked if name.startswith(folder)} <= held
    assert {"README.md", "SECURITY.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile"} <= held
    assert {"requirements.lock", "requirements-build.lock", "requirements-dev.lock"} <= held
    assert not any(re.search(r"\.(cache|venv|git)/|__pycache__|\.pyc$", name) for name in held)


def test_checkers_of_archives_have_nothing_to_say(wheel: Path, sdist: Path) -> None:
    ran(tool("twine"), "check", "--strict", wheel, sdist)
    ran(tool("check-wheel-contents"), wheel)
    ran(tool("validate-pyproject"), "pyproject.toml")


def test_a_wheel_made_from_the_sdist_is_the_wheel(wheel: Path, sdist: Path, tmp_path: Path) -> None:
    """Who builds it from the sources of an index gets what was checked here."""
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    again = built_from(next(tmp_path.iterdir()), tmp_path / "dist", "wheel")
    assert again.read_bytes() == wheel.read_bytes()


def test_what_pyproject_says_of_groups_is_not_published(wheel: Path) -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    asked = {re.split(r"[\s>=<;\[]", line)[0] for line in metadata(wheel).get_all("Requires-Dist") or []}
    only = {line.split(">=")[0] for line in groups["dev"] + groups["tools"] if isinstance(line, str)}
    assert asked & only == set()
