"""Assignments that a shell can read."""

from __future__ import annotations

import shlex

from defendctl.render.inert import inert


def assignments(values: dict[str, str]) -> str:
    """`NAME=value` lines, quoted where a shell would need it."""
    return "".join(f"{name}={quoted(value)}\n" for name, value in values.items())


def quoted(value: str) -> str:
    """An id may hold marks that no terminal or CI runner should see; `$'…'` names them."""
    if inert(value) == value:
        return shlex.quote(value)
    return "$'" + "".join(c if c.isalnum() and c.isascii() else f"\\U{ord(c):08x}" for c in value) + "'"
