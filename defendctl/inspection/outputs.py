"""What the application that submits events is told of its workflows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Outputs:
    """By address, of what is bound."""

    ids: Mapping[str, str]
    """The workflow ids."""
    run_modes: Mapping[str, str] | None = field(default_factory=dict)
    """What the manifests advise, of those that they advise anything of. None: the manifests were not read, or
    are not valid."""
