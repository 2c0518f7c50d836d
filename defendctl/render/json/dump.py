"""Documents become text here, and only here. ASCII, so that no character acts on a terminal."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from defendctl.diagnostics import Span
    from defendctl.render.json.documents import EnvironmentPart, PlaceDocument

FORMAT_VERSION: Final = "1.0"
_COMMAND: Final = re.compile(r"##(?=\w*\[)")


def dumped(document: Mapping[str, Any]) -> str:
    """`##[group]` and the like stand in strings alone, where `\\u0023` is the same to a reader."""
    return _COMMAND.sub(r"#\\u0023", json.dumps(document, indent=2)) + "\n"


def named(environment: str | None) -> EnvironmentPart:
    return {"environment": environment} if environment else {}


def place(span: Span | None) -> PlaceDocument:
    return {
        "file": span.file if span else None,
        "line": span.line if span else None,
        "column": span.column if span else None,
    }
