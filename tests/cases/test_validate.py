"""What `validate` says of a whole folder, in each of its formats: `files/` is a project.

After a change that was meant: UPDATE_GOLDEN=1 pytest tests/cases, then read the difference.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from defendctl import __version__
from defendctl.render.registry import FORMATS
from tests.cases.test_cases import HERE, expect
from tests.render.test_sarif import read

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Project

CASES = sorted((HERE / "validate").iterdir())
CODES = {"all-sound": 0, "lint": 0, "policy-warned": 0, "policy-waived": 0, "policy-denied": 5}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Path, offline: Project) -> None:
    shutil.copytree(case / "files", offline.root, dirs_exist_ok=True)
    reports = [
        option for name in FORMATS["diagnostics"] for option in ("--report", f"{name}:validate.{name}")
    ]
    offline.ok("validate", *reports, code=CODES.get(case.name, 1))
    for name in FORMATS["diagnostics"]:
        told = (offline.root / f"validate.{name}").read_text(encoding="utf-8")
        expect(case / "expected" / f"validate.{name}", told.replace(f'"{__version__}"', '"VERSION"'))
    log = (offline.root / "validate.sarif").read_text(encoding="utf-8")
    found = json.loads((offline.root / "validate.json").read_text(encoding="utf-8"))["diagnostics"]
    assert [result["ruleId"] for result in read(log)["results"]] == [one["code"] for one in found]
