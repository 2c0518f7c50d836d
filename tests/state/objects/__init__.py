"""A state in an object store."""
