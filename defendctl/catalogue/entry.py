"""What is said of one code."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import indent
from typing import Final

MANIFEST: Final = "workflows/example.yaml"
PROJECT: Final = "defendctl.yaml"
SUITE: Final = "tests/example.yaml"
LABELS: Final = "labels/example.yaml"


@dataclass(frozen=True, slots=True)
class Explained:
    """`bad` raises this code and no other where it stands in `file`, `good` raises none. Both are None where
    it takes more than one file, or what is live, to show it."""

    code: str
    title: str
    why: str
    todo: str
    bad: str | None = None
    good: str | None = None
    file: str = MANIFEST


def workflow(body: str) -> str:
    """A manifest with one workflow."""
    return f"version: 1\nworkflows:\n  support-bot:\n{indent(body, '    ')}\n"


SOUND: Final = "type: custom\nmetrics: {completeness: 0.8}\nimprovement_action: none"
"""A workflow that nothing is wrong with."""


def sound(more: str = "") -> str:
    return workflow(f"{SOUND}\n{more}" if more else SOUND)
