"""The README is short, names every command, and its five commands can be followed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from defendctl.exits import Exit
from tests.conftest import custom
from tests.every_command import every_command

if TYPE_CHECKING:
    from tests.conftest import Project

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
HOME = "https://github.com/defendctl/defendctl/blob/main/"


def test_it_is_short() -> None:
    assert len(README.splitlines()) <= 150


def test_every_command_and_exit_code_is_named() -> None:
    table = README.split("## Commands")[1]
    assert [name for name in every_command() if not re.search(rf"`{name}[` ]", table)] == []
    assert [int(code) for code in Exit if not re.search(rf"[ \n]{code} \w", table)] == []


def test_links_are_absolute_and_lead_to_files() -> None:
    """A package index shows the same text, and knows no folder."""
    links = re.findall(r"\]\(([^)]+)\)", README)
    assert [link for link in links if not link.startswith("https://")] == []
    ours = [link.removeprefix(HOME) for link in links if link.startswith(HOME)]
    assert len(ours) > 10
    assert [name for name in ours if not (ROOT / name).is_file()] == []


def test_the_quickstart_can_be_followed(project: Project) -> None:
    (project.root / "workflows").rmdir()
    section = README.split("## Quickstart")[1].split("\n## ")[0]
    lines = [line.split() for line in re.findall(r"^defendctl ([^#\n]*)", section, re.MULTILINE)]
    for line in lines:
        ran = project.run_alone(*line)
        assert ran.code == 0, (line, ran)
    assert [line[-1] for line in lines] == ["init", "validate", "plan", "--yes", "drift"]
    assert project.server.count("POST") == 0, "the sandbox touches nothing that is real"


def test_the_lines_of_a_pipeline_can_be_run(project: Project) -> None:
    """Outside of a forge, where nothing is to be done: each of them is a command that there is."""
    project.declare({"a": custom()})
    project.apply()
    project.settings()
    section = README.split("## In a pipeline")[1].split("\n## ")[0]
    lines = [line.split() for line in re.findall(r"^defendctl ([^#\n]*)", section, re.MULTILINE)]
    assert [line[:2] for line in lines] == [["ci", "plan"], ["ci", "apply"], ["ci", "drift"]]
    for line in lines:
        assert project.run_alone(*line).code == 0, line


def test_the_first_real_guardrail_can_be_made(project: Project) -> None:
    (project.root / "workflows").rmdir()
    page = (ROOT / "docs" / "tutorial" / "first-guardrail.md").read_text(encoding="utf-8")
    lines = re.findall(r"^ *defendctl ([^#\n]*)", page, re.MULTILINE)
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
