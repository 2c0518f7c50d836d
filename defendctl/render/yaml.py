"""A workflow as a manifest to paste."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from defendctl.model import DEFAULTS
from defendctl.render.inert import inert

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from defendctl.model import Workflow


def manifest(address: str, workflow: Workflow, unread: Collection[str]) -> str:
    return manifests([(address, workflow, unread)])


def manifests(given: Iterable[tuple[str, Workflow, Collection[str]]], schema: str | None = None) -> str:
    """One document. JSON's scalars are YAML's, and so are the escapes of `inert`."""
    modeline = [f"# yaml-language-server: $schema={schema}"] if schema else []
    bodies = (line for one in given for line in _workflow(*one))
    return "\n".join([*modeline, "version: 1", "workflows:", *bodies]) + "\n"


def _workflow(address: str, workflow: Workflow, unread: Collection[str]) -> list[str]:
    """A field that nobody could read is marked."""
    lines = [f"  {address}:"]
    for name, value in workflow.fields().items():
        note = "  # cannot be read back: please check" if name in unread else ""
        if name in unread and name in DEFAULTS:
            lines.append(f"    # {name}: {scalar(value)}{note}")
        elif name == "metrics":
            lines.append(f"    metrics:{note}")
            lines += [f"      {scalar(metric)}: {scalar(level)}" for metric, level in value.items()]
        elif DEFAULTS.get(name) != value:
            lines.append(f"    {name}: {scalar(value)}{note}")
    return lines


def scalar(value: Any) -> str:
    if isinstance(value, str) and value.replace("_", "").isalpha() and value.isascii() and value.islower():
        return value if value not in ("true", "false", "null") else json.dumps(value)
    return inert(json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False))
