"""Codes of diagnostics explained; reads no project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.catalogue.find import CATALOGUE
from defendctl.command import command
from defendctl.diagnostics import Usage, suggest
from defendctl.documentation import page_url

if TYPE_CHECKING:
    from defendctl.catalogue.entry import Explained


def explain(code: str | None) -> tuple[Explained, ...]:
    """That of one code, or all of them; messages print a code in brackets, and they may stay.

    Raises Usage for a code that there is not.
    """
    if code is None:
        return tuple(CATALOGUE.values())
    named = code.removeprefix("[").removesuffix("]")
    if named not in CATALOGUE:
        raise _unknown(named)
    return (CATALOGUE[named],)


def _unknown(code: str) -> Usage:
    if code.isdecimal():
        return Usage(
            f"{code} is no code of a diagnostic; exit codes are explained on a page of their own",
            f"see {page_url('reference/exit-codes')}",
        )
    message = f"{code!r} is not a code of a diagnostic.{suggest(code, CATALOGUE)}"
    return Usage(message, f"`{command('explain')}` lists all of them")
