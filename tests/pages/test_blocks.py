"""Every page does what it says: its console blocks run, its YAML is valid, its files are there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from defendctl.sandbox.scores import read_scores
from pages.included import included
from tests.conftest import few_quick
from tests.pages.blocks import Block, blocks, fits, steps

if TYPE_CHECKING:
    from tests.conftest import World

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
ALL = {str(page.relative_to(ROOT)): page for page in PAGES}
BLOCKS = [block for name, page in ALL.items() for block in blocks(page, name)]
RUN = sorted({block.page for block in BLOCKS if block.language == "console"})
SCORES = ROOT / "examples" / "suite" / "scores.yaml"
PAST = ROOT / "tests" / "pages" / "past.py"
KINDS = {"manifest", "project", "policy", "overlay", "tests", "labels"}
CHECKED = [block for block in BLOCKS if block.language == "yaml" and KINDS & {*block.words}]
BEFORE = re.compile(r"^<!-- before: (.*) -->$", re.MULTILINE)
"""What a reader of the page has done already. Only commands: what they print is not on the page."""


SHOWN = {
    "README.md": "tests/test_readme.py runs it line by line; the install needs a package index",
    "docs/install.md": "needs a package index, docker or uv; tests/parts/ does the same offline",
    "docs/state.md": "needs psql and a database",
    "docs/tutorial/first-guardrail.md": "tests/test_readme.py runs the page line by line",
    "docs/how-to/sandbox-server.md": "a server that never ends, and its variables",
}


@pytest.mark.parametrize("page", few_quick(RUN, "README.md"))
def test_the_console_of_a_page_does_what_it_shows(page: str, world: World, tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    environment = world(scores=read_scores(SCORES), delay=0.0).env
    environment |= {"HOME": str(tmp_path), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    environment |= {"EXAMPLES": str(ROOT / "examples"), "PAST": f"{sys.executable} {PAST}"}
    for command in BEFORE.findall(ALL[page].read_text(encoding="utf-8")):
        code, printed = shell(command, folder, environment)
        assert code == 0, printed
    for block in (one for one in BLOCKS if one.page == page and one.language == "console"):
        for step in steps(block.text):
            code, printed = shell(step.command, folder, environment)
            assert fits(step.expected, printed), f"{block}: $ {step.command}\n{printed}"
            assert code == step.code, f"{block}: $ {step.command} exits {code}"


def shell(command: str, folder: Path, environment: dict[str, str]) -> tuple[int, str]:
    """Exit code, and both streams as a terminal would show them."""
    ran = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return ran.returncode, ran.stdout


class Undated(yaml.SafeLoader):
    """A day is text, as in YAML 1.2, which we read."""

    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [(tag, pattern) for tag, pattern in them if not tag.endswith(":timestamp")]
        for first, them in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


@pytest.mark.parametrize("block", CHECKED, ids=str)
def test_yaml_of_a_page_is_valid(block: Block) -> None:
    jsonschema: Any = pytest.importorskip("jsonschema")
    kind = next(word for word in block.words if word in KINDS)
    schema = json.loads((ROOT / "schemas" / f"{kind}.schema.json").read_text())
    jsonschema.Draft7Validator(schema).validate(yaml.load(block.text, Loader=Undated))


def test_no_whole_file_escapes_the_check() -> None:
    """A block that begins a file of ours says which kind it is; what is a part of one need not."""
    escaped = [str(one) for one in BLOCKS if one.language == "yaml" and one not in CHECKED and whole(one)]
    assert escaped == []


def test_what_is_no_console_is_run_elsewhere_or_cannot_be() -> None:
    """A block that only shows what to type needs a reason."""
    assert {block.page for block in BLOCKS if block.language in ("sh", "bash", "shell")} == SHOWN.keys()


def whole(block: Block) -> bool:
    return re.search(r"^version: 1$", block.text, re.MULTILINE) is not None


@pytest.mark.parametrize("page", ALL)
def test_files_that_a_page_includes_are_there(page: str) -> None:
    included(ALL[page].read_text(encoding="utf-8"), ROOT)


@pytest.mark.parametrize(
    ("expected", "printed", "fit"),
    [
        ("a\nb", "a\nb\n", True),
        ("a\nb", "a\n\nb\n", True),
        ("a", "a\nb\n", False),
        ("a\n...", "a\nb\nc\n", True),
        ("...\nc", "a\nb\nc\n", True),
        ("...\nc", "a\nb\n", False),
        ("wkfl_... done", "wkfl_1234 done\n", True),
        ("wkfl_... done", "wkfl_1234\n done\n", False),
        ("a.c", "abc\n", False),
        ("", "a\n", False),
    ],
)
def test_what_a_page_leaves_out_is_named_by_dots(expected: str, printed: str, fit: bool) -> None:
    assert fits(expected, printed) == fit
