"""How a result is shown: all that a format may need besides the result itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from defendctl.render.markdown.fit import COMMENT
from defendctl.render.text.paint import plain

if TYPE_CHECKING:
    from defendctl.render.text.paint import Paint


@dataclass(frozen=True, slots=True)
class Setting:
    paint: Paint = plain
    folder: str = ""
    """Where the command runs, as the repository names it: annotations name files from its root on."""
    environment: str | None = None
    """Of a project that has any; what knows its own is shown with that."""
    limit: int = COMMENT
    """What Markdown may hold, in bytes."""
    remark: str = ""
    """Of our own words: what a comment's first line says besides."""
    origins: bool = False
    """Whether each value says the file and the line that it comes from."""


PLAIN: Final = Setting()
