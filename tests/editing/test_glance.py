"""What a TAB takes from the lines of a manifest is what is declared there, or nothing is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defendctl.editing.glance import addresses
from defendctl.yamltext.loader import loads
from tests.house import ROOT

if TYPE_CHECKING:
    from pathlib import Path

BODY = "type: custom\n    metrics:\n      completeness: 0.5\n    improvement_action: none\n"
PLAIN = f"version: 1\nworkflows:\n  a:\n    {BODY}  b.c-1:\n    {BODY}"

LINES = [
    "version: 1",
    "workflows:",
    "workflows: # all of them",
    "workflows: {a: 1}",
    '"workflows":',
    "defaults:",
    "---",
    "...",
    "# a comment",
    "",
    "  ",
    "  a:",
    "  b: 1",
    "  b: {c: 1}",
    "  'c': 1",
    '  "workflows:": 1',
    "  d: |",
    "  d: >-",
    "  d: &x 1",
    "  e: *x",
    "  <<: *x",
    "  ? f",
    "  : 1",
    "    g: 1",
    "    workflows:",
    "      a: 1",
    "  Large: 1",
    "  h:1",
    '    i: "# no comment"',
    "    j'",
    "  #k: 1",
]


def told(text: str) -> set[str] | None:
    """As YAML. None for what is no manifest."""
    documents, wrong = loads(text, "")
    if wrong or not all(isinstance(one.data, dict) for one in documents):
        return None
    each = [one.data["workflows"] for one in documents if "workflows" in one.data]
    return {name for one in each for name in one} if all(isinstance(one, dict) for one in each) else None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (PLAIN, ["a", "b.c-1"]),
        (PLAIN.rstrip("\n"), ["a", "b.c-1"]),
        (f"{PLAIN}---\n{PLAIN.replace('a:', 'd:')}", ["a", "b.c-1", "d", "b.c-1"]),
        (PLAIN.replace("  a:", "  # why\n\n# what\n  a:"), ["a", "b.c-1"]),
        (f"{PLAIN}waivers: []\n", ["a", "b.c-1"]),
        ("version: 1\nworkflows: {a: {}}\n", None),
        ("version: 1\nworkflows:\n  'a':\n    name: x\n", None),
        ("version: 1\nworkflows:\n  <<: *b\n", None),
        ("version: 1\nworkflows:\n", None),
        ('{"version": 1, "workflows": {"a": {}}}', None),
        (PLAIN.replace("\n", "\r\n"), None),
        ("version: 1\n", None),
    ],
)
def test_what_the_lines_show(text: str, found: list[str] | None) -> None:
    assert addresses(text) == found


@pytest.mark.parametrize("path", sorted((ROOT / "examples").rglob("*.y*ml")), ids=str)
def test_of_the_examples(path: Path) -> None:
    text = path.read_text()
    found = addresses(text)
    assert found is None or set(found) == told(text)


@settings(derandomize=True, max_examples=2000)
@given(st.lists(st.sampled_from(LINES), max_size=12))
def test_it_is_never_wrong(lines: list[str]) -> None:
    """Of what YAML can read: the lines show what is there, or nothing."""
    text = "\n".join(["version: 1", "workflows:", *lines])
    found, there = addresses(text), told(text)
    if found is not None and there is not None:
        assert set(found) <= {str(name) for name in there}
        if "workflows" not in "".join(lines):
            assert set(found) == there
