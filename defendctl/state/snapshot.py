"""A state as it was read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from defendctl.model import State
    from defendctl.state.lines import Leftover


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is stored, the journal included. `bare` is the document alone."""

    state: State
    bare: State
    exists: bool
    leftover: Leftover | None = None
    is_old: bool = False
    """Whether the document has an older format."""
    version: bytes | None = None
    """Of the document, as the backend tells it."""
