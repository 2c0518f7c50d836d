"""Commands of this tool as text, to be copied: sh, bash, zsh and fish take each word as it is meant.

What of them PowerShell and cmd take too is left bare or in double quotes; the rest is for the others alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_BARE: Final = re.compile(r"[A-Za-z0-9_.+/-][A-Za-z0-9_.+/:=-]*")
"""Not `@`, `,`, `%`, a first `=` or `~`: some shell makes something else of each."""
_IN_DOUBLE: Final = re.compile(r"[A-Za-z0-9_.+/:=@,;&()<>\[\]{}|*?#~' -]+")
_SPLIT: Final = re.compile(r"(['\\])")
_OBEYED: Final = re.compile(r"##|^::|; ")
"""CI runners take the first two for commands of their own; a reason is parted into lines at the third."""

_options: list[str] = []


def speak_with(options: Sequence[str]) -> None:
    """The global options of this run: a command that is copied needs them as well."""
    _options[:] = options


def command(template: str, *values: str) -> str:
    """`command("import {} {}", address, id)`: what to type, with each value quoted where a shell needs it.

    An id that stands alone and begins with a dash comes after `--`, so no option may stand behind one; behind
    an address it may, for no address begins so.
    """
    words: list[str] = ["defendctl", *map(shell_word, _options)]
    left = iter(values)
    for part in template.split(" "):
        if part != "{}":
            words.append(part)
            continue
        value = next(left)
        if value.startswith("-") and not words[-1].startswith("-") and "--" not in words:
            words.append("--")
        words.append(shell_word(value))
    return " ".join(words)


def settling(address: str, workflow_id: str = "WORKFLOW_ID") -> tuple[str, str]:
    """The two commands of which one settles a create whose outcome is unknown."""
    return (
        command("state resolve {} --id {}", address, workflow_id),
        command("state resolve {} --not-created", address),
    )


def either(address: str, workflow_id: str = "WORKFLOW_ID") -> str:
    """Both of `settling` in a sentence."""
    return " or ".join(f"`{each}`" for each in settling(address, workflow_id))


def shell_word(value: str) -> str:
    """One word of a command line, in printable characters that no terminal and no CI runner obeys."""
    if _BARE.fullmatch(value):
        return value
    if not value.isprintable() or _OBEYED.search(value):
        return f'"$(printf {_octal(value)})"'
    if _IN_DOUBLE.fullmatch(value):
        return f'"{value}"'
    return "".join(_single(part) for part in _SPLIT.split(value) if part) or "''"


def _single(part: str) -> str:
    """fish reads a backslash in single quotes; outside of quotes all read it alike."""
    return f"\\{part}" if part in ("'", "\\") else f"'{part}'"


def _octal(value: str) -> str:
    """As the argument of printf: the bytes of what is not a plain letter or digit."""
    data = value.encode("utf-8", "surrogateescape")
    plain = {byte: chr(byte) for byte in data if chr(byte).isascii() and chr(byte).isalnum()}
    return "'" + "".join(plain.get(byte) or f"\\{byte:03o}" for byte in data) + "'"


def beginning(environment: str | None) -> str:
    """What a person types to begin the state of a project, or of its environment."""
    return command("init --env {}", environment) if environment else command("init --new-state")
