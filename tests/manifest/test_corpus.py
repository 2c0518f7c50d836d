"""Small manifests: the good ones are taken; the schema agrees about them and about the bad ones."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from defendctl.diagnostics import errors
from defendctl.manifest.resolve import resolve
from defendctl.project.project import Project
from defendctl.yamltext.loader import load

if TYPE_CHECKING:
    from defendctl.manifest.desired import Desired

CORPUS = Path(__file__).parent / "corpus"
SCHEMA = Path(__file__).parents[2] / "schemas" / "manifest.schema.json"
GOOD = sorted((CORPUS / "good").glob("*.yaml"))
BAD = sorted((Path(__file__).parents[1] / "bad" / "manifests").glob("*.yaml"))

UNKNOWABLE = re.compile(r"yaml-.*|duplicate-(key|address)|invalid-(utf8|character)")
"""Codes of faults that a schema cannot see."""


def read(file: Path) -> Desired:
    project = Project(file.parent, None, file.parent / "state.json")
    return resolve(project, [file], file.parent)


def told(desired: Desired) -> str:
    lines = []
    for d in errors(desired.diagnostics):
        place = f"{d.span.line}:{d.span.column}" if d.span and d.span.line else "-"
        lines.append(f"{place} {d.code} {d.message}\n")
    return "".join(lines)


@pytest.mark.parametrize("file", GOOD, ids=lambda file: file.stem)
def test_good(file: Path) -> None:
    assert told(read(file)) == ""


def test_the_schema_agrees() -> None:
    """What the schema rejects is rejected here and the other way round, but for what it cannot know."""
    files = {file: codes for file in (*GOOD, *BAD) if (codes := comparable(file)) is not None}
    command = [sys.executable, "-m", "check_jsonschema", "--schemafile", str(SCHEMA), "-o", "json"]
    run = subprocess.run([*command, *map(str, files)], capture_output=True, text=True, check=False)
    assert run.stdout, run.stderr
    answer = json.loads(run.stdout)
    rejected = {Path(error["filename"]).resolve() for error in (*answer["errors"], *answer["parse_errors"])}
    assert {file.name for file in rejected} == {file.name for file, codes in files.items() if codes}


def comparable(file: Path) -> set[str] | None:
    """Our codes for a file; None for faults of YAML and for several documents, which it cannot read."""
    codes = {d.code for d in errors(read(file).diagnostics)}
    one_document = b"---" not in file.read_bytes() and len(load(file, file.name)[0]) == 1
    return codes if one_document and not any(UNKNOWABLE.fullmatch(code) for code in codes) else None
