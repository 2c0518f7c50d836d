"""A template is text with places `<<name>>`; where one is alone on its line, several may take it, or none."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Final

_ALONE: Final = re.compile(r"^( *)<<(\w+)>>\n", re.MULTILINE)
_PLACE: Final = re.compile(r"<<(\w+)>>")


def fill(name: str, /, **values: str) -> str:
    """Raises KeyError for a place that nothing is given for."""
    text = (files(__package__) / "templates" / name).read_text(encoding="utf-8")
    text = _ALONE.sub(lambda found: _lines(values[found[2]], found[1]), text)
    return _PLACE.sub(lambda found: values[found[1]], text)


def _lines(value: str, indent: str) -> str:
    return "".join(f"{indent}{line}\n" if line else "\n" for line in value.splitlines())
