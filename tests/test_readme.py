"""The README names every command, and its tables say what the code does."""

from __future__ import annotations

from pathlib import Path

from defendctl.exits import Exit
from tests.every_command import every_command

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_command_has_its_row() -> None:
    for command in every_command():
        assert f"| `defendctl {command}" in README, f"{command} is not in the README's table"


def test_every_exit_code_has_its_row() -> None:
    for code in Exit:
        assert f"| {code} |" in README


def test_the_comment_is_a_golden_case() -> None:
    comment = (ROOT / "tests" / "cases" / "comment" / "expected" / "plan.md").read_text(encoding="utf-8")
    assert f"\n````markdown\n{comment}````\n" in README, "put the golden file between the fences"


def test_every_format_is_in_the_row_of_its_command() -> None:
    for name, command in every_command().items():
        options = {option.name: option for option in command.params}
        row = next(line for line in README.splitlines() if line.startswith(f"| `defendctl {name}"))
        if "format" in options:
            choices = "\\|".join(options["format"].type.choices)  # type: ignore[attr-defined]
            assert f"[--format {choices}]" in row
        assert ("[--report FORMAT:FILE]" in row) == ("report" in options)
