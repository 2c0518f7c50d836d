"""Text from outside as Markdown that GitHub shows and never obeys: it stands in code, and nowhere else.

Escaping is not enough. GitHub looks for mentions and addresses of web pages after it has rendered, so that
`\\@` and `&#64;` are found too; only what is code is left alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from defendctl.render.inert import inert, value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


LONGEST: Final = 160
"""Characters of one value; what is longer is cut, for the plan's JSON has it whole."""
_TICKS: Final = re.compile("`+")
_PIPE: Final = re.compile(r"(\\*)\|")
_NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9-]*")


def code(text: str) -> str:
    """A code span of one line. Nothing for nothing."""
    shown = cut(inert(text))
    fence = "`" * (_longest_run(shown) + 1)
    space = " " if shown[:1] in ("`", " ") or shown[-1:] in ("`", " ") else ""
    return f"{fence}{space}{shown}{space}{fence}" if shown.strip() else ""


def coded(data: Any) -> str:
    """A field's value."""
    return code(value(data))


def block(lines: Iterable[str], language: str = "text") -> str:
    """A code block; a text of several lines stays one of several lines."""
    shown = [inert(part) for line in lines for part in line.rstrip("\n").split("\n")]
    fence = "`" * max(3, *(_longest_run(line) + 1 for line in shown), 3)
    return "\n".join([fence + language, *shown, fence]) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are Markdown already. Columns at the end in which no row says anything are left out."""
    rows = list(rows)
    used = max((i + 1 for row in rows for i, cell in enumerate(row) if cell), default=1)
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(map(_cell, cells[:used])) + " |\n" for cells in lines)


def marker(kind: str, name: str | None) -> str:
    """The hidden first line by which a later run finds its comment; `name` tells two projects apart."""
    told = f" {name}" if name and _NAME.fullmatch(name) and "--" not in name else ""
    return f"<!-- defendctl:{kind}{told} -->\n"


def cut(text: str, longest: int = LONGEST) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _longest_run(text: str) -> int:
    return max((len(run) for run in _TICKS.findall(text)), default=0)


def _cell(text: str) -> str:
    """A pipe ends a cell also in code. After an odd number of backslashes one more would not hold it."""
    return _PIPE.sub(lambda found: found[1] + (r"\x7c" if len(found[1]) % 2 else r"\|"), text)
