"""A workflow as a manifest to paste, as `fmt` would have it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from defendctl.editing.fmt import BODY
from defendctl.model import DEFAULTS, FIELDS
from defendctl.render.inert import inert
from defendctl.yamltext.spell import number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from defendctl.model import Fields

TO_FILL_IN: Final = {
    "name": "",
    "type": " <custom or automatic>",
    "metrics": " <the metrics, each with its threshold or level>",
    "improvement_action": " <fixit, regenerate or none>",
}
"""What stands for a value that nobody could read: no manifest is valid with it."""
_ORDER: Final = [name for name in BODY if name in FIELDS]
_UNREAD: Final = "  # cannot be read back: "


def manifest(address: str, fields: Fields) -> str:
    return manifests([(address, fields)])


def manifests(given: Iterable[tuple[str, Fields]], schema: str | None = None) -> str:
    """One document. JSON's scalars are YAML's, and so are the escapes of `inert`."""
    modeline = [f"# yaml-language-server: $schema={schema}"] if schema else []
    bodies = (line for one in given for line in _workflow(*one))
    return "\n".join([*modeline, "version: 1", "workflows:", *bodies]) + "\n"


def _workflow(address: str, fields: Fields) -> list[str]:
    """A field that nobody could read has its default, and is marked, or has to be filled in."""
    lines = [f"  {address}:"]
    for name in _ORDER:
        if name in fields:
            lines += _field(name, fields[name])
        elif name in DEFAULTS:
            lines.append(f"    # {name}: {scalar(DEFAULTS[name])}{_UNREAD}please check")
        else:
            lines.append(f"    {name}:{TO_FILL_IN[name]}{_UNREAD}fill it in")
    return lines


def _field(name: str, value: Any) -> list[str]:
    if name == "metrics":
        return [
            "    metrics:",
            *(f"      {scalar(metric)}: {scalar(each)}" for metric, each in value.items()),
        ]
    return [] if DEFAULTS.get(name) == value else [f"    {name}: {scalar(value)}"]


def scalar(value: Any) -> str:
    if isinstance(value, str) and value.replace("_", "").isalpha() and value.isascii() and value.islower():
        return value if value not in ("true", "false", "null") else json.dumps(value)
    if isinstance(value, float):
        return number(value)
    return inert(json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False))
