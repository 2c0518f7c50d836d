"""docs/install.md names every way, and no page says to install what nobody pinned."""

from __future__ import annotations

import re

import yaml

from tests.parts.tools import ROOT, ran

PAGE = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
TEXTS = [name for name in ran("git", "ls-files").splitlines() if not name.startswith(("tests/", "CHANGELOG"))]


def test_nothing_tells_to_install_the_name_alone() -> None:
    """It is not on the index yet, and later would be whatever is newest there. What adds an extra to the
    installation that runs, by its own Python, takes the one that is there."""
    loose = re.compile(r"(?:pip|uv|pipx) (?:tool )?install (?:-\S+ )*['\"]?defendctl(?!\.lock)|uvx defendctl")
    texts = {name: (ROOT / name).read_text(encoding="utf-8", errors="replace") for name in TEXTS}
    assert [
        name for name, text in texts.items() if loose.search(text.replace("-m pip install 'defendctl[", ""))
    ] == []


def test_each_hook_is_told() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert [hook["id"] for hook in hooks if f"id: {hook['id']}" not in PAGE] == []


def test_each_file_of_the_component_is_told() -> None:
    assert [path.stem for path in (ROOT / "templates").iterdir() if f"/{path.stem}@" not in PAGE] == []


def test_what_it_pins_is_a_whole_commit() -> None:
    pinned = re.findall(r"(?:defendctl/defendctl@|rev: )(\S+)", PAGE)
    assert pinned
    assert [pin for pin in pinned if not re.fullmatch(r"[0-9a-f]{40}|COMMIT'?", pin)] == []
