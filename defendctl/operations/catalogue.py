"""Codes of diagnostics explained; reads no project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.catalogue.find import CATALOGUE
from defendctl.command import command
from defendctl.diagnostics import Usage, suggest

if TYPE_CHECKING:
    from defendctl.catalogue.entry import Explained


def explain(code: str | None) -> tuple[Explained, ...]:
    """That of one code, or all of them. Raises Usage for a code that there is not."""
    if code is None:
        return tuple(CATALOGUE.values())
    if code not in CATALOGUE:
        message = f"{code!r} is not a code of a diagnostic.{suggest(code, CATALOGUE)}"
        raise Usage(message, f"`{command('explain')}` lists all of them")
    return (CATALOGUE[code],)
