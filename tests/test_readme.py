"""The README names every command, and its tables say what the code does."""

from __future__ import annotations

from pathlib import Path

import click

from defendctl.cli.main import cli

README = (Path(__file__).parents[1] / "README.md").read_text()


def commands(group: click.Group, prefix: str = "") -> list[str]:
    found = []
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            found += commands(command, f"{prefix}{name} ")
        else:
            found.append(prefix + name)
    return found


def test_every_command_has_its_row() -> None:
    for command in commands(cli):
        assert f"| `defendctl {command}" in README, f"{command} is not in the README's table"


def test_every_exit_code_has_its_row() -> None:
    for code in (0, 1, 2, 3, 4, 5, 6, 7, 64, 130):
        assert f"| {code} |" in README


def test_the_session_is_the_demo() -> None:
    """The terminal session shows the words that `make demo` prints."""
    for line in ("Loosens the guardrail:", "Applied: 3 done.", "No changes: 3 workflows as declared."):
        assert line in README
