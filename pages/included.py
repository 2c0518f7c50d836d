"""Files of the repository in a page: what a reader copies is what the tests run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_INCLUDE: Final = re.compile(r"^<!-- include: (\S+) -->$", re.MULTILINE)
_LANGUAGES: Final = {".yml": "yaml", ".yaml": "yaml", ".sh": "sh", ".json": "json"}


def included(text: str, root: Path) -> str:
    """`<!-- include: GLOB -->` → the files as blocks. Raises ValueError where there are none."""

    def blocks(found: re.Match[str]) -> str:
        files = sorted(root.glob(found[1]))
        if not files:
            raise ValueError(f"a page includes {found[1]}, and there is no such file")
        return "\n\n".join(map(_block, files))

    return _INCLUDE.sub(blocks, text)


def _block(path: Path) -> str:
    return f'```{_LANGUAGES[path.suffix]} title="{path.name}"\n{path.read_text().rstrip()}\n```'
