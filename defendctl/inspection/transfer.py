"""What became of a state that was put elsewhere."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Migrated:
    before: str
    """Where it was, for messages."""
    now: str
    lineage: str
    lines: str
    """What the project file is to say from now on, as YAML."""
    branches: tuple[str, ...] = ()
    """Those that still hold the file as it was before."""


@dataclass(frozen=True, slots=True)
class Pushed:
    where: str
    serial: int
    forgotten: tuple[str, ...]
    """`address → id` of what only the state that was replaced knew."""
