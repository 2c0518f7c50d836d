"""A manifest that stands in no file: `-` is what stdin holds, under the name that diagnostics give it."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from defendctl.yamltext.source import MAX_BYTES, instead

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

STDIN: Final = Path("<stdin>")
"""Told by identity, for a file may have this name too."""


@contextmanager
def reading_stdin(paths: Sequence[Path], cwd: Path) -> Iterator[None]:
    """What stdin holds stands for its path, where that is one of them."""
    if not any(path is STDIN for path in paths):
        yield
        return
    with instead({os.path.realpath(cwd / STDIN): sys.stdin.buffer.read(MAX_BYTES + 1)}):
        yield
