"""What a command said and how it ended, against a file; and what a folder holds, byte for byte."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Ran

UPDATE = "UPDATE_GOLDEN"
SECONDS = 5


def expect(golden: Path, ran: Ran, root: Path) -> None:
    """The exit code, then all that was said. UPDATE_GOLDEN=1 writes the file: read the difference."""
    actual = f"exit {ran.code}\n" + neutral(ran.out + ran.err, root)
    if os.environ.get(UPDATE):
        golden.write_text(actual, encoding="utf-8")
    assert actual == golden.read_text(encoding="utf-8"), f"if that is meant: {UPDATE}=1 pytest tests/bad"


def neutral(text: str, root: Path) -> str:
    """Without what differs from run to run."""
    text = text.replace(str(root), "ROOT").replace(os.path.realpath(root), "ROOT")
    return re.sub(r"[0-9a-f]{64}", "…", text)


def assert_inert(text: str) -> None:
    """No character acts on a terminal, and no line is a command to a CI runner."""
    for line in text.split("\n"):
        assert line.isprintable(), ascii(line)
        assert not line.lstrip().startswith("::"), line
        assert not re.search(r"##\w*\[", line), line


def tree(root: Path) -> dict[str, object]:
    """Everything below `root`, but what a run may leave for itself."""
    paths = (path for path in sorted(root.rglob("*")) if ".defendctl" not in path.parts)
    return {str(path): _content(path) for path in paths}


def _content(path: Path) -> object:
    there = path.lstat()
    if stat.S_ISLNK(there.st_mode):
        return path.readlink()
    small = stat.S_ISREG(there.st_mode) and there.st_size < 1 << 26
    return (there.st_mode, there.st_mtime_ns, path.read_bytes() if small else there.st_size)
