"""How far a run is, for whoever watches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Progress:
    """Told while a run goes on; silent by default."""

    start: Callable[[str, int], None] = lambda what, total: None
    step: Callable[[], None] = lambda: None
