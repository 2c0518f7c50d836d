"""From a place to its backend. What that needs is loaded here, for it is large and need not be installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.diagnostics import DefendctlError

if TYPE_CHECKING:
    from pathlib import Path

    from defendctl.state.backend import Backend
    from defendctl.state.place import Place


def open_postgres(place: Place, root: Path) -> Backend:
    """Raises DefendctlError where psycopg is not installed, or where the URL is none that libpq takes."""
    try:
        from defendctl.state.postgres.backend import PostgresBackend
    except ImportError as error:
        raise DefendctlError(
            "a state in PostgreSQL needs psycopg, which is not installed",
            "install it with `pip install 'defendctl[postgres]'`",
        ) from error
    return PostgresBackend(place, root)
