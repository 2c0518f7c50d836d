"""The README names every command, and its tables say what the code does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from defendctl.exits import Exit
from tests.every_command import every_command

if TYPE_CHECKING:
    from tests.conftest import Project

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


def test_the_quickstart_can_be_followed(project: Project) -> None:
    (project.root / "workflows").rmdir()
    section = README.split("## Quickstart")[1].split("\n## ")[0]
    lines = re.findall(r"^ *defendctl ([^#\n]*)", section, re.MULTILINE)
    for line in lines:
        ran = project.run_alone(*line.split())
        assert ran.code == 0, (line, ran)
    assert [line.split()[0] for line in lines] == ["init", "validate", "plan", "apply", "outputs", "drift"]
    assert project.server.names() == ["Support bot"]
    for words in (["apply", "--yes"], ["plan"]):
        assert project.run_alone("--sandbox", *words).code == 0
    assert project.server.count("POST") == 1
    for file in (project.root / ".defendctl").glob("sandbox.*"):
        file.unlink()
    assert project.run_alone("--sandbox", "plan").out.startswith("No state yet")
