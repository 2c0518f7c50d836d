"""The state in PostgreSQL: one statement a step, each of which commits by itself."""

from defendctl.state.postgres.tables import schema_sql

__all__ = ["schema_sql"]
