"""Where the pages about this version are on the web, and how an extra is added. Nothing is read from it."""

from __future__ import annotations

from typing import Final

from defendctl import __version__
from defendctl.command import shell_word

SITE: Final = "https://defendctl.github.io/defendctl"

_MINOR: Final = ".".join(__version__.split(".")[:2])


def page_url(page: str, anchor: str = "") -> str:
    """`reference/commands/plan`, as it stands under `docs/` → its address, of this version."""
    return f"{SITE}/{_MINOR}/{page}/" + (f"#{anchor}" if anchor else "")


def page_of_code(code: str) -> str:
    """Where the code of a diagnostic is explained."""
    return page_url("reference/diagnostics", code)


def page_of_command(path: str) -> str:
    """`state mv`, without the program's name → where it is told; a group's commands share a page."""
    group, _, rest = path.partition(" ")
    if not group:
        return page_url("reference/commands")
    return page_url(f"reference/commands/{group}", path.replace(" ", "-") if rest else "")


def adding(extra: str, python: str) -> str:
    """How what an extra needs comes into the installation of this Python: its own pip takes the defendctl
    that is there."""
    line = f"`{shell_word(python)} -m pip install 'defendctl[{extra}]'`"
    return f"{line} adds it to this installation; {page_url('install')} says how to pin it"
