"""What the action and the component take and give, from the files that define them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import yaml

from pages.markdown import code, prose, table

ROOT: Final = Path(__file__).parents[1]
_ACTION: Final = """\
# The GitHub action

`action.yml`, in the top of the repository. It installs defendctl from its own commit and runs one command of
[`defendctl ci`](commands/ci.md). How to pin it: [Install](../install.md#github-action).
"""
_COMPONENT: Final = """\
# The GitLab component

Two files below `templates/`, included by the SHA of a commit: [Install](../install.md#gitlab-component).
What an input holds reaches scripts as a variable alone.
"""


def pages() -> dict[str, str]:
    """`reference/action.md` and `reference/component.md` → text."""
    return {"reference/action.md": _action(), "reference/component.md": _component()}


def action() -> dict[str, Any]:
    """`action.yml` as data."""
    return dict(yaml.safe_load((ROOT / "action.yml").read_text()))


def component() -> dict[str, dict[str, Any]]:
    """Name of a file below `templates/` → its inputs."""
    files = sorted((ROOT / "templates").glob("*.yml"), reverse=True)  # plan comes before apply
    return {path.stem: next(iter(yaml.safe_load_all(path.read_text())))["spec"]["inputs"] for path in files}


def _action() -> str:
    told = action()
    outputs = [[code(name), prose(one["description"])] for name, one in told["outputs"].items()]
    return (
        f"{_ACTION}\n## Inputs\n\n{_inputs(told['inputs'])}\n"
        f"## Outputs\n\nWhat a command does not know is empty.\n\n{table(['output', 'is'], outputs)}"
    )


def _component() -> str:
    parts = [f"\n## {name}\n\n{_inputs(inputs)}" for name, inputs in component().items()]
    return _COMPONENT + "".join(parts)


def _inputs(inputs: dict[str, Any]) -> str:
    rows = [[code(name), _default(one), _meaning(one)] for name, one in inputs.items()]
    return table(["input", "default", "is"], rows)


def _default(one: dict[str, Any]) -> str:
    if "default" not in one:
        return "required"
    value = one["default"]
    if value in ("", []):
        return "empty"
    return code(str(value).lower() if isinstance(value, bool) else str(value))


def _meaning(one: dict[str, Any]) -> str:
    choices = " or ".join(map(code, one.get("options", [])))
    return ". ".join(part for part in (prose(one["description"]), choices) if part)
