"""Ids as source: each language reads back what was meant, whatever an id holds."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from defendctl.inspection.outputs import Outputs
from defendctl.model import usable_id
from defendctl.render.constants import go, python, ruby, ts

if TYPE_CHECKING:
    from collections.abc import Callable

IDS = st.text(min_size=1, max_size=40).filter(usable_id)
MAPS = st.dictionaries(st.from_regex(r"[a-z]([a-z0-9._-]{0,9}[a-z0-9])?", fullmatch=True), IDS, max_size=5)
NASTY = {"a": 'wk"\\fl', "b-b": "#{exit}$x`y`", "c": "\U0001f600é", "constructor": "##[group]x", "e": "${1}"}


@given(MAPS)
@example(NASTY)
def test_python_reads_what_was_meant(ids: dict[str, str]) -> None:
    found: dict[str, Any] = {}
    exec(python(Outputs(ids)), found)
    assert found["WORKFLOWS"] == ids


@pytest.mark.parametrize("draw", [ts, go, ruby, python], ids=lambda one: one.__name__)
@given(MAPS)
@example(NASTY)
def test_it_is_ascii_and_no_runner_obeys_it(draw: Callable[[Outputs], str], ids: dict[str, str]) -> None:
    text = draw(Outputs(ids))
    assert text.isascii()
    assert "##" not in text
    assert "#{" not in text
    assert text.count("\n") == text.rstrip("\n").count("\n") + 1


@pytest.mark.parametrize(
    ("program", "draw", "script"),
    [
        ("node", ts, "{}\nconsole.log(JSON.stringify(workflows))"),
        ("ruby", ruby, "require 'json'\n{}\nputs JSON.generate(WORKFLOWS)"),
    ],
)
def test_the_language_itself_reads_what_was_meant(
    program: str, draw: Callable[[Outputs], str], script: str
) -> None:
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")
    drawn = draw(Outputs(NASTY))
    source = re.sub(r"^export (const)|^export type.*| as const", r"\1", drawn, flags=re.MULTILINE)
    ran = subprocess.run(
        [program, "-e", script.replace("{}", source)], capture_output=True, text=True, check=True
    )
    assert json.loads(ran.stdout) == NASTY


def test_go_as_gofmt_leaves_it() -> None:
    assert go(Outputs({"a": "x", "long-one": "y"})).splitlines()[5:] == [
        "var Workflows = map[string]string{",
        '\t"a":        "x",',
        '\t"long-one": "y",',
        "}",
    ]
    assert go(Outputs({})).endswith("map[string]string{}\n")
