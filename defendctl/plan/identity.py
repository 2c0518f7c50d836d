"""An answer that names another workflow than was asked for, as the vendor's own sample does (docs/api.md 3).

Nobody knows whether the two ids are one workflow, so nothing of it counts for the id that was asked for; what
is said names the other id, and the command that takes it.
"""

from __future__ import annotations

from defendctl.command import command
from defendctl.model import ADDRESS, usable_id


def another_id(asked: str, answered: str) -> str:
    """What happened; the other id only where it could be one."""
    named = f", {answered}" if usable_id(answered) else ""
    return f"the API answers for {asked} with another workflow_id{named}"


def import_command(address: str, answered: str, *, bound: bool = False) -> str | None:
    """What takes the workflow under the id that was answered; None where nothing can."""
    if not (usable_id(answered) and ADDRESS.fullmatch(address)):
        return None
    taking = f"`{command('import {} {}', address, answered)}`"
    forget = f"`{command('state rm {}', address)}`, then " if bound else ""
    return f"if that is the one: {forget}{taking} binds it by the id that it answers with"
