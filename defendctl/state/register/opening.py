"""From a place to its backend. What an object store needs is loaded here, for it need not be installed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from defendctl.diagnostics import DefendctlError
from defendctl.state.register.backend import RegisterBackend

if TYPE_CHECKING:
    from pathlib import Path

    from defendctl.state.backend import Backend
    from defendctl.state.place import Place


def open_objects(place: Place, root: Path) -> Backend:
    """Sends nothing. Raises DefendctlError where obstore is not installed, or what is said names no store."""
    try:
        from defendctl.state.register.objects import Objects
    except ImportError as error:
        raise DefendctlError(
            f"a state at {place.scheme}:// needs obstore, which is not installed",
            "install it with `pip install 'defendctl[objects]'`",
        ) from error
    return RegisterBackend(Objects(place, os.environ))
