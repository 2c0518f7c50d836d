"""Assignments that a shell can read."""

from __future__ import annotations

import shlex


def assignments(values: dict[str, str]) -> str:
    """`NAME=value` lines, quoted where a shell would need it."""
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())
