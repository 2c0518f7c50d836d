"""From where a state is said to be to the store of it."""

from __future__ import annotations

import sys
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Final

from defendctl.diagnostics import DefendctlError
from defendctl.documentation import adding
from defendctl.state.copies import Copies, folder_name, place_of
from defendctl.state.local.backend import LocalBackend
from defendctl.state.place import BUCKETS
from defendctl.state.session import Snapshot
from defendctl.state.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from defendctl.state.backend import Backend
    from defendctl.state.place import Place

ENGINES: Final[dict[str, str]] = {
    "git": "defendctl.state.register.git:open_git",
    "postgres": "defendctl.state.postgres.backend:PostgresBackend",
    **dict.fromkeys(BUCKETS, "defendctl.state.register.objects:open_objects"),
}
"""Scheme of a place → `module:name`, given the place and the root of the project; loaded when in use."""
EXTRAS: Final = {"postgres": ("postgres", "psycopg"), **dict.fromkeys(BUCKETS, ("objects", "obstore"))}
"""Scheme → the extra of our package that it needs, and what that installs."""


def open_backend(place: Place, root: Path) -> Backend:
    """Raises DefendctlError where what the scheme needs is not installed."""
    module, _, name = ENGINES[place.scheme].partition(":")
    try:
        opened: Callable[[Place, Path], Backend] = getattr(import_module(module), name)
    except ImportError as error:
        raise _missing(place.scheme, error) from error
    return opened(place, root)


def _missing(scheme: str, error: ImportError) -> Exception:
    """An error of our own is not one that an installation cures."""
    if scheme not in EXTRAS:
        return error
    extra, package = EXTRAS[scheme]
    missing = f"a state at {scheme}:// needs {package}, which is not installed"
    return DefendctlError(missing, adding(extra, sys.executable))


def open_place(
    place: Place,
    folder: Path,
    lineage: str | None,
    environment: str | None,
    root: Path,
    patience: float = 0,
) -> Store:
    """As `open_local`, for a state that is no file. Raises DefendctlError as `open_backend`."""
    backend = open_backend(place, root)
    return Store(backend, copies_of(place, folder), lineage, environment, patience)


def copies_of(place: Place, folder: Path) -> Copies:
    """What this machine remembers of a state that is elsewhere; nothing is opened for it."""
    return Copies(folder / "backups", partial(folder_name, place.name))


def read_last(place: Place, folder: Path, lineage: str | None) -> tuple[Snapshot, float] | None:
    """What was read last of a state that is elsewhere, and how many seconds ago."""
    found = copies_of(place, folder).read_last(lineage)
    return (Snapshot(found[0].state, found[0].state, exists=True), found[1]) if found else None


def open_local(
    path: Path,
    folder: Path,
    lineage: str | None,
    environment: str | None = None,
    root: Path | None = None,
    patience: float = 0,
) -> Store:
    """The state in a file. `folder` is for copies, below `root`; by default right in it."""
    top = root or folder.parent
    backend = LocalBackend(path, folder, top)
    copies = Copies(folder / "backups", partial(place_of, backend.path, top))
    return Store(backend, copies, lineage, environment, patience)
