"""The state in PostgreSQL: one statement a step, each of which commits by itself."""
