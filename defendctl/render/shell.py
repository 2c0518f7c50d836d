"""Assignments that every POSIX shell can read."""

from __future__ import annotations

from defendctl.command import shell_word


def assignments(values: dict[str, str]) -> str:
    """`NAME=value` lines, quoted where a shell would need it."""
    return "".join(f"{name}={shell_word(value)}\n" for name, value in values.items())
