"""The addresses that a manifest declares, as its lines show them: for a TAB, which nobody waits for.

Read is what stands as nearly everybody writes it: `workflows:` on a line, below it each address on one, and
what it holds below that. Of anything else nothing is said, and whoever asks reads the manifest as YAML. Only
a quoted text whose lines go on further left than it began could pass for an address.
"""

from __future__ import annotations

import re
from typing import Final

from defendctl.model import ADDRESS

_BLOCK: Final = re.compile(r"^workflows:[ ]*(?:#.*)?\n((?:(?:[ ].*|#.*|)\n)*)", re.MULTILINE)
_INDENT: Final = re.compile(r"^([ ]+)[^\s#]", re.MULTILINE)
_ENTRY: Final = re.compile(rf"({ADDRESS.pattern}):[ ]*(?:#.*)?")


def addresses(text: str) -> list[str] | None:
    """None where the lines do not tell."""
    blocks = _BLOCK.findall(f"{text}\n")
    indents = [_INDENT.search(block) for block in blocks]
    if not blocks or not all(indents):
        return None
    keys = [
        _ENTRY.fullmatch(key)
        for block, indent in zip(blocks, indents, strict=True)
        if indent
        for key in re.findall(rf"^{indent[1]}([^\s#].*)$", block, re.MULTILINE)
    ]
    return [key[1] for key in keys if key] if all(keys) else None


def may_hold(text: bytes, key: bytes) -> bool:
    """False only where no reader of YAML would find this key: a backslash may spell any letter of it."""
    return key in text or b"\\" in text
