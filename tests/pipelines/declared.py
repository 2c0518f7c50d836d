"""Projects for which jobs are written."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from tests.cli.test_cli import run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Ran

ENVIRONMENTS = """\
version: 1
environments:
  staging:
    state: {url: "git+origin?key=staging", lineage: 1b6a}
  production:
    api: {key_variable: DEEPRAILS_PRODUCTION_KEY}
    state: {url: "git+origin?key=production", lineage: 9c0e}
"""
ALONE = 'version: 1\nstate: {url: "s3://bucket/guardrails", lineage: 1b6a}\n'


def repository(folder: Path, project: str = ENVIRONMENTS, below: str = ".") -> Path:
    """The project's folder in a new repository."""
    subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], check=True)
    root = folder / below
    root.mkdir(parents=True, exist_ok=True)
    (root / "defendctl.yaml").write_text(project)
    return root


def written(root: Path, *options: str, code: int = 0) -> Ran:
    ran = run(root, "init", "--ci", *options)
    assert ran.code == code, ran
    return ran
