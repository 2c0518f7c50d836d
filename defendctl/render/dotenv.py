"""Assignments that every reader of `.env` files takes alike."""

from __future__ import annotations

import re
from typing import Final

from defendctl.render.inert import inert

_PLAIN: Final = re.compile(r"[A-Za-z0-9_.:/@%+=,-]+")


def assignments(values: dict[str, str]) -> str:
    """`NAME=value` lines. Raises ValueError for a value that readers would take differently."""
    return "".join(f"{name}={_value(name, value)}\n" for name, value in values.items())


def _value(name: str, value: str) -> str:
    """Some readers keep quotes and others expand `$`; in single quotes most take a value as it is."""
    if _PLAIN.fullmatch(value):
        return value
    if "'" in value or "\\" in value or inert(value) != value:
        raise ValueError(f"{name}: no form of {inert(value)} is the same to every reader of a dotenv file")
    return f"'{value}'"
