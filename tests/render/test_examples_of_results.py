"""Each kind in each of its formats, as a file in `expected/`: keys, their order and every byte.

After a change that was meant: UPDATE_GOLDEN=1 pytest tests/render, then read the difference.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from defendctl.inspection.outputs import Outputs
from defendctl.render.registry import FORMATS, draw
from defendctl.render.setting import Setting
from tests.cases.test_cases import expect
from tests.render.examples import EXAMPLES

EXPECTED = Path(__file__).parent / "expected"
IN_CASES = {"plan", "drift", "diagnostics", "manifest"}
"""Folders make these: `tests/cases`, and the commands of environments."""


def test_every_kind_has_an_example() -> None:
    assert set(FORMATS) == set(EXAMPLES) | IN_CASES


@pytest.mark.parametrize(
    ("kind", "format"), [(kind, format) for kind in EXAMPLES for format in FORMATS[kind]]
)
def test_result(kind: str, format: str) -> None:
    shown = draw(kind, format, EXAMPLES[kind], Setting(environment="prod"))
    expect(EXPECTED / f"{kind}.{format}", shown)


def test_outputs_of_nothing() -> None:
    assert draw("outputs", "text", Outputs({}), Setting()) == "Nothing is bound.\n"
    assert draw("outputs", "text", Outputs({"a": "\x1b[2J"}), Setting()) == "a  \\x1b[2J\n"
