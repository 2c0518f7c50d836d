"""How many events a replay reads. Apart from it, for every command reads it in the project file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """How many events are read of each workflow, and how many a rate must have to be judged by itself."""

    last: int = 50
    min_events: int = 20
    """With fewer the interval is wider than 35 points."""
