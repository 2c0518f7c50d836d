"""The table of formats: every entry leads somewhere, and the command line offers what it says."""

from __future__ import annotations

import ast
import inspect
from typing import TYPE_CHECKING

import pytest

from defendctl.cli.main import COMMANDS
from defendctl.render.registry import FORMATS, OUTPUTS, load
from defendctl.render.setting import Setting
from tests.every_command import every_command
from tests.house import PACKAGE, imports

if TYPE_CHECKING:
    import click

KINDS = {
    "init": "pipelines",
    "plan": "plan",
    "drift": "drift",
    "validate": "diagnostics",
    "apply": "apply",
    "show": "workflow",
    "state list": "state",
    "state migrate": "migration",
    "state push": "push",
    "state versions": "versions",
    "state paths": "paths",
    "outputs": "outputs",
    "events list": "events",
    "events show": "event",
    "events watch": "event",
    "events submit": "submission",
    "test": "test-results",
    "tune": "tune",
    "verify": "proof",
    "compare": "comparison",
    "render": "manifest",
    "explain": "explanation",
    "report": "report",
    "doctor": "doctor",
}
"""Every command that takes `--format` → the kind of its result."""


@pytest.mark.parametrize("kind", FORMATS)
def test_each_format_of_a_kind_draws_the_same_result(kind: str) -> None:
    """The renderers of a kind agree on the type of the result, and each takes a setting besides."""
    taken = set()
    for name in FORMATS[kind].values():
        result, setting = inspect.signature(load(name)).parameters.values()
        assert setting.annotation == Setting.__name__, name
        taken.add(result.annotation)
    assert len(taken) == 1, taken


@pytest.mark.parametrize("kind", FORMATS)
def test_each_kind_has_text_and_json(kind: str) -> None:
    assert {"text", "json"} <= set(FORMATS[kind])


def test_what_a_step_is_told_is_found() -> None:
    for kind, name in OUTPUTS.items():
        assert list(inspect.signature(load(name)).parameters)[1] == "code"
        assert {"github", "markdown"} <= set(FORMATS[kind]), "a step has a summary, which is Markdown"


def test_each_command_offers_the_formats_of_its_kind() -> None:
    offered = {name: option for name, command in every_command().items() if (option := _format(command))}
    assert set(offered) == set(KINDS)
    for name, option in offered.items():
        formats = list(FORMATS[KINDS[name]])
        assert list(option.type.choices) == formats, name  # type: ignore[attr-defined]
        assert option.default == formats[0], name


def _format(command: click.Command) -> click.Parameter | None:
    return next((each for each in command.params if each.name == "format"), None)


def test_every_renderer_is_in_the_table() -> None:
    """A function that takes a setting, and that no format leads to, is one that nobody can choose."""
    named = {name for formats in FORMATS.values() for name in formats.values()}
    assert {name for name in _renderers() if name not in named} == set()


def _renderers() -> set[str]:
    found = set()
    for path in (PACKAGE / "render").rglob("*.py"):
        module = ".".join(path.relative_to(PACKAGE / "render").with_suffix("").parts)
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                last = node.args.args[-1:]
                if path.stem != "registry" and last and last[0].arg == "setting":
                    found.add(f"{module}:{node.name}")
    return found


SHARED = {"inert", "words", "registry", "setting", "yaml"}
"""What a command may know of `render/`; `yaml` is the text of a manifest to paste."""


@pytest.mark.parametrize("name", sorted({where.partition(".")[0] for where in COMMANDS.values()}))
def test_a_command_knows_no_renderer(name: str) -> None:
    """It says which kind of result it has; `delivery` and `telling` print."""
    targets = {one.target for one in imports(PACKAGE / "cli" / f"{name}.py")}
    known = {target.removeprefix("defendctl.render.") for target in targets if ".render." in target}
    assert known <= SHARED
