"""From where a state is said to be to the store of it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from defendctl.state.copies import Copies, place_of
from defendctl.state.local.backend import LocalBackend
from defendctl.state.store import Store

if TYPE_CHECKING:
    from pathlib import Path


def open_local(
    path: Path,
    folder: Path,
    lineage: str | None,
    environment: str | None = None,
    root: Path | None = None,
) -> Store:
    """The state in a file. `folder` is for copies, below `root`; by default right in it."""
    top = root or folder.parent
    backend = LocalBackend(path, folder, top)
    copies = Copies(folder / "backups", partial(place_of, backend.path, top))
    return Store(backend, copies, lineage, environment)
