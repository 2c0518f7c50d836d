"""The first line of a file of ours: what wrote it, and the hash of what was written below.

The hash tells two things apart: whether somebody changed the file since, and whether the template is newer.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from defendctl.pipelines.wanted import Fate

_MARK: Final = re.compile(r"# Written by `([^`\n]*)`; as written, it is sha256:([0-9a-f]{64})\.\n")


def marked(command: str, text: str) -> str:
    return f"# Written by `{command}`; as written, it is sha256:{_hash(command, text)}.\n{text}"


def fate_of(there: str, wanted: str) -> Fate:
    """Of a file that is there, beside what would be written. One that is `behind` may be written over."""
    there = there.replace("\r\n", "\n")
    if there == wanted:
        return "equal"
    found, newest = _MARK.match(there), _MARK.match(wanted)
    if not (found and newest):
        return "foreign"
    if found[2] == newest[2]:
        return "kept"
    return "behind" if found[2] == _hash(found[1], there[found.end() :]) else "foreign"


def _hash(command: str, text: str) -> str:
    return hashlib.sha256(f"{command}\n{text}".encode()).hexdigest()
