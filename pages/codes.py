"""The pages of exit codes and of diagnostics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.catalogue.find import CATALOGUE
from defendctl.exits import MEANINGS, PRECEDENCE
from pages.markdown import code, fenced, prose, table

if TYPE_CHECKING:
    from defendctl.catalogue.entry import Explained


def exit_codes() -> str:
    rows = [[_linked(number), meaning] for number, meaning in MEANINGS.items()]
    order = ", ".join(str(int(number)) for number in PRECEDENCE)
    return (
        "# Exit codes\n\nHow a run ended, for whoever started it. The meanings are fixed; "
        "none gets a second one.\n\n"
        + table(["exit", "meaning"], rows)
        + f"\nWhere more than one holds, the first of these is the one: {order}. "
        "The command line is checked before anything is done, so 64 stands alone.\n"
    )


def _linked(number: int) -> str:
    return f"[{int(number)}](../wrong/exit-{int(number)}.md)" if number else "0"


def diagnostics() -> str:
    index = table(
        ["code", "means"], [[f"[`{one.code}`](#{one.code})", prose(one.title)] for one in CATALOGUE.values()]
    )
    return (
        "# Diagnostics\n\nThe code stands in brackets at the end of each message. "
        "`defendctl explain CODE` says "
        "the same, offline.\n\n" + index + "\n" + "\n".join(_entry(one) for one in CATALOGUE.values())
    )


def _entry(one: Explained) -> str:
    parts = [f"## {one.code} {{ #{one.code} }}", f"**{prose(one.title)}**", prose(one.why)]
    if one.bad is not None:
        parts += [f"This is told of {code(one.file)}:", fenced(one.bad, "yaml").rstrip()]
    if one.good is not None:
        parts += ["And not of this:", fenced(one.good, "yaml").rstrip()]
    parts += [f"What to do: {prose(one.todo)}"]
    return "\n\n".join(parts) + "\n"
